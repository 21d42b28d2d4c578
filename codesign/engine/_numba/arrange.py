"""Rearrangements: copies that NumPy does well."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codesign.engine._numba.layout import (
    Kernel,
    Prepare,
    Site,
    channels_first,
    channels_last,
    storage,
)
from codesign.ir import IntArray


def channel_shuffle(site: Site) -> Kernel:
    """Interleaves the channels of the groups, in the last axis."""
    groups = site.integer("groups")

    def run(x: IntArray) -> IntArray:
        parts = x.reshape(-1, groups, x.shape[-1] // groups)
        return np.swapaxes(parts, 1, 2).reshape(x.shape)

    return run


def reshape(site: Site) -> Kernel:
    """Another shape of the elements in the program's order, channels first."""
    shape = site.result.shape

    def run(x: IntArray) -> IntArray:
        return channels_last(channels_first(x).reshape(len(x), *shape))

    return run


def _moved(site: Site, move: Callable[..., IntArray]) -> Kernel:
    """`move` of the maps with their channels first, in the result's type."""
    dtype = storage(site.result.type)

    def run(*maps: IntArray) -> IntArray:
        moved = move(*(channels_first(array.astype(dtype, copy=False)) for array in maps))
        return channels_last(moved)

    return run


def transpose(site: Site) -> Kernel:
    """The axes in another order."""
    order = (0, *(axis + 1 for axis in site.integers("axes")))
    return _moved(site, lambda x: np.transpose(x, order))


def concat(site: Site) -> Kernel:
    """Two maps one after the other."""
    axis = site.integer("axis") + 1
    return _moved(site, lambda a, b: np.concatenate([a, b], axis=axis))


def slice_(site: Site) -> Kernel:
    """Part of an axis."""
    part = slice(site.integer("start"), site.integer("stop"), site.integer("step"))
    place = (*[slice(None)] * (site.integer("axis") + 1), part)
    return _moved(site, lambda x: x[place])


def repeat(site: Site) -> Kernel:
    """Copies of a map, one after the other."""
    axis, times = site.integer("axis") + 1, site.integer("times")
    return _moved(site, lambda x: np.concatenate([x] * times, axis=axis))


def pad(site: Site) -> Kernel:
    """A border of one code."""
    border = [(0, 0), *zip(site.integers("before"), site.integers("after"), strict=True)]
    code = site.integer("code") if any(map(any, border)) else 0
    return _moved(site, lambda x: np.pad(x, border, constant_values=code))


def fill(site: Site) -> Kernel:
    """One code everywhere."""
    shape, code, dtype = site.integers("shape"), site.integer("code"), storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        return channels_last(np.full((len(x), *shape), code, dtype))

    return run


KERNELS: dict[str, Prepare] = {
    "channel_shuffle": channel_shuffle,
    "reshape": reshape,
    "transpose": transpose,
    "concat": concat,
    "slice": slice_,
    "repeat": repeat,
    "pad": pad,
    "fill": fill,
}
