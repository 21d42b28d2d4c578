"""Kernels of what is generated: the weights are known when a kernel is prepared."""

from __future__ import annotations

from codesign.engine._numba.layout import Kernel, Prepare, Site, by_definition
from codesign.ir import IntArray


def ca_weights(site: Site) -> Kernel:
    """The weights; the products that read them have laid them out before."""
    weights = site.result.data
    assert weights is not None  # a generated constant

    def run() -> IntArray:
        return weights

    return run


KERNELS: dict[str, Prepare] = {"ca_weights": ca_weights, "ca_step": by_definition}
