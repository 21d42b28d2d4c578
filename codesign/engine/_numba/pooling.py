"""Kernels of pooling: maximum of a window, sum of a map."""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba.frames import Frame, Place, Plain
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, storage
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.tasks import PART_BYTES, Task, address, entry, numbers_at
from codesign.engine._numba.totals import Gate, Totals
from codesign.engine._numba.windows import pixel_offsets
from codesign.ir import IntArray


def max_pool(site: Site) -> Kernel:
    """Maximum of each window, on bytes."""
    return windows_maximum(site, None)


def windows_maximum(site: Site, frame: Frame | None) -> Kernel:
    """Maximum of each window along any number of axes; into the `frame` that is read next."""
    source, result = site.arguments[0].shape, site.result.shape
    dtype, none = storage(site.result.type), (0,) * (len(source) - 1)
    kernel, stride = site.integers("kernel"), site.integers("stride")
    return WindowsMaximum(
        Plain.of(source, dtype),
        Plain.of(result, dtype) if frame is None else frame,
        pixel_offsets(source[1:], result[1:], stride, none, result[0]),
        pixel_offsets(source[1:], kernel, (1,) * len(kernel), none, result[0]),
    )


class WindowsMaximum(Native):
    """Maximum of each window of a plain map, into a plain map or a frame."""

    def __init__(self, source: Plain, target: Place, starts: IntArray, taps: IntArray) -> None:
        super().__init__((Read(source),), target)
        self.starts, self.taps, self.dtype = starts, taps, source.dtype
        self.channels, self.size = source.shape[-1], source.image
        self.base = target.base if isinstance(target, Frame) else 0

    def task(self, sources: Buffers, target: IntArray) -> Task:
        """See `Native.task`; the parts are ranges of pixels of all images."""
        (source,) = sources
        arrays = source, target, self.starts, self.taps, self.target.places
        numbers = (
            len(self.starts), len(self.taps), self.size,
            self.target.image, self.channels, self.base,
        )  # fmt: skip
        record = np.array([0, *map(address, arrays), *numbers], np.int64)
        function = _max_pool_entry(source.dtype.name, target.dtype.name)
        size = len(self.starts) * len(self.taps) * self.channels * source.itemsize
        return Task(function, record, size / PART_BYTES, arrays)

    def compute(self, sources: Buffers, target: IntArray, images: int) -> None:
        """See `Native.compute`."""
        (source,) = sources
        _max_pool(
            source, self.size, self.starts, self.taps, target, self.target.places,
            self.target.image, self.channels, self.base, 0, images * len(self.starts),
        )  # fmt: skip


class Sums(Native):
    """Sums of a map over its pixels, or what a gate makes of them."""

    def __init__(self, site: Site, channels: int, gate: Gate | None = None) -> None:
        value, result = site.arguments[0], site.result
        frames = gate.frames if gate else 1
        shape = (channels, *value.shape[1:])
        read = Read(Plain.of(shape, storage(value.type)), free=True)
        super().__init__((read,), Plain.of(result.shape, storage(result.type)))
        pixels = read.place.image // frames // channels
        self.totals = Totals(value.type, pixels, channels, gate)

    def task(self, sources: Buffers, target: IntArray) -> Task:
        """See `Native.task`."""
        (source,) = sources
        return self.totals.task(source, target)


def sum_pool(site: Site) -> Kernel:
    """Sum of each channel's map."""
    return Sums(site, site.result.shape[0])


def tgap(site: Site) -> Kernel:
    """Sum of each channel's map, or of each of its frames, against the channel's threshold."""
    return gate(site, 1)


def gate(site: Site, times: int) -> Kernel:
    """`tgap` of a map whose channels stand `times` times one after the other: it is given once."""
    theta, delay = site.constant(1).astype(np.int64), site.integer("delay")
    channels, frames = site.result.shape[0], (site.result.shape[1:] or (1,))[0]
    return Sums(site, channels // times, Gate(theta, times, frames, delay))


@cache
def _max_pool_entry(source: str, target: str) -> int:
    """Address of `_max_pool` on the record that `WindowsMaximum.task` makes."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def max_pool(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 12, np.int64)
        images, pixels = n[0], n[6]
        windows = images * pixels
        _max_pool(
            numbers_at(n[1], images * n[8], from_type),
            n[8],
            numbers_at(n[3], pixels, np.int64),
            numbers_at(n[4], n[7], np.int64),
            numbers_at(n[2], images * n[9], to_type),
            numbers_at(n[5], pixels, np.int64),
            n[9], n[10], n[11], windows * part // parts, windows * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(max_pool)


@compiled
def _max_pool(
    x: IntArray,
    size: int,
    starts: IntArray,
    taps: IntArray,
    y: IntArray,
    places: IntArray,
    step: int,
    channels: int,
    base: int,
    begin: int,
    end: int,
) -> None:
    """x and y flat, images `size` and `step` apart; window `starts[p]` to `places[p]`, less `base`.

    Of the windows of all images, those from `begin` to `end`.
    """
    best = np.empty(channels, x.dtype)
    for index in range(begin, end):
        n, p = index // len(starts), index % len(starts)
        start, place = n * size + starts[p], n * step + places[p]
        first = x[start : start + channels]
        target = y[place : place + channels]
        if len(taps) == 4:  # the usual window, in one pass
            second = x[start + taps[1] : start + taps[1] + channels]
            third = x[start + taps[2] : start + taps[2] + channels]
            fourth = x[start + taps[3] : start + taps[3] + channels]
            for c in range(channels):
                target[c] = max(max(first[c], second[c]), max(third[c], fourth[c])) - base
            continue
        for c in range(channels):  # a slice's assignment takes two seconds to compile
            best[c] = first[c]
        for t in range(1, len(taps)):
            tap = x[start + taps[t] : start + taps[t] + channels]
            for c in range(channels):
                best[c] = max(best[c], tap[c])
        for c in range(channels):
            target[c] = best[c] - base


KERNELS: dict[str, Prepare] = {"max_pool": max_pool, "sum_pool": sum_pool, "tgap": tgap}
