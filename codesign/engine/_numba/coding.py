"""Kernels of input coding."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.layout import Kernel, Prepare, Site, by_definition, storage
from codesign.ir import IntArray


def thermometer(site: Site) -> Kernel:
    """Each bit's component against its level."""
    levels, counts = site.constant(1).astype(np.int64), site.integers("counts")
    components, low = site.arguments[0].shape[0], site.integer("low")
    each = counts if len(counts) == components else counts * components
    places, dtype = np.repeat(np.arange(components), each), storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        return np.where(x[..., places] > levels, 1, low).astype(dtype)

    return run


KERNELS: dict[str, Prepare] = {"thermometer": thermometer, "ycbcr": by_definition}
