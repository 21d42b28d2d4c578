"""Kernels of pooling: maximum of a window, sum of a map."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.ir import IntArray


def max_pool(site: Site) -> Kernel:
    """Maximum of each window, on bytes."""
    dtype = storage(site.result.type)
    if len(site.result.shape) != 3:
        return _max_pool_any(site)
    (height, width), (down, right) = site.integers("kernel"), site.integers("stride")
    channels, rows, columns = site.result.shape

    def run(x: IntArray) -> IntArray:
        y = np.empty((len(x), rows, columns, channels), dtype)
        _max_pool(x.astype(dtype, copy=False), height, width, down, right, y)
        return y

    return run


def _max_pool_any(site: Site) -> Kernel:
    """The same over one axis or three: the maximum of the window's shifted maps."""
    kernel, stride = site.integers("kernel"), site.integers("stride")
    sizes, dtype = site.result.shape[1:], storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        best: IntArray | None = None
        for start in np.ndindex(*kernel):
            part = x[
                (
                    slice(None),
                    *(
                        slice(first, first + step * (size - 1) + 1, step)
                        for first, step, size in zip(start, stride, sizes, strict=True)
                    ),
                )
            ]
            best = part.astype(dtype) if best is None else np.maximum(best, part, out=best)
        assert best is not None  # a window has a cell
        return best

    return run


def sum_pool(site: Site) -> Kernel:
    """Sum of each channel's map."""
    channels = site.result.shape[0]
    source = arithmetic(site.arguments[0].type)

    def run(x: IntArray) -> IntArray:
        y = np.zeros((len(x), channels), np.int32)
        _sum_pool(x.astype(source, copy=False).reshape(len(x), -1, channels), y)
        return y

    return run


def tgap(site: Site) -> Kernel:
    """Sum of each channel's map, or of each of its frames, against the channel's threshold."""
    theta, delay = site.constant(1).astype(np.int64), site.integer("delay")
    channels, frames = site.result.shape[0], (site.result.shape[1:] or (1,))[0]
    source = arithmetic(site.arguments[0].type)
    shape = (*site.result.shape[1:], channels)

    def run(x: IntArray) -> IntArray:
        total = np.zeros((len(x) * frames, channels), np.int32)
        _sum_pool(x.astype(source, copy=False).reshape(len(total), -1, channels), total)
        bits = (total > theta).astype(np.uint8).reshape(len(x), *shape)
        if delay:
            bits[:, delay:] = bits[:, :-delay].copy()
            bits[:, :delay] = 0
        return bits

    return run


@compiled
def _max_pool(x: IntArray, rows: int, columns: int, down: int, right: int, y: IntArray) -> None:
    """x (N, H, W, C), y (N, I, J, C)."""
    images, out_rows, out_columns, channels = y.shape
    for n in range(images):
        for i in range(out_rows):
            for j in range(out_columns):
                best = y[n, i, j]
                best[:] = x[n, i * down, j * right]
                for u in range(rows):
                    for v in range(columns):
                        tap = x[n, i * down + u, j * right + v]
                        for c in range(channels):
                            best[c] = max(best[c], tap[c])


@compiled
def _sum_pool(x: IntArray, y: IntArray) -> None:
    """x (N, pixels, C), y (N, C) zeros."""
    images, pixels, channels = x.shape
    for n in range(images):
        sums = y[n]
        for s in range(pixels):
            for c in range(channels):
                sums[c] += x[n, s, c]


KERNELS: dict[str, Prepare] = {"max_pool": max_pool, "sum_pool": sum_pool, "tgap": tgap}
