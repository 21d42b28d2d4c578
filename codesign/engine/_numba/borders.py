"""Borders of maps, written anew where a buffer's memory has served another map before."""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba.frames import Bordered
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.memory import move
from codesign.engine._numba.tasks import PART_BYTES, Task, address, entry, numbers_at
from codesign.ir import IntArray


def bordering(place: Bordered, buffer: IntArray) -> Task:
    """What `place.empty` has around its maps, into a flat buffer of any bytes.

    The parts are ranges of the runs of all images.
    """
    starts, lengths = place.around
    longest: IntArray = np.resize(place.cell, int(lengths.max(initial=0)))
    arrays = buffer, longest, starts, lengths
    record = np.array([0, *map(address, arrays), len(starts), place.image], np.int64)
    return Task(_border_entry(), record, int(lengths.sum()) / PART_BYTES, arrays)


@cache
def _border_entry() -> int:
    """Address of `_border` on the record that `bordering` makes."""

    def border(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 7, np.int64)
        whole = n[0] * n[5]
        _border(
            n[1], n[2], numbers_at(n[3], n[5], np.int64), numbers_at(n[4], n[5], np.int64), n[6],
            whole * part // parts, whole * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(border)


@compiled
def _border(
    y: int, cells: int, starts: IntArray, lengths: IntArray, image: int, begin: int, end: int
) -> None:
    """y and cells are addresses; of the runs of all images those from `begin` to `end`."""
    n, r = begin // len(starts), begin % len(starts)
    for _ in range(begin, end):
        move(cells, y + n * image + starts[r], lengths[r])  # type: ignore[call-arg]
        r += 1
        if r == len(starts):
            n, r = n + 1, 0
