"""Kernels of pooling: maximum of a window, sum of a map."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.frames import Frame
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.engine._numba.packed import pixel_offsets
from codesign.engine._numba.totals import Totals
from codesign.ir import IntArray, IntType


def max_pool(site: Site) -> Kernel:
    """Maximum of each window, on bytes."""
    return windows_maximum(site, None)


def windows_maximum(site: Site, frame: Frame | None) -> Kernel:
    """Maximum of each window along any number of axes; into the `frame` that is read next."""
    dtype, kernel, stride = (
        storage(site.result.type), site.integers("kernel"), site.integers("stride"),
    )  # fmt: skip
    sizes, results = site.arguments[0].shape[1:], site.result.shape[1:]
    channels, none = site.result.shape[0], (0,) * len(sizes)
    starts = pixel_offsets(sizes, results, stride, none, channels)
    taps = pixel_offsets(sizes, kernel, (1,) * len(sizes), none, channels)
    plain = np.arange(len(starts), dtype=np.int64) * channels
    places = plain if frame is None else frame.places

    def run(x: IntArray) -> IntArray:
        source = np.ascontiguousarray(x.astype(dtype, copy=False)).reshape(len(x), -1)
        if frame is None:
            y = np.empty((len(x), *results, channels), dtype)
            flat = y.reshape(-1)
            _max_pool(source, starts, taps, flat, places, len(starts) * channels, channels, 0)
            return y
        y = frame.empty(len(x))
        _max_pool(source, starts, taps, y, places, frame.image, channels, frame.base)
        return y

    return run


def sum_pool(site: Site) -> Kernel:
    """Sum of each channel's map."""
    channels = site.result.shape[0]
    total = _sums(site.arguments[0].type)

    def run(x: IntArray) -> IntArray:
        return total(x.reshape(len(x), -1, channels))

    return run


def tgap(site: Site) -> Kernel:
    """Sum of each channel's map, or of each of its frames, against the channel's threshold."""
    return gate(site, 1)


def gate(site: Site, times: int) -> Kernel:
    """`tgap` of a map whose channels stand `times` times one after the other: it is given once."""
    theta, delay = site.constant(1).astype(np.int64), site.integer("delay")
    channels, frames = site.result.shape[0], (site.result.shape[1:] or (1,))[0]
    total = _sums(site.arguments[0].type)
    shape = (*site.result.shape[1:], channels)

    def run(x: IntArray) -> IntArray:
        sums = total(x.reshape(len(x) * frames, -1, channels // times))
        bits = (np.tile(sums, (1, times)) > theta).astype(np.uint8).reshape(len(x), *shape)
        if delay:
            bits[:, delay:] = bits[:, :-delay].copy()
            bits[:, :delay] = 0
        return bits

    return run


def _sums(codes: IntType) -> Kernel:
    """Maps (N, pixels, C) to their sums (N, C): bytes by vectors, wider codes one by one."""
    dtype = storage(codes)
    if dtype.itemsize == 1:
        totals = Totals(codes)
        return lambda x: totals.run(np.ascontiguousarray(x.astype(dtype, copy=False)))
    source = arithmetic(codes)

    def run(x: IntArray) -> IntArray:
        y = np.zeros((len(x), x.shape[-1]), np.int32)
        _sum_pool(x.astype(source, copy=False), y)
        return y

    return run


@compiled
def _max_pool(
    x: IntArray,
    starts: IntArray,
    taps: IntArray,
    y: IntArray,
    places: IntArray,
    step: int,
    channels: int,
    base: int,
) -> None:
    """x (N, elements), y flat; the window of `starts[p]` goes to `places[p]`, less `base`."""
    best = np.empty(channels, x.dtype)
    for n in range(len(x)):
        image = x[n]
        for p in range(len(starts)):
            first = image[starts[p] : starts[p] + channels]
            target = y[n * step + places[p] : n * step + places[p] + channels]
            if len(taps) == 4:  # the usual window, in one pass
                second = image[starts[p] + taps[1] : starts[p] + taps[1] + channels]
                third = image[starts[p] + taps[2] : starts[p] + taps[2] + channels]
                fourth = image[starts[p] + taps[3] : starts[p] + taps[3] + channels]
                for c in range(channels):
                    target[c] = max(max(first[c], second[c]), max(third[c], fourth[c])) - base
                continue
            best[:] = first
            for t in range(1, len(taps)):
                tap = image[starts[p] + taps[t] : starts[p] + taps[t] + channels]
                for c in range(channels):
                    best[c] = max(best[c], tap[c])
            for c in range(channels):
                target[c] = best[c] - base


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
