"""How products read their maps: windows, and where in memory the pixels of one lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codesign.ir import IntArray

#: Bytes behind a frame that may be read: the last step may reach three beyond its pixel.
SLACK = 64


@dataclass(frozen=True, slots=True)
class Window:
    """How a product reads its map: a linear layer is a window of one element on N pixels.

    Attributes:
        sizes: of the map behind its channels.
        channels: of the map.
        kernel, stride, padding: one number for each of `sizes`.
        groups: of the product.
        shuffle: groups of the channel shuffle that the map has yet to go through; 1 without.
    """

    sizes: tuple[int, ...]
    channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    groups: int = 1
    shuffle: int = 1

    @property
    def padded(self) -> tuple[int, ...]:
        """Sizes of the frame."""
        return tuple(s + 2 * p for s, p in zip(self.sizes, self.padding, strict=True))

    @property
    def results(self) -> tuple[int, ...]:
        """Sizes of the result."""
        places = zip(self.padded, self.kernel, self.stride, strict=True)
        return tuple((size - window) // step + 1 for size, window, step in places)

    @property
    def frame_bytes(self) -> int:
        """Bytes of the frame."""
        return int(np.prod(self.padded)) * self.channels

    @property
    def starts(self) -> IntArray:
        """Offsets in the frame of the windows' first pixels, in order of the results."""
        none = (0,) * len(self.sizes)
        return pixel_offsets(self.padded, self.results, self.stride, none, self.channels)


def pixel_offsets(
    sizes: tuple[int, ...],
    inner: tuple[int, ...],
    step: tuple[int, ...],
    first: tuple[int, ...],
    channels: int,
) -> IntArray:
    """Offsets in a map of `sizes` of the pixels `first + i * step`, i below `inner`, in order."""
    place: IntArray = np.zeros(1, np.int64)
    for size, count, stride, start in zip(sizes, inner, step, first, strict=True):
        place = (place[:, None] * size + start + stride * np.arange(count)).reshape(-1)
    return place * channels


def in_rows(tables: Sequence[IntArray]) -> tuple[int, IntArray, IntArray]:
    """Tables of numbers for the same pixels as rows of pixels, evenly apart in each table.

    Pixels of a row, at least 1; of each table where the rows begin (tables, rows), and how far
    apart the pixels of a row are (tables,).
    """
    width = pixels = len(tables[0])
    for table in tables:  # one after the other: they are large
        apart = np.diff(table)
        uneven = np.flatnonzero(apart != apart[:1])
        width = min(width, int(uneven[0]) + 1 if len(uneven) else pixels)
    even = pixels % width == 0 and all(
        (np.diff(table.reshape(-1, width)) == np.diff(table[:2])).all() for table in tables
    )
    if not even or width == 1:
        return 1, np.stack(tables), np.zeros(len(tables), np.int64)
    begins, apart = (np.stack([table[start::width] for table in tables]) for start in (0, 1))
    return width, begins, apart[:, 0] - begins[:, 0]


def squares(results: tuple[int, ...], pool: bool) -> IntArray:
    """Pixels of each 2 x 2 of a map of results, (squares, 4), row by row.

    Of an odd number the last square overlaps another; those of a `pool` leave the rest out.
    """
    rows, columns = (
        np.arange(size // 2) * 2 if pool else np.minimum(np.arange(0, size, 2), size - 2)
        for size in results
    )
    corners = (rows[:, None] * results[1] + columns).reshape(-1, 1)
    found: IntArray = corners + np.array([0, 1, results[1], results[1] + 1])
    return found


def runs(window: Window, weight: IntArray) -> tuple[IntArray, IntArray, int]:
    """Weights by the bytes that lie side by side in a map, (outputs, runs, length).

    With the offsets of the runs from the window's first pixel, and the bytes between groups.
    """
    outputs, depth = weight.shape[:2]
    taps: IntArray = weight.reshape(outputs, depth, -1).transpose(0, 2, 1)  # (outputs, taps, depth)
    ones, none = (1,) * len(window.sizes), (0,) * len(window.sizes)
    places = pixel_offsets(window.padded, window.kernel, ones, none, window.channels)
    if window.shuffle == 1 and window.groups == 1:
        # neighbouring taps of a row are one run of bytes
        last = window.kernel[-1]
        return taps.reshape(outputs, -1, last * depth), places[::last], 0
    # shuffled channel j*G + g lies at g*C/G + j: a group reads a run in each of the G parts
    parts = window.shuffle
    apart = taps.reshape(outputs, len(places), depth // parts, parts).swapaxes(2, 3)
    within = np.arange(parts) * (window.channels // parts)
    places = (places[:, None] + within).reshape(-1)
    return apart.reshape(outputs, len(places), depth // parts), places, depth // parts
