"""Kernels of decisions."""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.layout import Kernel, Prepare, Site, by_definition
from codesign.ir import IntArray


def argmax(site: Site) -> Kernel:
    """Index of the greatest score, the first of equals."""

    def run(x: IntArray) -> IntArray:
        return np.asarray(np.argmax(x, axis=1))

    return run


KERNELS: dict[str, Prepare] = {
    "argmax": argmax,
    "bmm_score": by_definition,
    "bernoulli_sample": by_definition,
}
