"""The loop over the tiles of a packed product, and how it reads its record."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba import micro
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.memory import move
from codesign.engine._numba.skips import SKIP_NUMBERS, aim, beside_of, places_of
from codesign.engine._numba.tasks import entry, numbers_at
from codesign.ir import IntArray

#: Numbers at the begin of each record of a product: what `operands` reads.
HEAD = 22 + SKIP_NUMBERS


@compiled
def multiply(
    mode: tuple[int, ...],
    level: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    taps: tuple[int, ...],
    pool: tuple[int, ...],
    skip: tuple[tuple[int, ...], ...],
    places: IntArray,
    corners: IntArray,
    selects: IntArray,
    row: int,
    hops: tuple[int, int, int],
    apart: int,
    begin: int,
    end: int,
    frame: IntArray,
    starts: IntArray,
    size: int,
    images: int,
    offsets: IntArray,
    weights: IntArray,
    between: int,
    bias: IntArray,
    numbers: IntArray,
    levels: IntArray,
    y: IntArray,
    step: int,
    width: int,
    stored: int,
    beside: tuple[int, ...],
) -> None:
    """Tile after tile over the results of all images; `y` holds bytes, or sums of 32 bits.

    A result is of `pool` pixels, which begin `corners` from its first. Results lie in rows of
    `row`, which begin at `starts` in a frame, at `places` of `y` and at `selects` of a skip's bits;
    neighbours of a row are `hops` apart in each. Of the tiles, in the order of groups, blocks of
    outputs, results, those from `begin` to `end`.
    """
    results, pixels = len(rows) // len(pool), len(starts) * row
    tiles, last = (images * pixels + results - 1) // results, images * pixels - 1
    sources, indices = np.empty(len(rows), np.int64), np.empty(results, np.int64)
    targets = np.empty(results * places_of(skip), np.int64)
    spare = np.empty(results * width, y.dtype)
    for g in range(weights.shape[0]):
        for b in range(weights.shape[1]):
            ahead = (g * weights.shape[1] + b) * tiles
            if ahead + tiles <= begin or end <= ahead:
                continue
            valid = min(width, stored - b * width)
            origin = frame.ctypes.data + g * between + b * apart
            first = g * stored + b * width
            near = beside_of(skip, beside, first)
            tile = max(0, begin - ahead)
            n, p = tile * results // pixels, tile * results % pixels
            r, c = p // row, p % row
            for _ in range(tile, min(tiles, end - ahead)):
                for k in range(results):
                    source = origin + n * size + starts[r] + c * hops[0]
                    for m in range(len(pool)):
                        sources[k * len(pool) + m] = source + corners[m]
                    indices[k] = n * step + places[r] + c * hops[1] + first
                    if valid == width:
                        place = y.ctypes.data + y.itemsize * indices[k]
                    else:
                        place = spare.ctypes.data + y.itemsize * k * width
                    chosen = selects[r] + c * hops[2]
                    aim(skip, targets, k, place, near, pixels, n, r * row + c, chosen)
                    if n * pixels + r * row + c < last:  # which fills the last tile
                        c += 1
                        if c == row:
                            r, c = r + 1, 0
                            if r == len(starts):
                                n, r = n + 1, 0
                micro.tile(  # type: ignore[call-arg]
                    mode, level, rows, columns, taps, pool, skip, sources.ctypes.data,
                    offsets.ctypes.data, len(offsets) // len(taps), weights[g, b].ctypes.data,
                    bias[g, b].ctypes.data, numbers.ctypes.data, levels[g, b].ctypes.data,
                    targets.ctypes.data,
                )  # fmt: skip
                if valid < width:
                    for k in range(results):
                        place = y.ctypes.data + y.itemsize * indices[k]
                        move(targets[k * places_of(skip)], place, y.itemsize * valid)


@register_jitable
def operands(n: IntArray, kind: Any) -> Any:
    """What every loop over tiles takes last, from a record; `kind` is the type of `y`."""
    groups, blocks, lanes = n[14], n[15], n[19]
    return (
        numbers_at(n[1], 1, np.uint8),
        numbers_at(n[3], n[10], np.int64),
        n[11], n[0],
        numbers_at(n[5], n[13], np.int64),
        numbers_at(n[6], (groups, blocks, n[16]), np.int8),
        n[17],
        numbers_at(n[7], (groups, blocks, lanes), np.int32),
        numbers_at(n[8], 1, np.int32),
        numbers_at(n[9], (groups, blocks, n[18], lanes), np.int32),
        numbers_at(n[2], 1, kind),
        n[12], n[20], n[21],
        (n[22], n[23], n[24], n[25]),
    )  # fmt: skip


@cache
def packed_entry(
    mode: int, level: int, rows: int, columns: int, taps: int, pool: int, skip: tuple[int, ...],
    result: str,
) -> int:  # fmt: skip
    """Address of `multiply` on the record that `Packed.task` makes; `result` is the type of `y`."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    variant = mode, level, rows, columns, taps, pool
    m, v, r, c, a, q = ((zero,) * length for length in variant)
    s = tuple((zero,) * length for length in skip)
    kind = np.dtype(result).type

    def packed_tiles(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, HEAD + 7, np.int64)
        images, lines, groups, blocks = n[0], n[10], n[14], n[15]
        each = len(r) // len(q)
        tiles = groups * blocks * ((images * lines * n[HEAD + 3] + each - 1) // each)
        multiply(
            m, v, r, c, a, q, s, numbers_at(n[4], lines, np.int64),
            numbers_at(n[HEAD + 1], len(q), np.int64), numbers_at(n[HEAD + 2], lines, np.int64),
            n[HEAD + 3], (n[HEAD + 4], n[HEAD + 5], n[HEAD + 6]), n[HEAD],
            tiles * part // parts, tiles * (part + 1) // parts, *operands(n, kind),
        )  # fmt: skip
        return 1

    return entry(packed_tiles)
