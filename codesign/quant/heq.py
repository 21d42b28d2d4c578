"""Histogram-equalized quantization of weights: codes and the automatic step (1-heq.md 4.1, 4.2).

One step `s` places all thresholds `(i - n/2) * s`, i = 1..n-1; it follows the quantiles of the
weights, so that the n levels are about equally often used.
"""

from __future__ import annotations

import math
from typing import Any, Literal, cast

from codesign.errors import CodesignError
from codesign.quant._namespace import ArrayT, namespace

StepMode = Literal["least_squares", "outer"]
#: How quantiles give the step: over all thresholds, or the outermost one only.
MODES: tuple[StepMode, ...] = ("least_squares", "outer")


def level_set(levels: int) -> tuple[int, int, int]:
    """`(lo, hi, step)` of the codes of `levels` >= 2 weight levels (1-heq.md 4.1, design choice).

    Odd n: `-(n-1)/2 .. (n-1)/2` by 1; even n: the odd integers `-(n-1) .. n-1`, by 2.
    """
    if levels < 2:
        raise CodesignError(f"{levels} levels are not a quantizer; use 2 or more")
    if levels % 2:
        return -(levels // 2), levels // 2, 1
    return -(levels - 1), levels - 1, 2


def codes(weights: ArrayT, step: float, levels: int) -> ArrayT:
    """Integer codes of float weights, any shape, as floats of the same dtype (1-heq.md 4.1).

    `u = clip(floor(w/s + n/2), 0, n-1)`, then `u - (n-1)/2` (odd n) or `2u - (n-1)` (even n).
    Raises CodesignError where `step` is not positive and finite or `levels` is below 2.
    """
    lo, _, spacing = level_set(levels)
    if not (math.isfinite(step) and step > 0):
        raise CodesignError(
            f"quantizer step is {step}; it must be a number above 0: give weights that differ"
        )
    xp = namespace(weights)
    index = xp.clip(xp.floor(cast(Any, weights) / step + levels / 2), 0, levels - 1)
    return cast(ArrayT, index * spacing + lo)


def edge(step: float, levels: int) -> float:
    """`s * n/2`: the straight-through gradient passes where `|w|` is at most this."""
    return step * levels / 2


def step_from_quantiles(weights: Any, levels: int, mode: StepMode = "least_squares") -> float:
    """The step that makes the levels about equally frequent (1-heq.md 4.2, design choice).

    With `t_i = i - n/2` and the quantiles `tau_i` at `i/n`, taken from `|w|` so that a shifted
    mean cannot make the thresholds asymmetric: `sum(t_i tau_i) / sum(t_i^2)` ("least_squares"),
    or the outermost pair alone ("outer"). Exact for n = 3 and 4, near for more. n = 2 has its one
    threshold at 0 whatever the step; there `s = 2 median|w|`, which puts the levels
    `-s/2, s/2` at the middle of each half.

    Raises CodesignError for an unknown mode, and where the quantiles give no step above 0.
    """
    if mode not in MODES:
        raise CodesignError(f"step mode {mode!r} is unknown; use {' or '.join(MODES)}")
    level_set(levels)
    xp = namespace(weights)
    magnitudes = xp.sort(xp.reshape(xp.abs(weights), (-1,)))
    if levels == 2:
        step: float = 2 * quantile(magnitudes, 0.5)
    else:
        # the thresholds come in pairs -t, t; the middle one (even n) is 0 and says nothing
        upper = range(levels // 2 + 1, levels) if mode == "least_squares" else (levels - 1,)
        pairs = [
            (i - levels / 2, quantile(magnitudes, 1 - 2 * (levels - i) / levels)) for i in upper
        ]
        step = sum(t * tau for t, tau in pairs) / sum(t * t for t, _ in pairs)
    if not (math.isfinite(step) and step > 0):
        raise CodesignError(
            f"weights give a quantizer step of {step} for {levels} levels; "
            "it must be a number above 0: give weights that differ"
        )
    return step


def quantile(ordered: Any, share: float) -> float:
    """Linear-interpolated quantile of a sorted 1-D array."""
    last = int(ordered.shape[0]) - 1
    place = share * last
    below = math.floor(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
    return low + (high - low) * (place - below)


def occupancy_entropy(quantized: Any, levels: int) -> float:
    """Entropy of the level histogram in bits; `log2(levels)` where all are equally frequent."""
    lo, hi, spacing = level_set(levels)
    xp = namespace(quantized)
    size = int(math.prod(quantized.shape))
    shares = [int(xp.sum(quantized == code)) / size for code in range(lo, hi + 1, spacing)]
    return -sum(share * math.log2(share) for share in shares if share > 0)
