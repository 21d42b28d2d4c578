"""Tasks: compiled work on buffers that stay where they are, cut into parts for several threads.

A task is the address of compiled code and of its record, an array of 64-bit numbers: addresses and
sizes. The code computes one of `parts` equal parts, whichever thread calls it; parts write apart.
A program is a table of tasks that run one behind the other without Python between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numba
import numpy as np
from numba import carray, types  # type: ignore[attr-defined]
from numba.extending import register_jitable

from codesign.engine._numba import atomics
from codesign.engine._numba.jit import compiled, named
from codesign.ir import IntArray

#: Products of one part at least: some microseconds, against which handing a part over is nothing.
PART_PRODUCTS = 1 << 20
#: Bytes of one part at least, for kernels that hardly compute.
PART_BYTES = 1 << 15

_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


def entry(function: Callable[[int, int, int], int]) -> int:
    """Address of `function(record, part, parts)`, compiled and kept on disk.

    The function returns 1: what fails inside compiled code gives 0.
    """
    try:
        return cast(int, numba.cfunc(_SIGNATURE, cache=True)(named(function)).address)
    except RuntimeError:  # no folder can be written: compile in each process
        return cast(int, numba.cfunc(_SIGNATURE)(function).address)


@dataclass(frozen=True, slots=True)
class Task:
    """Work on fixed buffers.

    Attributes:
        function: address of the code, from `entry`.
        record: 64-bit numbers; the first is the number of images.
        cost: how many parts the work of one image is worth; may be less than 1.
        holds: arrays whose addresses are in the record.
    """

    function: int
    record: IntArray
    cost: float
    holds: tuple[Any, ...]

    def parts(self, images: int, most: int) -> int:
        """Parts for so many images, `most` at most."""
        return max(1, min(most, int(self.cost * images)))


@register_jitable
def numbers_at(at: int, shape: Any, dtype: Any) -> Any:
    """In compiled code: the array at an address, C-contiguous."""
    return carray(atomics.pointer(at), shape, dtype)


def address(array: IntArray) -> int:
    """Where an array's first element lies."""
    return int(array.ctypes.data)


def program(tasks: list[Task], images: int, most: int) -> IntArray:
    """The table (tasks, 3) of functions, records and parts; the records take the images."""
    rows: IntArray = np.empty((len(tasks), 3), np.int64)
    for row, task in zip(rows, tasks, strict=True):
        task.record[0] = images
        row[:] = task.function, address(task.record), task.parts(images, most)
    return rows


def compute(task: Task, images: int) -> None:
    """The whole task, on this thread."""
    alone(program([task], images, 1))


def alone(tasks: IntArray) -> None:
    """A program, on this thread; raises MemoryError where compiled code found no memory."""
    check(bool(_each(tasks)))


def check(done: bool) -> None:
    """Raise MemoryError if compiled code was not done with its work."""
    if not done:
        raise MemoryError("a compiled kernel found no memory; give it smaller chunks")


@compiled
def _each(tasks: IntArray) -> bool:
    """Every task in one part."""
    done = True
    for t in range(len(tasks)):
        if atomics.invoke(tasks[t, 0], tasks[t, 1], 0, 1) != 1:
            done = False
    return done
