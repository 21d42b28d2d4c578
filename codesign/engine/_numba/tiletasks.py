"""Products by tiles as tasks: the loops of `tileloops` on one record of addresses and sizes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from codesign.engine._numba.packedloop import HEAD, operands
from codesign.engine._numba.tasks import entry, numbers_at
from codesign.engine._numba.tileloops import direct, gathered

#: Numbers of a record, in the order that `Tiled.task` writes: those of every product; addresses of
#: configurations, pixels, positions, steps, selects; pixels of a start, pitch, steps, pixels of an
#: image.
RECORD = HEAD + 9


@cache
def tiles_entry(
    way: str, mode: int, rows: int, columns: int, skip: tuple[int, ...], result: str
) -> int:
    """Address of the loop of a `way`, "direct" or "gathered"; `result` is the type of `y`."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    m, r, c = ((zero,) * length for length in (mode, rows, columns))
    s = tuple((zero,) * length for length in skip)
    kind = np.dtype(result).type

    def tiles_direct(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, RECORD, np.int64)
        direct(
            m, r, c, s, numbers_at(n[4], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD + 4], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD + 1], (n[10], n[HEAD + 5]), np.int64), n[HEAD + 6],
            numbers_at(n[HEAD], (16, 64), np.uint8), part, parts, *operands(n, kind),
        )  # fmt: skip
        return 1

    def tiles_gathered(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, RECORD, np.int64)
        gathered(
            m, r, c, s, numbers_at(n[4], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD + 4], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD + 2], n[13], np.int64),
            numbers_at(n[HEAD + 3], n[HEAD + 7], np.int64),
            numbers_at(n[HEAD], (16, 64), np.uint8), part, parts, *operands(n, kind),
        )  # fmt: skip
        return 1

    return entry(tiles_direct if way == "direct" else tiles_gathered)
