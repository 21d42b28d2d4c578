"""Kernels of input coding."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.ir import IntArray
from codesign.ops.coding import YCBCR_MATRIX, YCBCR_OFFSETS


def thermometer(site: Site) -> Kernel:
    """Each component against its levels."""
    levels, counts = site.constant(1).astype(np.int64), site.integers("counts")
    components, low = site.arguments[0].shape[0], site.integer("low")
    each = counts if len(counts) == components else counts * components
    ends = np.cumsum(each)
    source, target = arithmetic(site.arguments[0].type), storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        y = np.empty((*x.shape[:-1], len(levels)), target)
        rows = x.astype(source, copy=False).reshape(-1, components)
        _thermometer(rows, levels, ends, low, y.reshape(-1, len(levels)))
        return y

    return run


@compiled
def _thermometer(x: IntArray, levels: IntArray, ends: IntArray, low: int, y: IntArray) -> None:
    """x (rows, components), levels (bits), ends (components), y (rows, bits); 64-bit levels."""
    rows, components = x.shape
    for r in range(rows):
        start = 0
        for c in range(components):
            value = np.int64(x[r, c])
            for o in range(start, ends[c]):
                y[r, o] = 1 if value > levels[o] else low
            start = ends[c]


def ycbcr(site: Site) -> Kernel:
    """The matrix of each pixel, whose three colours are neighbours here."""
    matrix = np.array(YCBCR_MATRIX, np.int32)
    offsets = np.array(YCBCR_OFFSETS, np.int32)
    target = storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        y = np.empty(x.shape, target)
        _ycbcr(x.reshape(-1, 3), matrix, offsets, y.reshape(-1, 3))
        return y

    return run


@compiled
def _ycbcr(x: IntArray, matrix: IntArray, offsets: IntArray, y: IntArray) -> None:
    """x and y (pixels, 3); a sum is below 2^17, whatever the width of the arithmetic."""
    for p in range(len(x)):
        red, green, blue = x[p, 0], x[p, 1], x[p, 2]
        for c in range(3):
            total = matrix[c, 0] * red + matrix[c, 1] * green + matrix[c, 2] * blue + 128
            y[p, c] = min(max((total >> 8) + offsets[c], 0), 255)


KERNELS: dict[str, Prepare] = {"thermometer": thermometer, "ycbcr": ycbcr}
