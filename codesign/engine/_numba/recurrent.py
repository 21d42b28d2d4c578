"""Kernels of recurrent layers: every image at once, step by step.

The sums of the features are one product over all steps and images; each step then adds the
product of the hidden codes of all images. Sums wrap on the way in the width that the proof of the
gates asks for: only what a gate compares has to fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site, arithmetic, storage
from codesign.engine._numba.linear import product
from codesign.ir import IntArray
from codesign.ops.recurrent import gate_interval, hidden_codes


def lstm(site: Site) -> Kernel:
    """One-bit gates and a saturating counter for a cell, packed `2*c + o`."""
    ternary, top = site.integer("ternary"), (1 << (site.integer("bits") - 1)) - 1
    sums, back = _products(site, ternary)
    closed, dtype = 0 if ternary else -1, storage(site.result.type)

    def run(x: IntArray, state: IntArray) -> IntArray:
        fed = sums(x)
        y = np.empty((len(fed), *state.shape), dtype)
        current = state.astype(dtype)
        hidden = np.empty(state.shape, fed.dtype)
        for t in range(len(fed)):
            _lstm_hidden(current, closed, hidden)
            _lstm_step(fed[t], back(hidden), current, top)
            y[t] = current
        return _images_first(y)

    return run


def gru(site: Site) -> Kernel:
    """One-bit gates and a hidden code of one bit."""
    sums, back = _products(site, ternary=0)
    dtype = storage(site.result.type)

    def run(x: IntArray, state: IntArray) -> IntArray:
        fed = sums(x)
        y = np.empty((len(fed), *state.shape), dtype)
        hidden = state.astype(fed.dtype)
        for t in range(len(fed)):
            _gru_step(fed[t], back(hidden), hidden)
            y[t] = hidden
        return _images_first(y)

    return run


def lstm_hidden(site: Site) -> Kernel:
    """The hidden code of each packed state."""
    closed = 0 if site.integer("ternary") else -1
    dtype = storage(site.result.type)

    def run(x: IntArray) -> IntArray:
        y = np.empty(x.shape, dtype)
        _lstm_hidden(x.reshape(len(x), -1), closed, y.reshape(len(x), -1))
        return y

    return run


def _products(
    site: Site, ternary: int
) -> tuple[Callable[[IntArray], IntArray], Callable[[IntArray], IntArray]]:
    """The gates' sums of features (N, F, T) as (T, N, gates * H), and those of hidden codes."""
    weight, recurrent, bias = (site.constant(position) for position in (2, 3, 4))
    gates = gate_interval(site.arguments[0].type, hidden_codes(ternary), *site.arguments[2:])
    dtype = arithmetic(gates)
    added = bias.astype(dtype)  # may wrap, as sums do
    feed, back = product(weight, dtype), product(recurrent, dtype)

    def sums(x: IntArray) -> IntArray:
        images, features, steps = x.shape
        rows = np.ascontiguousarray(x.transpose(2, 0, 1)).reshape(steps * images, features)
        fed = feed(rows)
        fed += added
        return fed.reshape(steps, images, -1)

    return sums, back


def _images_first(y: IntArray) -> IntArray:
    """(T, N, H) to (N, H, T), contiguous: the steps of a sequence are its channels."""
    return np.ascontiguousarray(y.transpose(1, 2, 0))


@compiled
def _lstm_step(fed: IntArray, back: IntArray, state: IntArray, top: int) -> None:
    """fed and back (N, 4H), the gates i, f, g, o; state (N, H) becomes the next one."""
    images, units = state.shape
    back += fed  # in its own width: a sum that would wrap has been refused
    for n in range(images):
        i, f, g, o = (
            back[n, :units],
            back[n, units : 2 * units],
            back[n, 2 * units : 3 * units],
            back[n, 3 * units :],
        )
        for u in range(units):
            kept = (state[n, u] >> 1) * (f[u] > 0)
            change = (i[u] > 0) * (2 * (g[u] >= 0) - 1)
            state[n, u] = 2 * min(max(kept + change, -top), top) + (o[u] > 0)


@compiled
def _lstm_hidden(state: IntArray, closed: int, hidden: IntArray) -> None:
    """state and hidden (N, H)."""
    images, units = state.shape
    for n in range(images):
        for u in range(units):
            sign = 1 if state[n, u] >= 0 else -1
            hidden[n, u] = sign if state[n, u] & 1 else closed


@compiled
def _gru_step(fed: IntArray, back: IntArray, hidden: IntArray) -> None:
    """fed and back (N, 3H), the rows r, z, n; hidden (N, H) becomes the next one.

    The products of n alone may wrap; what is compared is added in their width.
    """
    images, units = hidden.shape
    for n in range(images):
        back[n, : 2 * units] += fed[n, : 2 * units]
        for u in range(units):
            if back[n, u] <= 0:
                back[n, 2 * units + u] = 0
        back[n, 2 * units :] += fed[n, 2 * units :]
        for u in range(units):
            if back[n, units + u] <= 0:
                hidden[n, u] = 1 if back[n, 2 * units + u] >= 0 else -1


KERNELS: dict[str, Prepare] = {"lstm": lstm, "lstm_hidden": lstm_hidden, "gru": gru}
