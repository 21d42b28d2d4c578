"""Kernels of the cellular automaton: weights, the ring's steps, the bits it draws.

Weights are known when a kernel is prepared. A cell of a ring is a byte: a step is fourteen
bitwise operations, of which a vector register takes dozens of cells at a time.
"""

from __future__ import annotations

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site
from codesign.ir import IntArray
from codesign.ops.automaton import normal_form


def ca_weights(site: Site) -> Kernel:
    """The weights; the products that read them have laid them out before."""
    weights = site.result.data
    assert weights is not None  # a generated constant

    def run() -> IntArray:
        return weights

    return run


def ca_step(site: Site) -> Kernel:
    """`steps` steps of every image's ring."""
    form, steps = np.array(normal_form(site.integer("rule")), np.uint8), site.integer("steps")

    def run(x: IntArray) -> IntArray:
        ring = x.astype(np.uint8)
        _ca_step(ring, np.empty_like(ring), form, steps)
        return ring

    return run


def bernoulli_sample(site: Site) -> Kernel:
    """Each image's ring draws its bits one after the other."""
    form, steps = np.array(normal_form(site.integer("rule")), np.uint8), site.integer("steps")
    bits = site.integer("bits")

    def run(means: IntArray, state: IntArray) -> IntArray:
        y = np.empty(means.shape, np.uint8)
        ring = state.astype(np.uint8)
        wide = means.astype(np.int32, copy=False)
        _bernoulli_sample(wide, ring, np.empty_like(ring), form, steps, bits, y)
        return y

    return run


@compiled
def _ca_step(ring: IntArray, spare: IntArray, form: IntArray, steps: int) -> None:
    """ring and spare (N, cells), uint8 bits, form (8) `normal_form`; the last state is in ring."""
    for n in range(len(ring)):
        for _ in range(steps):
            _advance(ring[n], spare[n], form)


@compiled
def _bernoulli_sample(
    means: IntArray,
    ring: IntArray,
    spare: IntArray,
    form: IntArray,
    steps: int,
    bits: int,
    y: IntArray,
) -> None:
    """means and y (N, bits of the result), ring and spare (N, cells)."""
    images, count = means.shape
    for n in range(images):
        for i in range(count):
            for _ in range(steps):
                _advance(ring[n], spare[n], form)
            drawn = 0
            for j in range(bits):
                drawn += int(ring[n, j]) << j
            y[n, i] = drawn < means[n, i]


@compiled
def _advance(ring: IntArray, spare: IntArray, form: IntArray) -> None:
    """One step of a ring (cells) of three cells or more; spare (cells) is written over."""
    last = len(ring) - 1
    for i in range(last + 1):
        spare[i] = ring[i]
    n0, r0, c0, cr, l0, lr, lc, lcr = form
    for i in range(1, last):
        a, b, c = spare[i - 1], spare[i], spare[i + 1]
        without = n0 ^ (r0 & c) ^ (b & (c0 ^ (cr & c)))
        ring[i] = without ^ (a & (l0 ^ (lr & c) ^ (b & (lc ^ (lcr & c)))))
    for i in (0, last):  # the ring closes here
        a, b, c = spare[i - 1], spare[i], spare[0 if i == last else i + 1]
        without = n0 ^ (r0 & c) ^ (b & (c0 ^ (cr & c)))
        ring[i] = without ^ (a & (l0 ^ (lr & c) ^ (b & (lc ^ (lcr & c)))))


KERNELS: dict[str, Prepare] = {
    "ca_weights": ca_weights,
    "ca_step": ca_step,
    "bernoulli_sample": bernoulli_sample,
}
