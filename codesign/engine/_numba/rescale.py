"""Kernels to codes: all are `scale * clip((x + bias) >> shift, lo, hi) + offset`."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
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
    source, target = arithmetic(site.arguments[0].type), storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        y = np.empty(x.shape, target)
        rows = x.astype(source, copy=False).reshape(-1, channels)
        _rescale(rows, added, shift, *bounds, scale, offset, y.reshape(-1, channels))
        return y

    return run


@compiled
def _rescale(
    x: IntArray,
    bias: IntArray,
    shift: int,
    lo: int,
    hi: int,
    scale: int,
    offset: int,
    y: IntArray,
) -> None:
    """x and y (rows, channels); 64-bit arithmetic inside, so nothing can wrap."""
    rows, channels = x.shape
    for r in range(rows):
        for c in range(channels):
            y[r, c] = min(max((x[r, c] + bias[c]) >> shift, lo), hi) * scale + offset


def threshold(site: Site) -> Kernel:
    """Thresholds passed, counted; a flipped channel compares the negated numbers."""
    side = 1 - 2 * site.constant(2).astype(np.int64)
    levels = np.ascontiguousarray((site.constant(1).astype(np.int64) * side[:, None]).T)
    target, source = storage(site.result.type), arithmetic(site.arguments[0].type)
    channels = len(side)

    def run(x: IntArray) -> IntArray:
        y = np.empty(x.shape, target)
        rows = x.astype(source, copy=False).reshape(-1, channels)
        _threshold(rows, levels, side, y.reshape(-1, channels))
        return y

    return run


@compiled
def _threshold(x: IntArray, levels: IntArray, side: IntArray, y: IntArray) -> None:
    """x and y (rows, channels), levels (count, channels); 64-bit comparisons."""
    rows, channels = x.shape
    for r in range(rows):
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
