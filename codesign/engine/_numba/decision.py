"""Kernels of decisions."""

from __future__ import annotations

from functools import cache

import numpy as np

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Prepare, Site
from codesign.engine._numba.linear import product
from codesign.engine._numba.rows import Rows, rows_at
from codesign.engine._numba.tasks import entry
from codesign.ir import IntArray


def argmax(site: Site) -> Kernel:
    """Index of the greatest score, the first of equals."""
    nothing: IntArray = np.zeros((1, 1), np.int64)
    return Rows(site, _argmax, _argmax_entry, (site.arguments[0].shape[0], 1), nothing, ())


@cache
def _argmax_entry(source: str, target: str) -> int:
    """Address of `_argmax` for scores and indices of these types."""
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def argmax(record: int, part: int, parts: int) -> int:
        x, y, table, n, begin, end = rows_at(record, part, parts, from_type, to_type, np.int64)
        _argmax(x, y, table, n, begin, end)
        return 1

    return entry(argmax)


@compiled
def _argmax(
    x: IntArray, y: IntArray, table: IntArray, numbers: IntArray, begin: int, end: int
) -> None:
    """x (images, classes), y (images, 1)."""
    for r in range(begin, end):
        best = 0
        for c in range(1, x.shape[1]):
            if x[r, c] > x[r, best]:
                best = c
        y[r, 0] = best


def bmm_score(site: Site) -> Kernel:
    """One product of the bits with what a set bit adds to each component.

    In 32 bits, which the proof allows a component's whole score; parts of it may wrap.
    """
    means, prior, logs = (site.constant(position).astype(np.int64) for position in (1, 2, 3))
    classes, components, bits = means.shape
    plus = (logs[1] - logs[0])[means].reshape(-1, bits).astype(np.int32)
    start = (prior + logs[0][means].sum(axis=2)).reshape(-1).astype(np.int32)
    scores = product(plus, np.dtype(np.int32))

    def run(x: IntArray) -> IntArray:
        y = np.empty((len(x), classes), np.int32)
        _best(scores(x), start, components, y)
        return y

    return run


@compiled
def _best(scores: IntArray, start: IntArray, components: int, y: IntArray) -> None:
    """scores (N, classes * components) and start beside them, y (N, classes)."""
    images, classes = y.shape
    for n in range(images):
        own = scores[n]
        own += start
        for c in range(classes):
            best = own[c * components]
            for k in range(1, components):
                best = max(best, own[c * components + k])
            y[n, c] = best


KERNELS: dict[str, Prepare] = {"argmax": argmax, "bmm_score": bmm_score}
