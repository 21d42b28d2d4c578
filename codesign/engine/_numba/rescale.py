"""Kernels to codes: all are `scale * clip((x + bias) >> shift, lo, hi) + offset`."""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site
from codesign.engine._numba.rows import Rows, rows_at
from codesign.engine._numba.tasks import entry
from codesign.ir import IntArray

_ALL = (-(1 << 31), (1 << 31) - 1)


def bit_shift_norm(site: Site) -> Kernel:
    """`(x + bias) >> shift`."""
    return _kernel(site, bias=site.constant(1), shift=site.integer("shift"))


def hwmsb(site: Site) -> Kernel:
    """`clip(x >> shift, 0, 2^bits - 1)`."""
    top = (1 << site.integer("bits")) - 1
    return _kernel(site, shift=site.integer("shift"), bounds=(0, top))


def heaviside(site: Site) -> Kernel:
    """`1 if x > 0 else 0`, which is `clip(x, 0, 1)`."""
    return _kernel(site, bounds=(0, 1))


def sign(site: Site) -> Kernel:
    """`1 if x >= 0 else -1`, which is `2 * clip(x, -1, 0) + 1`."""
    return _kernel(site, bounds=(-1, 0), scale=2, offset=1)


def clip(site: Site) -> Kernel:
    """`min(max(x, lo), hi)`."""
    return _kernel(site, bounds=(site.integer("lo"), site.integer("hi")))


def _kernel(
    site: Site,
    *,
    bias: IntArray | None = None,
    shift: int = 0,
    bounds: tuple[int, int] = _ALL,
    scale: int = 1,
    offset: int = 0,
) -> Kernel:
    channels = (site.result.shape or (1,))[0]
    added = np.zeros(channels, np.int64) if bias is None else bias.astype(np.int64)
    numbers = (shift, *bounds, scale, offset)
    return Rows(site, _rescale, _rescale_entry, (channels, channels), added[None], numbers)


@cache
def _rescale_entry(source: str, target: str) -> int:
    """Address of `_rescale` for maps of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def rescale(record: int, part: int, parts: int) -> int:
        x, y, bias, n, begin, end = rows_at(record, part, parts, from_type, to_type, np.int64)
        _rescale(x, y, bias, n, begin, end)
        return 1

    return entry(rescale)


@compiled
def _rescale(
    x: IntArray, y: IntArray, biases: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x and y (rows, channels); 64-bit arithmetic inside, so nothing can wrap."""
    channels, bias = x.shape[1], biases[0]
    shift, lo, hi, scale, offset = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    for r in range(begin, end):
        for c in range(channels):
            y[r, c] = min(max((x[r, c] + bias[c]) >> shift, lo), hi) * scale + offset


def threshold(site: Site) -> Kernel:
    """Thresholds passed, counted; a flipped channel compares the negated numbers."""
    side = 1 - 2 * site.constant(2).astype(np.int64)
    levels = (site.constant(1).astype(np.int64) * side[:, None]).T
    table = np.concatenate([side[None], levels])
    return Rows(site, _threshold, _threshold_entry, (len(side), len(side)), table, ())


@cache
def _threshold_entry(source: str, target: str) -> int:
    """Address of `_threshold` for maps of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def threshold(record: int, part: int, parts: int) -> int:
        x, y, table, n, begin, end = rows_at(record, part, parts, from_type, to_type, np.int64)
        _threshold(x, y, table, n, begin, end)
        return 1

    return entry(threshold)


@compiled
def _threshold(
    x: IntArray, y: IntArray, table: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x and y (rows, channels), table (1 + count, channels): sides, levels; 64-bit comparisons."""
    channels, side, levels = x.shape[1], table[0], table[1:]
    for r in range(begin, end):
        for c in range(channels):
            value, passed = x[r, c] * side[c], 0
            for j in range(len(levels)):
                passed += value >= levels[j, c]
            y[r, c] = passed


KERNELS: dict[str, Prepare] = {
    "bit_shift_norm": bit_shift_norm,
    "hwmsb": hwmsb,
    "heaviside": heaviside,
    "sign": sign,
    "threshold": threshold,
    "clip": clip,
}
