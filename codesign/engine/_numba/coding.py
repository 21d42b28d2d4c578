"""Kernels of input coding."""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, storage
from codesign.engine._numba.rows import Rows, rows_at
from codesign.engine._numba.tasks import entry
from codesign.ir import IntArray
from codesign.ops.coding import YCBCR_MATRIX, YCBCR_OFFSETS

#: Codes of a component of which a table of their bits is made.
TABLE = 1 << 10


def thermometer(site: Site) -> Kernel:
    """Each component against its levels: the bits of each code stand in a table."""
    levels, counts = site.constant(1).astype(np.int64), site.integers("counts")
    codes, components = site.arguments[0].type, site.arguments[0].shape[0]
    each = counts if len(counts) == components else counts * components
    ends, low = np.cumsum(each).tolist(), site.integer("low")
    columns = components, len(levels)
    if codes.hi - codes.lo >= TABLE:
        return Rows(site, _thermometer, _levels_entry, columns, levels[None], (low, *ends))
    known = np.arange(codes.lo, codes.hi + 1)
    table = np.where(known[:, None] > levels, 1, low).astype(storage(site.result.type))
    return Rows(site, _look_up, _table_entry, columns, table, (codes.lo, *ends))


@cache
def _table_entry(source: str, target: str) -> int:
    """Address of `_look_up` for codes and bits of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def look_up(record: int, part: int, parts: int) -> int:
        x, y, table, n, begin, end = rows_at(record, part, parts, from_type, to_type, to_type)
        _look_up(x, y, table, n, begin, end)
        return 1

    return entry(look_up)


@compiled
def _look_up(
    x: IntArray, y: IntArray, table: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x (rows, components), y (rows, bits), table (codes, bits); numbers: least code, ends."""
    least, ends = numbers[0], numbers[1:]
    for r in range(begin, end):
        line, start = y[r], 0
        for c in range(x.shape[1]):
            bits = table[x[r, c] - least, start : ends[c]]
            part = line[start : ends[c]]
            for o in range(len(part)):
                part[o] = bits[o]
            start = ends[c]


@cache
def _levels_entry(source: str, target: str) -> int:
    """Address of `_thermometer` for codes and bits of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def thermometer(record: int, part: int, parts: int) -> int:
        x, y, table, n, begin, end = rows_at(record, part, parts, from_type, to_type, np.int64)
        _thermometer(x, y, table, n, begin, end)
        return 1

    return entry(thermometer)


@compiled
def _thermometer(
    x: IntArray, y: IntArray, table: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x (rows, components), y (rows, bits), table (1, bits) of levels; numbers: low code, ends."""
    levels, low, ends = table[0], numbers[0], numbers[1:]
    for r in range(begin, end):
        start = 0
        for c in range(x.shape[1]):
            value = np.int64(x[r, c])
            for o in range(start, ends[c]):
                y[r, o] = 1 if value > levels[o] else low
            start = ends[c]


def ycbcr(site: Site) -> Kernel:
    """The matrix of each pixel, whose three colours are neighbours here."""
    matrix = np.array(YCBCR_MATRIX, np.int64)
    table = np.concatenate([matrix, np.array([YCBCR_OFFSETS], np.int64)])
    return Rows(site, _ycbcr, _ycbcr_entry, (3, 3), table, ())


@cache
def _ycbcr_entry(source: str, target: str) -> int:
    """Address of `_ycbcr` for colours of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def ycbcr(record: int, part: int, parts: int) -> int:
        x, y, table, n, begin, end = rows_at(record, part, parts, from_type, to_type, np.int64)
        _ycbcr(x, y, table, n, begin, end)
        return 1

    return entry(ycbcr)


@compiled
def _ycbcr(
    x: IntArray, y: IntArray, table: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x and y (pixels, 3), table (4, 3): the matrix, then what is added to each component."""
    matrix, offsets = table[:3], table[3]
    for p in range(begin, end):
        red, green, blue = x[p, 0], x[p, 1], x[p, 2]
        for c in range(3):
            total = matrix[c, 0] * red + matrix[c, 1] * green + matrix[c, 2] * blue + 128
            y[p, c] = min(max((total >> 8) + offsets[c], 0), 255)


KERNELS: dict[str, Prepare] = {"thermometer": thermometer, "ycbcr": ycbcr}
