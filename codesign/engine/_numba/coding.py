"""Kernels of input coding."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.ir import IntArray
from codesign.ops.coding import YCBCR_MATRIX, YCBCR_OFFSETS

#: Codes of a component of which a table of their bits is made.
TABLE = 1 << 10


def thermometer(site: Site) -> Kernel:
    """Each component against its levels: the bits of each code stand in a table."""
    levels, counts = site.constant(1).astype(np.int64), site.integers("counts")
    codes, components = site.arguments[0].type, site.arguments[0].shape[0]
    each = counts if len(counts) == components else counts * components
    ends, low = np.cumsum(each), site.integer("low")
    source, target = arithmetic(codes), storage(site.result.type)
    few = codes.hi - codes.lo < TABLE
    known = np.arange(codes.lo, codes.hi + 1 if few else codes.lo)
    table = np.where(known[:, None] > levels, 1, low).astype(target)

    def run(x: IntArray) -> IntArray:
        y = np.empty((*x.shape[:-1], len(levels)), target)
        rows = x.astype(source, copy=False).reshape(-1, components)
        flat = y.reshape(-1, len(levels))
        if few:
            _look_up(rows, table, codes.lo, ends, flat)
        else:
            _thermometer(rows, levels, ends, low, flat)
        return y

    return run


@compiled
def _look_up(x: IntArray, table: IntArray, least: int, ends: IntArray, y: IntArray) -> None:
    """x (rows, components), table (codes, bits), ends (components), y (rows, bits)."""
    rows, components = x.shape
    for r in range(rows):
        line, start = y[r], 0
        for c in range(components):
            bits = table[x[r, c] - least, start : ends[c]]
            part = line[start : ends[c]]
            for o in range(len(part)):
                part[o] = bits[o]
            start = ends[c]


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
