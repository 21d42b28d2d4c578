"""The loops over tiles: blocks of up to four, their sums in a scratch, codes from there."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba import amx
from codesign.engine._numba.jit import compiled
from codesign.ir import IntArray


@register_jitable
def _lines(size: int) -> IntArray:
    """`size` bytes that begin at a cache line.

    Numba frees an array behind the last use of its name: an address taken before is no use.
    """
    whole = np.empty(size + 64, np.uint8)
    start = -int(whole.ctypes.data) % 64
    return whole[start : start + size]


@register_jitable
def _aim(
    y: IntArray, indices: IntArray, spare: IntArray, targets: IntArray, width: int, aside: bool
) -> None:
    """Where the codes of each pixel go: to its index of `y`, or aside (always, or below 0)."""
    for m in range(len(indices)):
        if aside or indices[m] < 0:
            targets[m] = spare.ctypes.data + y.itemsize * m * width
        else:
            targets[m] = y.ctypes.data + y.itemsize * indices[m]


@register_jitable
def _fetch(y: IntArray, indices: IntArray, spare: IntArray, width: int, valid: int) -> None:
    """From aside what a group has of a block's outputs."""
    for m in range(len(indices)):
        if indices[m] >= 0:
            for o in range(valid):
                y[indices[m] + o] = spare[m * width + o]


@register_jitable
def _block(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
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
        mode, columns, sums.ctypes.data, count, bias.ctypes.data, numbers.ctypes.data,
        levels.ctypes.data, targets.ctypes.data,
    )  # fmt: skip


@compiled
def direct(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    frame: IntArray,
    starts: IntArray,
    numbers_of: IntArray,
    pitch: int,
    size: int,
    images: int,
    config: IntArray,
    offsets: IntArray,
    weights: IntArray,
    between: int,
    bias: IntArray,
    numbers: IntArray,
    levels: IntArray,
    y: IntArray,
    places: IntArray,
    step: int,
    width: int,
    stored: int,
) -> None:
    """Tiles that are read in place: `starts` and `numbers_of` (pixels) as a `Cover` has them.

    A block of outputs goes over all pixels: its weights stay in the nearest cache.
    """
    tiles, height = numbers_of.shape
    sources = np.empty(len(rows), np.int64)
    indices, targets = np.empty((2, len(rows) * height), np.int64)
    spare = np.empty(len(rows) * height * width, y.dtype)
    sums = _lines(len(rows) * len(columns) * 1024)
    amx.configure(config.ctypes.data)  # type: ignore[call-arg]
    for g in range(weights.shape[0]):
        for b in range(weights.shape[1]):
            valid = min(width, stored - b * width)
            first = g * stored + b * width
            start = 0
            while start < images * tiles:
                # what fills no block goes tile by tile
                count = len(rows) if start + len(rows) <= images * tiles else 1
                for m in range(count):
                    n, t = (start + m) // tiles, (start + m) % tiles
                    sources[m] = frame.ctypes.data + g * between + n * size + starts[t]
                    for k in range(height):
                        p = numbers_of[t, k]
                        index = -1 if p < 0 else n * step + places[p] + first
                        indices[m * height + k] = index
                own = indices[: count * height]
                _aim(y, own, spare, targets, width, valid < width)
                if count == len(rows):
                    _block(
                        mode, rows, columns, sources, pitch, offsets, weights[g, b], sums,
                        count * height, bias[g, b], numbers, levels[g, b], targets,
                    )  # fmt: skip
                else:
                    _block(
                        mode, (0,), columns, sources, pitch, offsets, weights[g, b], sums,
                        height, bias[g, b], numbers, levels[g, b], targets,
                    )  # fmt: skip
                if valid < width:
                    _fetch(y, own, spare, width, valid)
                start += count
    amx.release()


@compiled
def gathered(
    mode: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    frame: IntArray,
    starts: IntArray,
    size: int,
    images: int,
    config: IntArray,
    offsets: IntArray,
    positions: IntArray,
    steps: IntArray,
    weights: IntArray,
    between: int,
    bias: IntArray,
    numbers: IntArray,
    levels: IntArray,
    y: IntArray,
    places: IntArray,
    step: int,
    width: int,
    stored: int,
) -> None:
    """Windows put together: 64 bytes from each of `offsets` to `positions` of a pixel's row.

    Rows of a tile lie side by side, its `steps` at offsets of their own. All outputs follow the
    copy of a block of pixels.
    """
    pixels, most = len(starts), len(rows) * 16
    sources = np.empty(len(rows), np.int64)
    indices, targets = np.empty((2, most), np.int64)
    own = np.empty(most, np.int64)
    spare = np.empty(most * width, y.dtype)
    sums = _lines(len(rows) * len(columns) * 1024)
    # one line more: a copy to the last row goes beyond it
    windows = _lines(len(steps) * (most + 1) * 64 + 64)
    amx.configure(config.ctypes.data)  # type: ignore[call-arg]
    for g in range(weights.shape[0]):
        for start in range(0, images * pixels, most):
            count = min(most, images * pixels - start)
            n, p = start // pixels, start % pixels
            for m in range(count):
                source = frame.ctypes.data + g * between + n * size + starts[p]
                for piece in range(len(offsets)):
                    amx.copy(
                        source + offsets[piece], windows.ctypes.data + m * 64 + positions[piece]
                    )
                indices[m] = n * step + places[p]
                p += 1
                if p == pixels:
                    n, p = n + 1, 0
            for b in range(weights.shape[1]):
                valid = min(width, stored - b * width)
                for m in range(count):
                    own[m] = indices[m] + g * stored + b * width
                _aim(y, own[:count], spare, targets, width, valid < width)
                if count == most:
                    for m in range(len(rows)):
                        sources[m] = windows.ctypes.data + m * 1024
                    _block(
                        mode, rows, columns, sources, 64, steps, weights[g, b], sums,
                        count, bias[g, b], numbers, levels[g, b], targets,
                    )  # fmt: skip
                else:
                    for tile in range(0, count, 16):
                        sources[0] = windows.ctypes.data + tile * 64
                        _block(
                            mode, (0,), columns, sources, 64, steps, weights[g, b], sums,
                            min(16, count - tile), bias[g, b], numbers, levels[g, b],
                            targets[tile:],
                        )  # fmt: skip
                if valid < width:
                    _fetch(y, own[:count], spare, width, valid)
    amx.release()
