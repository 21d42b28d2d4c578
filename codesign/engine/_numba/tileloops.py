"""The loops over tiles: blocks of up to four, their sums in a scratch, codes from there."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba import amx
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.memory import lines, move
from codesign.engine._numba.skips import aim, beside_of, places_of
from codesign.ir import IntArray


@register_jitable
def _aim_all(
    skip: tuple[tuple[int, ...], ...],
    y: IntArray,
    places: IntArray,
    selects: IntArray,
    image_of: IntArray,
    pixel_of: IntArray,
    step: int,
    first: int,
    spare: IntArray,
    targets: IntArray,
    beside: tuple[int, ...],
    width: int,
    aside: bool,
) -> None:
    """Where the codes of each pixel go: to its place in `y`, or aside (always, or of no pixel)."""
    near, place = beside_of(skip, beside, first), spare.ctypes.data
    for m in range(len(pixel_of)):
        n, p, target = image_of[m], max(pixel_of[m], 0), place
        if not aside and pixel_of[m] >= 0:
            target = y.ctypes.data + y.itemsize * (n * step + places[p] + first)
        aim(skip, targets, m, target, near, len(places), n, p, selects[p])
        place += y.itemsize * width


@register_jitable
def _fetch(
    y: IntArray,
    places: IntArray,
    image_of: IntArray,
    pixel_of: IntArray,
    step: int,
    first: int,
    spare: IntArray,
    width: int,
    valid: int,
) -> None:
    """From aside what a group has of a block's outputs."""
    for m in range(len(pixel_of)):
        if pixel_of[m] >= 0:
            source = spare.ctypes.data + y.itemsize * m * width
            index = image_of[m] * step + places[pixel_of[m]] + first
            move(source, y.ctypes.data + y.itemsize * index, y.itemsize * valid)  # type: ignore[call-arg]


@register_jitable
def _block(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    skip: tuple[tuple[int, ...], ...],
    sources: IntArray,
    pitch: int,
    offsets: IntArray,
    weights: IntArray,
    sums: IntArray,
    count: int,
    bias: IntArray,
    numbers: IntArray,
    levels: IntArray,
    targets: IntArray,
) -> None:
    """Sums of a block of tiles, and what becomes of those of its first `count` pixels."""
    amx.block(  # type: ignore[call-arg]
        rows, columns, sources.ctypes.data, pitch, offsets.ctypes.data, len(offsets),
        weights.ctypes.data, sums.ctypes.data,
    )  # fmt: skip
    amx.settle(
        mode, columns, skip, sums.ctypes.data, count, bias.ctypes.data, numbers.ctypes.data,
        levels.ctypes.data, targets.ctypes.data,
    )  # fmt: skip


