"""Bit-shift normalization: its integers, and the rule that finds the shift (2-nqe.md 4.2)."""

from __future__ import annotations

import math
from typing import Any, cast

from codesign.errors import CodesignError
from codesign.quant._namespace import ArrayT, floor_divide_power, is_integer, namespace

#: The full scale moves only when it is off by more than this, in log2 (training facts).
HYSTERESIS = 0.75


def round_half_up(x: ArrayT) -> ArrayT:
    """`floor(x + 1/2)`, any shape: the one rounding of this package; floats in, floats out."""
    return cast(ArrayT, namespace(x).floor(cast(Any, x) + 0.5))


def integer_bias(beta: ArrayT, mean: ArrayT) -> ArrayT:
    """`B = round(beta - mean)` per channel, in units of the accumulator (2-nqe.md 4.2)."""
    return round_half_up(cast(Any, beta) - mean)  # type: ignore[no-any-return]


def bit_shift_norm(x: ArrayT, bias: ArrayT, shift: int) -> ArrayT:
    """`(x + bias[c]) >> shift` for `x` of shape N x C x ...; the shift floors (2-nqe.md 4.2).

    Raises CodesignError where `bias` does not hold one integer a channel.
    """
    array, offsets = cast(Any, x), cast(Any, bias)
    if tuple(offsets.shape) != (array.shape[1],):
        raise CodesignError(
            f"bit_shift_norm: bias has shape {tuple(offsets.shape)}, x has {array.shape[1]} "
            "channels; give one bias a channel"
        )
    per_channel = namespace(x).reshape(offsets, (-1, *[1] * (array.ndim - 2)))
    if is_integer(x) and not is_integer(bias):
        raise CodesignError(
            "bit_shift_norm: x holds integers, the bias floats; round the bias first"
        )
    return cast(ArrayT, floor_divide_power(array + per_channel, shift))


def full_scale_exponent(sigma: float, kappa: float = 2.0, current: int | None = None) -> int:
    """Exponent `e` of the layer's full scale `2^e`, near `kappa * sigma` (2-nqe.md 4.2).

    `e = round(log2(kappa * sigma))`; with `current` given it is kept unless the full scale
    wanted is off by more than 0.75 in log2, so that a shift does not flicker (design choice).
    Raises CodesignError where `sigma` or `kappa` is not positive and finite.
    """
    if not (math.isfinite(sigma) and math.isfinite(kappa) and sigma > 0 and kappa > 0):
        raise CodesignError(
            f"full scale of kappa {kappa} x sigma {sigma} is not a number above 0; "
            "the layer's accumulators are constant or not finite"
        )
    wanted = math.log2(kappa * sigma)
    if current is not None and abs(wanted - current) <= HYSTERESIS:
        return current
    return math.floor(wanted + 0.5)


def shift_for(exponent: int, bits: int) -> int:
    """`b = max(0, e - bits)`: codes of `bits` bits saturate at the full scale `2^e`."""
    return max(0, exponent - bits)
