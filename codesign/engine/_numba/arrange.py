"""Rearrangements: copies that NumPy does well."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.layout import Kernel, Prepare, Site, channels_first, channels_last
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


KERNELS: dict[str, Prepare] = {"channel_shuffle": channel_shuffle, "reshape": reshape}
