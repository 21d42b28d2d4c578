"""Products by tiles as tasks: the loops of `tileloops` on one record of addresses and sizes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from codesign.engine._numba.tasks import entry, numbers_at
from codesign.engine._numba.tileloops import direct, gathered

#: Numbers of a record, in the order that `Tiled.task` writes: images; addresses of the frame,
#: results, starts, ends or places, offsets, weights, biases, numbers, levels, configurations,
#: positions, steps; then sizes.
RECORD = 28


@cache
def tiles_entry(way: str, mode: int, rows: int, columns: int, result: str) -> int:
    """Address of the loop of a `way`, "direct" or "gathered"; `result` is the type of `y`."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    m, r, c = ((zero,) * length for length in (mode, rows, columns))
    kind = np.dtype(result).type

    def tiles_direct(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, RECORD, np.int64)
        groups, blocks, lanes = n[19], n[20], n[24]
        direct(
            m, r, c,
            numbers_at(n[1], 1, np.uint8),
            numbers_at(n[3], n[13], np.int64),
            numbers_at(n[4], (n[13], n[14]), np.int64),
            n[15], n[16], n[0],
            numbers_at(n[10], (16, 64), np.uint8),
            numbers_at(n[5], n[17], np.int64),
            numbers_at(n[6], (groups, blocks, n[21]), np.int8),
            n[22],
            numbers_at(n[7], (groups, blocks, lanes), np.int32),
            numbers_at(n[8], 1, np.int32),
            numbers_at(n[9], (groups, blocks, n[23], lanes), np.int32),
            numbers_at(n[2], 1, kind),
            n[25], n[26], n[27], part, parts,
        )  # fmt: skip
        return 1

    def tiles_gathered(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, RECORD, np.int64)
        groups, blocks, lanes = n[19], n[20], n[24]
        gathered(
            m, r, c,
            numbers_at(n[1], 1, np.uint8),
            numbers_at(n[3], n[13], np.int64),
            n[16], n[0],
            numbers_at(n[10], (16, 64), np.uint8),
            numbers_at(n[5], n[17], np.int64),
            numbers_at(n[11], n[17], np.int64),
            numbers_at(n[12], n[18], np.int64),
            numbers_at(n[6], (groups, blocks, n[21]), np.int8),
            n[22],
            numbers_at(n[7], (groups, blocks, lanes), np.int32),
            numbers_at(n[8], 1, np.int32),
            numbers_at(n[9], (groups, blocks, n[23], lanes), np.int32),
            numbers_at(n[2], 1, kind),
            numbers_at(n[4], n[13], np.int64),
            n[25], n[26], n[27], part, parts,
        )  # fmt: skip
        return 1

    return entry(tiles_direct if way == "direct" else tiles_gathered)
