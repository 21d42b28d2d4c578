"""QReLU after a batch normalization, folded to integer thresholds (3-mognet.md 4.1, 1-heq.md 4.6).

Of an integer accumulator A the float definition is `y = gamma * (A - mean) / sigma + beta`, then
`clip(floor((2^k - 1) y + 1/2), 0, 2^k - 1)` for k > 1 bits, or `1 if y > 0 else 0` for one. Both
count how many thresholds A has reached, and a threshold of an integer is an integer.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.quant._namespace import ArrayT, namespace

#: Thresholds end here: accumulators stay below 2^24, so this one is never or always reached.
LIMIT = 1 << 24
#: Roundings of a float64 threshold, in units of its greatest term's last place (with margin).
_ROUNDINGS = 16 * float(np.finfo(np.float64).eps)


def fold(
    gamma: Any, beta: Any, mean: Any, sigma: Any, bits: int
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """`(thresholds, flip)`: channels x (2^bits - 1) ascending, and one bit a channel.

    The code is `#{j : A >= thresholds[c,j]}`, with `<=` where `flip[c]` is 1 (gamma below 0). It is
    that of the float definition for every integer |A| < 2^24, exactly: a threshold too near an
    integer for float64 is computed with fractions. Where gamma is 0 the code is constant.

    Raises CodesignError where `bits` is not 1 to 8, a number is not finite, or sigma is not
    above 0.
    """
    if not 1 <= bits <= 8:
        raise CodesignError(f"QReLU: {bits} bits are no code; give 1 to 8")
    g, b, m, s = (np.asarray(part, dtype=np.float64) for part in (gamma, beta, mean, sigma))
    if not all(np.isfinite(part).all() for part in (g, b, m, s)) or not (s > 0).all():
        raise CodesignError(
            "QReLU: gamma, beta, mean and sigma must be finite and sigma above 0; "
            "the accumulators or the training have gone astray"
        )
    steps = [Fraction(2 * j - 1, 2 * ((1 << bits) - 1)) for j in range(1, 1 << bits)]
    if bits == 1:
        steps = [Fraction(0)]
    levels = np.array([float(step) for step in steps])
    with np.errstate(all="ignore"):
        ratio = (s / g)[:, None]
        place = m[:, None] + ratio * (levels - b[:, None])
        doubt = _ROUNDINGS * (np.abs(m[:, None]) + np.abs(ratio) * (1 + np.abs(b[:, None])))
        beyond = np.abs(place) - doubt > LIMIT
        near = ~beyond & ~(np.abs(place - np.rint(place)) > doubt)
        rounded = _first(np.where(np.isfinite(place), place, 0.0), g[:, None] > 0, bits == 1)
    found = np.where(beyond, np.sign(place) * LIMIT, rounded)
    for c, j in zip(*np.nonzero(near & (g != 0)[:, None]), strict=True):
        exact = _exact(float(g[c]), float(b[c]), float(m[c]), float(s[c]), steps[j], bits)
        found[c, j] = min(max(exact, -LIMIT), LIMIT)
    for c in np.nonzero(g == 0)[0]:
        passed = [_passes(Fraction(float(b[c])), step, bits) for step in steps]
        found[c] = np.where(passed, -LIMIT, LIMIT)
    thresholds = np.sort(np.clip(found, -LIMIT, LIMIT), axis=1).astype(np.int32)
    return thresholds, (g < 0).astype(np.int8)


def _first(place: Any, rising: Any, strict: bool) -> Any:
    """The first integer past `place` (the last one before it where falling)."""
    if strict:
        return np.where(rising, np.floor(place) + 1, np.ceil(place) - 1)
    return np.where(rising, np.ceil(place), np.floor(place))


def _exact(gamma: float, beta: float, mean: float, sigma: float, step: Fraction, bits: int) -> int:
    place = Fraction(mean) + Fraction(sigma) / Fraction(gamma) * (step - Fraction(beta))
    floor = place.numerator // place.denominator
    whole = place.denominator == 1
    if gamma > 0:
        return floor + 1 if bits == 1 or not whole else floor
    return floor - 1 if bits == 1 and whole else floor


def _passes(y: Fraction, step: Fraction, bits: int) -> bool:
    return y > step if bits == 1 else y >= step


def count_thresholds(x: ArrayT, thresholds: ArrayT, flip: ArrayT) -> ArrayT:
    """`#{j : x[:,c] >= thresholds[c,j]}`, `<=` where `flip[c]` is 1; N x C x ... in x's dtype.

    Raises CodesignError where `thresholds` or `flip` has another number of channels than `x`.
    """
    array, levels = cast(Any, x), cast(Any, thresholds)
    channels = array.shape[1]
    if levels.shape[0] != channels or tuple(cast(Any, flip).shape) != (channels,):
        raise CodesignError(
            f"thresholds of {levels.shape[0]} channels, x has {channels}; give one row a channel"
        )
    xp = namespace(x)
    each = (-1, *[1] * (array.ndim - 2))
    side = xp.reshape(xp.astype(1 - 2 * cast(Any, flip), array.dtype), each)
    turned = array * side
    total = xp.zeros_like(array)
    for j in range(levels.shape[1]):
        level = xp.reshape(xp.astype(levels[:, j], array.dtype), each) * side
        total = total + xp.astype(turned >= level, array.dtype)
    return cast(ArrayT, total)
