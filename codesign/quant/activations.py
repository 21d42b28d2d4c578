"""From accumulators to activation codes: half-wave most-significant-bit, Heaviside, sign.

All take integers, held in an integer or in a float array, and give codes of the same dtype.
"""

from __future__ import annotations

from typing import Any, cast

from codesign.errors import CodesignError
from codesign.quant._namespace import ArrayT, floor_divide_power, namespace


def hwmsb(x: ArrayT, bits: int = 2, shift: int = 0) -> ArrayT:
    """`clip(x >> shift, 0, 2^bits - 1)`, any shape (2-nqe.md 4.1, design choice).

    The negative half wave gives 0; of the rest the `bits` bits above `shift` are kept,
    saturated. Raises CodesignError where `bits` is below 1 or `shift` below 0.
    """
    if bits < 1 or shift < 0:
        raise CodesignError(
            f"hwmsb: {bits} bits above position {shift} are no code; give bits >= 1 and shift >= 0"
        )
    xp = namespace(x)
    shifted = floor_divide_power(x, shift)
    return cast(ArrayT, xp.clip(shifted, 0, (1 << bits) - 1))


def heaviside(x: ArrayT) -> ArrayT:
    """`1 if x > 0 else 0`, any shape; strict at zero (1-heq.md 4.4)."""
    array = cast(Any, x)
    return cast(ArrayT, namespace(x).astype(array > 0, array.dtype))


def sign(x: ArrayT) -> ArrayT:
    """`1 if x >= 0 else -1`, any shape; `sign(0) = +1` (architecture conventions)."""
    array = cast(Any, x)
    return cast(ArrayT, 2 * namespace(x).astype(array >= 0, array.dtype) - 1)
