"""What becomes of a product's sums, and the numbers of it as a tile reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.engine._numba import micro
from codesign.engine._numba.skips import Skip
from codesign.ir import IntArray


@dataclass(frozen=True, slots=True)
class Rescale:
    """From sums to codes: `(clip((sum + bias) >> shift, lo, hi) << scale) + offset`."""

    bias: IntArray
    shift: int
    lo: int
    hi: int
    scale: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """From sums to codes: how many thresholds `(sum + bias) * side` reaches, plus `offset`.

    `levels` is (outputs, count), ascending or not, each times its output's `side`, 1 or -1.
    """

    bias: IntArray
    side: IntArray
    levels: IntArray
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """From sums to bits: whether `sum * side` reaches its output's one of `levels` (outputs,)."""

    side: IntArray
    levels: IntArray


def finishing(
    after: Rescale | Counted | Cut | None, outputs: int
) -> tuple[IntArray, tuple[int, ...], IntArray, int]:
    """Biases, numbers, thresholds (outputs, count) and the tile's mode."""
    none: IntArray = np.zeros((outputs, 0), np.int64)
    if isinstance(after, Rescale):
        numbers = (after.shift, after.lo, after.hi, after.scale, after.offset)
        return after.bias.astype(np.int64), numbers, none, micro.CODES
    if isinstance(after, Counted):
        bias: IntArray = after.bias.astype(np.int64) * after.side
        return bias, (0, 0, 0, 0, after.offset), after.levels, micro.COUNTS
    nothing: IntArray = np.zeros(outputs, np.int64)
    if isinstance(after, Cut):
        return nothing, (0,) * 5, after.levels[:, None], micro.BITS
    return nothing, (0,) * 5, none, micro.SUMS


def sided(weight: IntArray, after: Counted | Cut) -> IntArray:
    """Weights (outputs, ...) of sums times each output's side, in their own type."""
    side = after.side.reshape(-1, *[1] * (weight.ndim - 1))
    return np.multiply(weight, side, dtype=weight.dtype, casting="same_kind")


def lay_numbers(numbers: tuple[int, ...], count: int, worth: int, skip: Skip | None) -> IntArray:
    """The numbers that a tile reads: also its thresholds' count, a bit's worth, a skip's `less`."""
    whole = *numbers, count, worth, 0 if skip is None else skip.less
    return np.array(whole, np.int64).astype(np.int32)


def lay(values: IntArray, groups: int, width: int, rest: int = 0) -> IntArray:
    """(outputs, ...) as (groups, blocks, width, ...), `rest` beyond a group's outputs."""
    lanes = len(values) // groups
    blocks = -(-lanes // width)
    laid = np.full((groups, blocks * width, *values.shape[1:]), rest, values.dtype)
    laid[:, :lanes] = values.reshape(groups, lanes, *values.shape[1:])
    return laid.reshape(groups, blocks, width, *values.shape[1:])


def lay_after(
    bias: IntArray, levels: IntArray, groups: int, width: int
) -> tuple[IntArray, IntArray]:
    """Biases (groups, blocks, width) and thresholds (groups, blocks, count, width) of 32 bits."""
    limits = np.iinfo(np.int32)
    laid = lay(levels.clip(limits.min, limits.max), groups, width, limits.max)
    rows = np.ascontiguousarray(laid.swapaxes(2, 3).astype(np.int32))
    return lay(bias, groups, width).astype(np.uint32).view(np.int32), rows
