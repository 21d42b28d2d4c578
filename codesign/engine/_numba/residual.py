"""Kernels that merge two maps: NumPy in the narrow types that the maps travel in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codesign.engine._numba.layout import Kernel, Prepare, Site, storage
from codesign.ir import IntArray


def _pairwise(function: Callable[[IntArray, IntArray], IntArray]) -> Prepare:
    def prepare(site: Site) -> Kernel:
        dtype = storage(site.result.type)

        def run(a: IntArray, b: IntArray) -> IntArray:
            return function(a, b).astype(dtype, copy=False)

        return run

    return prepare


def shift_add(site: Site) -> Kernel:
    """`(a + b) >> 1` in 32 bits, or 64 where the sum could wrap."""
    a, b = (argument.type for argument in site.arguments)
    wide = max(a.signed_width, b.signed_width) > 31
    source = np.dtype(np.int64 if wide else np.int32)
    dtype = storage(site.result.type)

    def run(a: IntArray, b: IntArray) -> IntArray:
        total: IntArray = a.astype(source) + b
        return (total >> 1).astype(dtype)

    return run


def mux(site: Site) -> Kernel:
    """A choice a channel: the select's axes stand before and behind those of the pixels."""
    dtype = storage(site.result.type)
    pixels = len(site.result.shape) - len(site.arguments[2].shape)

    def run(a: IntArray, b: IntArray, select: IntArray) -> IntArray:
        each = select.reshape(*select.shape[:-1], *[1] * pixels, select.shape[-1])
        return np.where(each == 1, a, b).astype(dtype, copy=False)

    return run


KERNELS: dict[str, Prepare] = {
    "bit_or": _pairwise(np.maximum),
    "bit_and": _pairwise(np.minimum),
    "maximum": _pairwise(np.maximum),
    "shift_add": shift_add,
    "mux": mux,
}
