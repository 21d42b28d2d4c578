"""Tasks that bring a map from where it lies to where a kernel reads it.

The graph's inputs come with their channels first, from another address in each run: it is the
second number of the task's record. A map that has been made lies plain, channels last.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba import bits, joins, lines
from codesign.engine._numba.bitmaps import BitFrame
from codesign.engine._numba.frames import Frame, Place, Plain
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.tasks import PART_BYTES, Task, address, entry, numbers_at
from codesign.ir import IntArray, Value


def entering(value: Value, place: Place, target: IntArray) -> Task | None:
    """From an input, (N, C, ...) contiguous in its carrier, to its place; None for bits.

    The parts are ranges of the rows of all images.
    """
    if not isinstance(place, Frame | Plain):
        return None
    source = value.type.dtype
    width, channels = (value.shape[-1] if len(value.shape) > 1 else 1), (value.shape or (1,))[0]
    starts = np.ascontiguousarray(place.places[::width])
    base = place.base if isinstance(place, Frame) else 0
    numbers = len(starts), width, channels, place.image, base
    record = np.array([0, 0, address(target), address(starts), *numbers], np.int64)
    cost = value.size * source.itemsize / PART_BYTES
    return Task(_enter_entry(source.name, target.dtype.name), record, cost, (target, starts))


def moving(lies: Place, source: IntArray, place: Place, target: IntArray) -> Task | None:
    """From a plain map of bytes to a frame; None for anything else."""
    if not isinstance(lies, Plain) or source.itemsize != 1:
        return None
    if isinstance(place, BitFrame):
        return bits.packing(
            source, place.channels, place.codes.hi, target, place.places, place.image
        )
    if not isinstance(place, Frame):
        return None
    places = place.places if any(place.padding) else None
    table = lines.Lines.of(len(place.places), place.channels, places)
    copy = lines.Merge(joins.FIRST, False, False, table, place.base)
    return copy.task((source, source), target, place.image)


@cache
def _enter_entry(source: str, target: str) -> int:
    """Address of `_enter` on the record that `entering` makes."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def enter(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 9, np.int64)
        images, rows, width, channels, step = n[0], n[4], n[5], n[6], n[7]
        whole = images * rows
        _enter(
            numbers_at(n[1], whole * width * channels, from_type),
            width, channels,
            numbers_at(n[2], images * step, to_type),
            numbers_at(n[3], rows, np.int64),
            step, n[8], whole * part // parts, whole * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(enter)


@compiled
def _enter(
    x: IntArray,
    width: int,
    channels: int,
    y: IntArray,
    starts: IntArray,
    step: int,
    base: int,
    begin: int,
    end: int,
) -> None:
    """x (images, channels, rows, width), y (images, pixels, channels), both flat.

    Rows of y lie at `starts`; its codes are less `base`, modulo what they fit. Of the rows of all
    images, those from `begin` to `end`.
    """
    rows = len(starts)
    for index in range(begin, end):
        n, r = index // rows, index % rows
        source, target = (n * channels * rows + r) * width, n * step + starts[r]
        if channels == 3:  # colours, in one pass
            red = x[source : source + width]
            green = x[source + rows * width : source + rows * width + width]
            blue = x[source + 2 * rows * width : source + 2 * rows * width + width]
            line = y[target : target + 3 * width]
            for p in range(width):
                line[3 * p] = red[p] - base
                line[3 * p + 1] = green[p] - base
                line[3 * p + 2] = blue[p] - base
            continue
        for c in range(channels):
            first = source + c * rows * width
            plane = x[first : first + width]
            line = y[target + c : target + width * channels]
            for p in range(width):
                line[p * channels] = plane[p] - base
