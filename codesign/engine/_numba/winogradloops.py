"""The loop of Winograd products: a block of tiles is spread, multiplied at 16 positions, joined."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from codesign.engine._numba import micro
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.memory import lines, move
from codesign.engine._numba.packedloop import HEAD, operands
from codesign.engine._numba.skips import aim, beside_of, places_of
from codesign.engine._numba.tasks import entry, numbers_at
from codesign.engine._numba.transforms import CHANNELS, join, spread
from codesign.engine._numba.windows import SLACK
from codesign.ir import IntArray

#: Bytes between two planes of a scratch beyond their content: else loads of 16 planes would meet
#: in few places of the nearest cache.
_APART = 64
#: Numbers of a record, in the order that `Winograd.task` writes: those of every product; address of
#: the positions' biases, bytes of a row and of a pixel, what is added, tiles of a block; address of
#: each tile's results, how many they are, results of an image, address of their selects.
RECORD = HEAD + 10


@compiled
def products(
    mode: tuple[int, ...],
    level: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    pooled: tuple[int, ...],
    skip: tuple[tuple[int, ...], ...],
    places: IntArray,
    pixels: IntArray,
    selects: IntArray,
    bases: IntArray,
    line: int,
    pixel: int,
    rest: int,
    middle: int,
    block: int,
    part: int,
    parts: int,
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
    """Tiles of 2 x 2 results whose windows begin at `starts` of each image, `block` at a time.

    `pixels` (tiles, results) are the results of each tile, `places` the elements of `y` where
    results begin. `weights` (groups, blocks of outputs, 16 * size) and `bases` (groups, blocks, 16,
    lanes) hold those of each position. All outputs follow when a block is spread. Of the blocks, in
    the order of tiles, groups, outputs, one of `parts` equal parts is computed.
    """
    each, results = pixels.shape
    groups, wide, piece = weights.shape[0], weights.shape[1], weights.shape[2] // 16
    tiles = images * each
    pitch = (pixel + CHANNELS - 1) // CHANNELS * CHANNELS
    plane, sum_plane = block * pitch + _APART, block * bias.shape[2] * 4 + _APART
    codes, sums = lines(16 * plane + SLACK), lines(16 * sum_plane)
    sources, targets = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    ends = np.empty(results * places_of(skip), np.int64)
    image_of, tile_of = np.empty((2, block), np.int64)
    indices = np.empty(results, np.int64)
    spare = np.empty(results * width, y.dtype)
    units = (tiles + block - 1) // block * groups * wide
    there = -1
    for unit in range(units * part // parts, units * (part + 1) // parts):
        b, g, number = unit % wide, unit // wide % groups, unit // wide // groups
        start = number * block
        count = min(block, tiles - start)
        if number != there:
            n, t = start // each, start % each
            for m in range(count):
                source = frame.ctypes.data + n * size + starts[t]
                target = codes.ctypes.data + m * pitch
                for c in range(0, pixel, CHANNELS):
                    spread(  # type: ignore[call-arg]
                        source + c, line, pixel, target + c, plane, rest, middle
                    )
                image_of[m], tile_of[m] = n, t
                t += 1
                if t == each:
                    n, t = n + 1, 0
            there = number
        for p in range(16):
            source = codes.ctypes.data + p * plane + g * between
            target = sums.ctypes.data + p * sum_plane
            for first in range(0, count, len(rows)):
                for m in range(len(rows)):
                    row = min(first + m, count - 1)  # the last tile is repeated
                    sources[m] = source + row * pitch
                    targets[m] = target + row * bias.shape[2] * 4
                micro.tile(  # type: ignore[call-arg]
                    (0, 0), level, rows, columns, (0,), (0,), (), sources.ctypes.data,
                    offsets.ctypes.data, len(offsets), weights[g, b].ctypes.data + p * piece,
                    bases[g, b, p].ctypes.data, numbers.ctypes.data, levels[g, b].ctypes.data,
                    targets.ctypes.data,
                )  # fmt: skip
        valid = min(width, stored - b * width)
        place = g * stored + b * width
        near = beside_of(skip, beside, place)
        for m in range(count):
            n, t = image_of[m], tile_of[m]
            for k in range(results):
                p = pixels[t, k]
                indices[k] = n * step + places[p] + place
                if valid == width:
                    target = y.ctypes.data + y.itemsize * indices[k]
                else:
                    target = spare.ctypes.data + y.itemsize * k * width
                aim(skip, ends, k, target, near, len(places), n, p, selects[p])
            join(  # type: ignore[call-arg]
                mode, level, columns, pooled, skip, sums.ctypes.data + m * bias.shape[2] * 4,
                sum_plane, bias[g, b].ctypes.data, numbers.ctypes.data, levels[g, b].ctypes.data,
                ends.ctypes.data,
            )  # fmt: skip
            if valid < width:
                for k in range(results):
                    target = y.ctypes.data + y.itemsize * indices[k]
                    move(ends[k * places_of(skip)], target, y.itemsize * valid)


@cache
def products_entry(
    mode: int, level: int, rows: int, columns: int, pooled: bool, skip: tuple[int, ...], result: str
) -> int:
    """Address of `products` on the record that `Winograd.task` makes."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    m, v, r, c, q = ((zero,) * length for length in (mode, level, rows, columns, int(pooled)))
    s = tuple((zero,) * length for length in skip)
    kind = np.dtype(result).type

    def winograd(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, RECORD, np.int64)
        groups, blocks, lanes = n[14], n[15], n[19]
        products(
            m, v, r, c, q, s, numbers_at(n[4], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD + 6], (n[10], n[HEAD + 7]), np.int64),
            numbers_at(n[HEAD + 9], n[HEAD + 8], np.int64),
            numbers_at(n[HEAD], (groups, blocks, 16, lanes), np.int32),
            n[HEAD + 1], n[HEAD + 2], n[HEAD + 3], n[HEAD + 4], n[HEAD + 5], part, parts,
            *operands(n, kind),
        )  # fmt: skip
        return 1

    return entry(winograd)
