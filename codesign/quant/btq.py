"""Balanced ternary quantization of weights (3-mognet.md 4.5, design choice).

One threshold `delta`, the third of the magnitudes: each of -1, 0, +1 gets a third of centred
weights.
"""

from __future__ import annotations

import math
from typing import Any, cast

from codesign.errors import CodesignError
from codesign.quant._namespace import ArrayT, namespace
from codesign.quant.heq import quantile


def ternary_codes(weights: ArrayT, delta: float) -> ArrayT:
    """`sign(w) * 1[|w| > delta]`: -1, 0 or +1, any shape, as floats of the same dtype.

    Raises CodesignError where `delta` is not positive and finite.
    """
    if not (math.isfinite(delta) and delta > 0):
        raise CodesignError(
            f"ternary threshold is {delta}; it must be a number above 0: give weights that differ"
        )
    xp = namespace(weights)
    array = cast(Any, weights)
    above, below = array > delta, array < -delta
    return cast(ArrayT, xp.astype(above, array.dtype) - xp.astype(below, array.dtype))


def ternary_threshold(weights: Any) -> float:
    """`Quantile(|w|, 1/3)`; raises CodesignError where it is not a number above 0."""
    xp = namespace(weights)
    delta = quantile(xp.sort(xp.reshape(xp.abs(weights), (-1,))), 1 / 3)
    if not (math.isfinite(delta) and delta > 0):
        raise CodesignError(
            f"weights give a ternary threshold of {delta}; "
            "it must be a number above 0: give weights that differ"
        )
    return delta


def ternary_edge(delta: float) -> float:
    """`3 * delta`: the straight-through gradient passes where `|w|` is at most this."""
    return 3 * delta
