"""Kernels that make a row of their result from each row of their map, whatever a row is.

Such a kernel is compiled as `kernel(x, y, table, numbers, begin, end)`: x (rows, columns) of any
integers, y (rows, columns), a table (.., ..), 64-bit numbers; it computes the rows from `begin` to
`end`. Its module gives the address of `kernel(*rows_at(...))`: a function made here around a kernel
would not be found on disk again, since to numba compiled code in a closure has another name in
each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba.frames import Plain
from codesign.engine._numba.layout import Site, storage
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.tasks import PART_BYTES, Task, address, numbers_at
from codesign.ir import IntArray

_Kernel = Callable[[IntArray, IntArray, IntArray, IntArray, int, int], None]


class Rows(Native):
    """A kernel of rows; `columns` are those of its map and of its result.

    `entry_of` gives the address of `kernel` for the types of the map and the result.
    """

    def __init__(
        self,
        site: Site,
        kernel: _Kernel,
        entry_of: Callable[[str, str], int],
        columns: tuple[int, int],
        table: IntArray,
        numbers: tuple[int, ...],
    ) -> None:
        source, result = site.arguments[0], site.result
        read = Read(Plain.of(source.shape, storage(source.type)), free=True)
        super().__init__((read,), Plain.of(result.shape, storage(result.type)))
        self.kernel, self.entry_of, self.columns = kernel, entry_of, columns
        self.table, self.numbers = np.ascontiguousarray(table), np.array(numbers, np.int64)
        self.rows = read.place.image // columns[0]

    def task(self, sources: Buffers, target: IntArray) -> Task | None:
        """See `Native.task`; the parts are ranges of rows of all images."""
        (source,) = sources
        arrays = source, target, self.table, self.numbers
        sizes = self.rows, *self.columns, *self.table.shape, len(self.numbers)
        record = np.array([0, *map(address, arrays), *sizes], np.int64)
        cost = self.rows * max(self.columns) / PART_BYTES
        function = self.entry_of(source.dtype.name, target.dtype.name)
        return Task(function, record, cost, arrays)

    def compute(self, sources: Buffers, target: IntArray, images: int) -> None:
        """See `Native.compute`."""
        rows = images * self.rows
        x, y = (
            flat[: rows * columns].reshape(rows, columns)
            for flat, columns in zip((*sources, target), self.columns, strict=True)
        )
        self.kernel(x, y, self.table, self.numbers, 0, rows)


@register_jitable
def rows_at(
    record: int, part: int, parts: int, source: Any, target: Any, table: Any
) -> tuple[IntArray, IntArray, IntArray, IntArray, int, int]:
    """In compiled code: what a kernel of rows is called with, by the types of its arrays."""
    n = numbers_at(record, 11, np.int64)
    rows = n[0] * n[5]
    return (
        numbers_at(n[1], (rows, n[6]), source),
        numbers_at(n[2], (rows, n[7]), target),
        numbers_at(n[3], (n[8], n[9]), table),
        numbers_at(n[4], n[10], np.int64),
        rows * part // parts,
        rows * (part + 1) // parts,
    )
