"""Compiled passes over feature maps: statistics, codes, gradients, pooling, shuffle.

A map is seen as rows = pixels and columns = channels (channels-last memory). bfloat16 arrives
as uint16: its bits are the upper half of a float32, so widening is a shift. Sums are taken over a
fixed number of row blocks, so that a result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.extending import overload

#: Row blocks of a sum; fixed, because float sums depend on it.
BLOCKS = 32


def _widen(value: Any) -> Any:
    """A map's element as float32."""
    raise NotImplementedError


@overload(_widen, inline="always")
def _widen_overload(value: Any) -> Any:
    def from_bits(value: Any) -> Any:
        return np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)

    def as_it_is(value: Any) -> Any:
        return value

    return from_bits if value == numba.types.uint16 else as_it_is


def _narrow(value: Any, like: Any) -> Any:
    """A float32 as an element of the array `like`; to nearest even for bfloat16."""
    raise NotImplementedError


@overload(_narrow, inline="always")
def _narrow_overload(value: Any, like: Any) -> Any:
    def to_bits(value: Any, like: Any) -> Any:
        bits = np.float32(value).view(np.uint32)
        odd = (bits >> np.uint32(16)) & np.uint32(1)
        return np.uint16((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))

    def as_it_is(value: Any, like: Any) -> Any:
        return np.float32(value)

    return to_bits if like.dtype == numba.types.uint16 else as_it_is


_compile = numba.njit(parallel=True, cache=True, error_model="numpy")


@_compile
def sums(x: Any, total: Any, square: Any) -> None:
    """Per block and channel, the sum of `x` and of its square: (P, C) -> 2 x (BLOCKS, C)."""
    rows, channels = x.shape
    blocks = total.shape[0]
    for block in numba.prange(blocks):
        first = np.zeros(channels, np.float32)
        second = np.zeros(channels, np.float32)
        for row in range(rows * block // blocks, rows * (block + 1) // blocks):
            for c in range(channels):
                value = _widen(x[row, c])
                first[c] += value
                second[c] += value * value
        total[block] = first
        square[block] = second


@_compile
def quantize(x: Any, bias: Any, scale: Any, top: Any, spacing: Any, offset: Any, out: Any) -> None:
    """`out = clip(floor((x + bias[c]) * scale), 0, top) * spacing + offset`, (P, C)."""
    rows, channels = x.shape
    blocks = BLOCKS
    for block in numba.prange(blocks):
        for row in range(rows * block // blocks, rows * (block + 1) // blocks):
            for c in range(channels):
                level = np.floor((_widen(x[row, c]) + bias[c]) * scale)
                level = min(max(level, np.float32(0)), top)
                out[row, c] = _narrow(level * spacing + offset, out)


@_compile
def count(x: Any, thresholds: Any, side: Any, out: Any) -> None:
    """`out = #{j : x * side[c] >= thresholds[c,j]}`, (P, C); a side is +1 or -1."""
    rows, channels = x.shape
    blocks = BLOCKS
    for block in numba.prange(blocks):
        for row in range(rows * block // blocks, rows * (block + 1) // blocks):
            for c in range(channels):
                value = _widen(x[row, c]) * side[c]
                level = np.float32(0)
                for j in range(thresholds.shape[1]):
                    if value >= thresholds[c, j]:
                        level += np.float32(1)
                out[row, c] = _narrow(level, out)


@_compile
def gate_sums(x: Any, bias: Any, low: Any, high: Any, grad: Any, total: Any) -> None:
    """Per block and channel, the sum of `grad` where `low <= x + bias[c] < high`."""
    rows, channels = x.shape
    blocks = total.shape[0]
    for block in numba.prange(blocks):
        first = np.zeros(channels, np.float32)
        for row in range(rows * block // blocks, rows * (block + 1) // blocks):
            for c in range(channels):
                value = _widen(x[row, c]) + bias[c]
                inside = (value >= low) & (value < high)
                first[c] += _widen(grad[row, c]) if inside else np.float32(0)
        total[block] = first


@_compile
def gate(
    x: Any, bias: Any, low: Any, high: Any, grad: Any, mean: Any, scale: Any, out: Any
) -> None:
    """`out = scale * ((grad where low <= x + bias[c] < high, else 0) - mean[c])`, (P, C)."""
    rows, channels = x.shape
    blocks = BLOCKS
    for block in numba.prange(blocks):
        for row in range(rows * block // blocks, rows * (block + 1) // blocks):
            for c in range(channels):
                value = _widen(x[row, c]) + bias[c]
                inside = (value >= low) & (value < high)
                passed = _widen(grad[row, c]) if inside else np.float32(0)
                out[row, c] = _narrow((passed - mean[c]) * scale, out)


@_compile
def max_pool(x: Any, rows: int, columns: int, out: Any) -> None:
    """Maximum of disjoint `rows` x `columns` windows: (N, H, W, C) -> (N, I, J, C)."""
    images, high, wide, channels = out.shape
    for line in numba.prange(images * high):
        n, i = line // high, line % high
        for j in range(wide):
            for c in range(channels):
                best = _widen(x[n, i * rows, j * columns, c])
                for u in range(rows):
                    for v in range(columns):
                        best = max(best, _widen(x[n, i * rows + u, j * columns + v, c]))
                out[n, i, j, c] = _narrow(best, out)


@_compile
def max_pool_gradient(x: Any, y: Any, rows: int, columns: int, grad: Any, out: Any) -> None:
    """`grad` goes to the first place of each window that holds its maximum `y`."""
    images, high, wide, channels = y.shape
    for line in numba.prange(images * high):
        n, i = line // high, line % high
        taken = np.zeros(channels, np.uint8)
        for j in range(wide):
            taken[:] = 0
            for u in range(rows):
                for v in range(columns):
                    for c in range(channels):
                        first = (taken[c] == 0) & (
                            x[n, i * rows + u, j * columns + v, c] == y[n, i, j, c]
                        )
                        value = _widen(grad[n, i, j, c]) if first else np.float32(0)
                        out[n, i * rows + u, j * columns + v, c] = _narrow(value, out)
                        taken[c] |= np.uint8(first)


@_compile
def shuffle(x: Any, groups: int, out: Any) -> None:
    """`out[row, j * groups + g] = x[row, g * C/groups + j]`, (P, C), elements moved as bits."""
    rows, channels = x.shape
    size = channels // groups
    for row in numba.prange(rows):
        for g in range(groups):
            for j in range(size):
                out[row, j * groups + g] = x[row, g * size + j]