@compiled
def direct(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    skip: tuple[tuple[int, ...], ...],
    places: IntArray,
    selects: IntArray,
    pixels: IntArray,
    pitch: int,
    configurations: IntArray,
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
    """Tiles that are read in place: they start at `starts`, (tiles,), of each image.

    `pixels` (tiles, 16) are the numbers of each row's pixel, -1 where it has none; `places` the
    elements of `y` of each number. Where an image has one pixel, `pixels` is (1, 1), and a tile is
    up to 16 images. A block of outputs goes over all pixels: its weights stay in the nearest cache.
    Of the blocks, in the order of groups, outputs, tiles, one of `parts` equal parts is computed.
    """
    single, each = pixels.shape[1] == 1, len(starts)
    height = min(images, 16) if single else 16
    tiles = (images + 15) // 16 if single else images * each
    blocks = (tiles + len(rows) - 1) // len(rows)
    sources = np.empty(len(rows), np.int64)
    image_of, pixel_of = np.empty((2, len(rows) * height), np.int64)
    targets = np.empty(len(rows) * height * places_of(skip), np.int64)
    spare = np.empty(len(rows) * height * width, y.dtype)
    sums = lines(len(rows) * len(columns) * 1024)
    wide = weights.shape[1]  # blocks of outputs of a group
    whole = weights.shape[0] * wide * blocks
    begin, end = whole * part // parts, whole * (part + 1) // parts
    block, g, b = begin % blocks, begin // blocks // wide, begin // blocks % wide
    # counted on, because divisions would take as long as a product
    n, t = block * len(rows) // each, block * len(rows) % each
    amx.configure(configurations[height - 1].ctypes.data)  # type: ignore[call-arg]
    for _ in range(begin, end):
        valid = min(width, stored - b * width)
        first = g * stored + b * width
        origin = frame.ctypes.data + g * between
        start = block * len(rows)
        stop = min(start + len(rows), tiles)
        # what fills no block goes tile by tile
        count = len(rows) if stop - start == len(rows) else 1
        for tile in range(start, stop, count):
            for m in range(count):
                if single:
                    n = min((tile + m) * 16, images - height)
                    sources[m] = origin + n * size
                    for k in range(height):
                        own = n + k >= (tile + m) * 16
                        image_of[m * height + k] = n + k
                        pixel_of[m * height + k] = 0 if own else -1
                else:
                    sources[m] = origin + n * size + starts[t]
                    for k in range(16):
                        image_of[m * 16 + k], pixel_of[m * 16 + k] = n, pixels[t, k]
                    t += 1
                    if t == each:
                        n, t = n + 1, 0
            taken = pixel_of[: count * height]
            _aim_all(
                skip, y, places, selects, image_of, taken, step, first, spare, targets, beside,
                width, valid < width,
            )  # fmt: skip
            if count == len(rows):
                _block(
                    mode, rows, columns, skip, sources, pitch, offsets, weights[g, b], sums,
                    count * height, bias[g, b], numbers, levels[g, b], targets,
                )  # fmt: skip
            else:
                _block(
                    mode, (0,), columns, skip, sources, pitch, offsets, weights[g, b], sums,
                    height, bias[g, b], numbers, levels[g, b], targets,
                )  # fmt: skip
            if valid < width:
                _fetch(y, places, image_of, taken, step, first, spare, width, valid)
        block += 1
        if block == blocks:
            block, n, t, b = 0, 0, 0, b + 1
            if b == wide:
                g, b = g + 1, 0
    amx.release()


@compiled
def gathered(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    skip: tuple[tuple[int, ...], ...],
    places: IntArray,
    selects: IntArray,
    positions: IntArray,
    steps: IntArray,
    configurations: IntArray,
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
    """Windows put together: 64 bytes from each of `offsets` to `positions` of a pixel's row.

    Rows of a tile lie side by side, its `steps` at offsets of their own. All outputs follow the
    copy of a block of pixels. Of the blocks, in the order of groups, pixels, outputs, one of
    `parts` equal parts is computed.
    """
    pixels, most = len(starts), len(rows) * 16
    total = images * pixels
    blocks = (total + most - 1) // most
    sources = np.empty(len(rows), np.int64)
    image_of, pixel_of = np.empty((2, most), np.int64)
    targets = np.empty(most * places_of(skip), np.int64)
    spare = np.empty(most * width, y.dtype)
    sums = lines(len(rows) * len(columns) * 1024)
    # one line more: a copy to the last row goes beyond it
    windows = lines(len(steps) * (most + 1) * 64 + 64)
    whole = weights.shape[0] * blocks * weights.shape[1]
    there = -1
    amx.configure(configurations[min(total, 16) - 1].ctypes.data)  # type: ignore[call-arg]
    for unit in range(whole * part // parts, whole * (part + 1) // parts):
        block, b = unit // weights.shape[1], unit % weights.shape[1]
        g, start = block // blocks, block % blocks * most
        count = min(most, total - start)
        valid = min(width, stored - b * width)
        if block != there:
            n, p = start // pixels, start % pixels
            for m in range(count):
                source = frame.ctypes.data + g * between + n * size + starts[p]
                target = windows.ctypes.data + m * 64
                for piece in range(len(offsets)):
                    amx.copy(source + offsets[piece], target + positions[piece])
                image_of[m], pixel_of[m] = n, p
                p += 1
                if p == pixels:
                    n, p = n + 1, 0
            there = block
        first = g * stored + b * width
        taken = pixel_of[:count]
        _aim_all(
            skip, y, places, selects, image_of, taken, step, first, spare, targets, beside, width,
            valid < width,
        )  # fmt: skip
        if count == most:
            for m in range(len(rows)):
                sources[m] = windows.ctypes.data + m * 1024
            _block(
                mode, rows, columns, skip, sources, 64, steps, weights[g, b], sums,
                count, bias[g, b], numbers, levels[g, b], targets,
            )  # fmt: skip
        else:
            for tile in range(0, count, 16):
                sources[0] = windows.ctypes.data + tile * 64
                _block(
                    mode, (0,), columns, skip, sources, 64, steps, weights[g, b], sums,
                    min(16, count - tile), bias[g, b], numbers, levels[g, b],
                    targets[tile * places_of(skip) :],
                )  # fmt: skip
        if valid < width:
            _fetch(y, places, image_of, taken, step, first, spare, width, valid)
    amx.release()
