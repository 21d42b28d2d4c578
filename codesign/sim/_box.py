"""From a photograph to the network's size, in exact integers: centre crop and box average."""

from __future__ import annotations

import numpy as np

from codesign.ir import IntArray


def centre_crop(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest centred rectangle of `target`'s aspect: (top, left, height, width).

    Sizes are (height, width); cuts are floored, so an odd cell is lost at the end.
    """
    height, width = size
    rows, columns = target
    cut_height = min(height, width * rows // columns)
    cut_width = min(width, height * columns // rows)
    return (height - cut_height) // 2, (width - cut_width) // 2, cut_height, cut_width


def box_average(pixels: IntArray, target: tuple[int, int]) -> IntArray:
    """`pixels` (height, width, channels) averaged down to `target` (height, width).

    Each result is the mean over its exact share of the area, cells at the edges counted by the
    part that lies inside, rounded half up. `target` must not exceed the size.
    """
    height, width = pixels.shape[:2]
    sums = _shares(_shares(pixels, target[0]).swapaxes(0, 1), target[1]).swapaxes(0, 1)
    area = height * width  # the shares of one result add up to it
    return np.asarray((2 * sums + area) // (2 * area))


def _shares(cells: IntArray, count: int) -> IntArray:
    """Sums over `count` equal stretches of axis 0, in units of 1/count of a cell."""
    length = len(cells)
    sums = np.empty((count, *cells.shape[1:]), np.int64)
    for index in range(count):
        start, stop = index * length, (index + 1) * length  # in 1/count of a cell
        first, last = start // count, (stop - 1) // count
        total = cells[first : last + 1].sum(axis=0, dtype=np.int64) * count
        total -= cells[first].astype(np.int64) * (start - first * count)
        total -= cells[last].astype(np.int64) * ((last + 1) * count - stop)
        sums[index] = total
    return sums
