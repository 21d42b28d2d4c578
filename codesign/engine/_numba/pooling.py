"""Kernels of pooling: maximum of a window, sum of a map."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.ir import IntArray


def max_pool(site: Site) -> Kernel:
    """Maximum of each window, on bytes."""
    (height, width), (down, right) = site.integers("kernel"), site.integers("stride")
    channels, rows, columns = site.result.shape
    dtype = storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        y = np.empty((len(x), rows, columns, channels), dtype)
        _max_pool(x.astype(dtype, copy=False), height, width, down, right, y)
        return y

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


KERNELS: dict[str, Prepare] = {"max_pool": max_pool, "sum_pool": sum_pool}
