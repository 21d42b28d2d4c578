"""Bernoulli mixtures of binary vectors: fitted by EM, quantized, sampled (6-gbm.md 4.2, 4.5).

The prototypes of Generative Binary Memory: a class is a few vectors of probabilities, from which
pseudo-exemplars are drawn instead of storing exemplars. All of it is plain NumPy, in the log
domain; the details are the design choices of the sections named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError

Bits = NDArray[Any]
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Fewest vectors that a component must explain (in expectation), else it starts anew.
LEAST = 2.0
#: Sum of the prior codes of a mixture: 8 bits each.
PRIOR_SUM = 256
#: Units of a logarithm in the integer score: sixteenths of a bit.
LOG_UNIT = 16
#: Probabilities stay this far from 0 and 1, where a logarithm ends.
_EDGE = 1e-12


@dataclass(frozen=True, eq=False)
class BernoulliMixture:
    """`P(z) = sum_k prior_k prod_i means_ki^z_i (1 - means_ki)^(1 - z_i)` on D bits.

    Attributes:
        prior: K probabilities that add up to 1.
        means: K x D probabilities of a bit being set.
        history: the objective after each step: log-likelihood in nats, plus the logarithm of the
            means' prior where `smoothing` is not 0. It never falls, but where a component started
            anew.
    """

    prior: Floats
    means: Floats
    history: tuple[float, ...]

    def scores(self, vectors: Bits) -> Floats:
        """N x K joint log-probabilities `log P(z_n, component k)` of N x D bits, in nats."""
        return _joint(np.asarray(vectors, np.float64), self.prior, self.means)

    def log_likelihood(self, vectors: Bits) -> Floats:
        """`log P(z_n)` of each of N x D bits, in nats."""
        return _log_sum(self.scores(vectors))

    def quantize(self, bits: int = 8) -> MixtureCodes:
        """Codes `round(mean * 2^bits)` in 1 .. 2^bits - 1, priors in 256ths of at least 1."""
        if not 1 <= bits <= 8:
            raise CodesignError(f"mixture: {bits} bits are no code of a mean; give 1 to 8")
        top = 1 << bits
        means = np.clip(np.floor(self.means * top + 0.5), 1, top - 1).astype(np.int64)
        return MixtureCodes(_shares(self.prior), means, bits)


@dataclass(frozen=True, eq=False)
class MixtureCodes:
    """A mixture as it is stored: `prior` K codes that add up to 256, `means` K x D codes of `bits`.

    A mean's code m stands for `m / 2^bits`. A prior code, 1 to 256, is stored less one, in 8 bits.
    """

    prior: Codes
    means: Codes
    bits: int

    @property
    def memory_bits(self) -> int:
        """`K (D bits + 8)`: what one class keeps (6-gbm.md 4.3)."""
        components, size = self.means.shape
        return int(components * (size * self.bits + 8))

    def sample(self, count: int, random: np.random.Generator) -> NDArray[np.uint8]:
        """`count` x D bits: component k where a byte is below the sum of the priors up to k, then
        `z_i = 1` where a number of `bits` bits is below the mean's code.
        """
        chosen = np.searchsorted(
            np.cumsum(self.prior), random.integers(0, PRIOR_SUM, count), side="right"
        )
        drawn = random.integers(0, 1 << self.bits, (count, self.means.shape[1]))
        return (drawn < self.means[chosen]).astype(np.uint8)


def fit_mixture(
    vectors: Bits,
    components: int,
    *,
    seed: int = 0,
    restarts: int = 3,
    iterations: int = 50,
    tolerance: float = 1e-5,
    smoothing: float = 0.5,
) -> BernoulliMixture:
    """The mixture of `components` that explains N x D bits best, of `restarts` runs of EM.

    A run begins with K-means++ in Hamming distance and a hard assignment, and ends after
    `iterations` steps or where the objective gains less than `tolerance` of its size. `smoothing`
    is a of the M-step `means = (sum gamma z + a) / (N_k + 2a)`. A component that explains fewer
    than two vectors starts anew on the vector that is explained worst. One component is the
    closed form. Equal arguments give equal results.

    Raises CodesignError where the vectors are no bits, or fewer than the components.
    """
    z = np.asarray(vectors)
    if z.ndim != 2 or not z.size or not ((z == 0) | (z == 1)).all():
        raise CodesignError(f"mixture: the vectors have shape {z.shape}; give N x D bits 0 and 1")
    if components < 1 or len(z) < components:
        raise CodesignError(
            f"mixture: {len(z)} vectors for {components} components; "
            "give 1 component or more, and a vector for each"
        )
    random = np.random.default_rng(seed)
    wide = z.astype(np.float64)
    runs = (
        _expectation_maximization(wide, components, random, iterations, tolerance, smoothing)
        for _ in range(1 if components == 1 else max(restarts, 1))
    )
    return max(runs, key=lambda mixture: mixture.history[-1])


def log_tables(bits: int) -> Codes:
    """2 x 2^bits integers: `round(16 log2(1 - m/2^bits))`, then `round(16 log2(m/2^bits))`.

    What `bmm_score` adds for a bit that is clear, or set (6-gbm.md 4.5). Code 0 stands for no
    mean; its entries are those of code 1.
    """
    top = 1 << bits
    plus = [math.floor(LOG_UNIT * math.log2(m / top) + 0.5) for m in range(1, top)]
    minus = plus[::-1]
    return np.array([[minus[0], *minus], [plus[0], *plus]], np.int64)


def score_constants(mixtures: Sequence[MixtureCodes]) -> tuple[Codes, Codes, Codes]:
    """`means` (C x K x D), `prior` (C x K) and `logs` of `bmm_score` for one mixture a class.

    A class with fewer components than another repeats its first, which changes no maximum.
    Raises CodesignError unless all have the same bits and size.
    """
    kinds = {(mixture.bits, mixture.means.shape[1]) for mixture in mixtures}
    if len(kinds) != 1:
        raise CodesignError(
            f"mixture: the classes have (bits, size) {sorted(kinds)}; give mixtures of one kind"
        )
    most = max(len(mixture.prior) for mixture in mixtures)
    index = [[k if k < len(mixture.prior) else 0 for k in range(most)] for mixture in mixtures]
    means = np.stack([m.means[take] for m, take in zip(mixtures, index, strict=True)])
    share = np.stack([m.prior[take] for m, take in zip(mixtures, index, strict=True)])
    prior = np.floor(LOG_UNIT * np.log2(share / PRIOR_SUM) + 0.5).astype(np.int64)
    return means, prior, log_tables(mixtures[0].bits)


def in_order(bits: Bits, levels: int) -> Bits:
    """Thermometer codes made legal: the set bits of each group of `levels` come first.

    Independent draws leave gaps in a feature's bits, N x (features levels) (6-gbm.md 4.1, repair).
    """
    count, size = bits.shape
    if levels < 1 or size % levels:
        raise CodesignError(
            f"mixture: {size} bits are no whole features of {levels} levels; give a divisor"
        )
    groups = bits.reshape(count, size // levels, levels)
    return np.asarray(-np.sort(-groups.astype(np.int64), axis=2)).reshape(count, size)


def _expectation_maximization(
    z: Floats,
    components: int,
    random: np.random.Generator,
    iterations: int,
    tolerance: float,
    smoothing: float,
) -> BernoulliMixture:
    prior, means = _maximize(z, _hard_start(z, components, random), smoothing)
    history = [_objective(z, prior, means, smoothing)]
    for _ in range(0 if components == 1 else iterations):
        joint = _joint(z, prior, means)
        total = _log_sum(joint)
        gamma = np.exp(joint - total[:, None])
        weak = np.flatnonzero(gamma.sum(axis=0) < LEAST)
        # a vector for each weak component, the worst explained first
        for component, worst in zip(weak, np.argsort(total, kind="stable"), strict=False):
            gamma[worst] = 0.0
            gamma[worst, component] = 1.0
        prior, means = _maximize(z, gamma, smoothing)
        history.append(_objective(z, prior, means, smoothing))
        if not weak.size and history[-1] - history[-2] < tolerance * abs(history[-2]):
            break
    return BernoulliMixture(prior, means, tuple(history))


def _hard_start(z: Floats, components: int, random: np.random.Generator) -> Floats:
    """One-hot assignment to the nearest of the K-means++ centres, N x K."""
    centres = [int(random.integers(len(z)))]
    apart = np.abs(z - z[centres[0]]).sum(axis=1)[:, None]
    while len(centres) < components:
        nearest = apart.min(axis=1)
        total = nearest.sum()
        share = nearest / total if total > 0 else np.full(len(z), 1 / len(z))
        centres.append(int(random.choice(len(z), p=share)))
        apart = np.column_stack([apart, np.abs(z - z[centres[-1]]).sum(axis=1)])
    return np.asarray(np.eye(components)[apart.argmin(axis=1)])


def _maximize(z: Floats, gamma: Floats, smoothing: float) -> tuple[Floats, Floats]:
    weight = gamma.sum(axis=0)
    held = np.maximum(weight + 2 * smoothing, _EDGE)  # a component that explains nothing
    means = (gamma.T @ z + smoothing) / held[:, None]
    return np.maximum(weight, _EDGE) / len(z), np.asarray(np.clip(means, _EDGE, 1 - _EDGE))


def _joint(z: Floats, prior: Floats, means: Floats) -> Floats:
    clear = np.log1p(-means)
    return np.asarray(z @ (np.log(means) - clear).T + clear.sum(axis=1) + np.log(prior))


def _log_sum(joint: Floats) -> Floats:
    top = joint.max(axis=1)
    return np.asarray(top + np.log(np.exp(joint - top[:, None]).sum(axis=1)))


def _objective(z: Floats, prior: Floats, means: Floats, smoothing: float) -> float:
    held = smoothing * (np.log(means) + np.log1p(-means)).sum() if smoothing else 0.0
    return float(_log_sum(_joint(z, prior, means)).sum() + held)


def _shares(prior: Floats) -> Codes:
    """Probabilities in 256ths, at least 1 each, that add up to 256: largest remainders."""
    if len(prior) > PRIOR_SUM:
        raise CodesignError(
            f"mixture: {len(prior)} components, 8 bits of prior tell {PRIOR_SUM} apart; give fewer"
        )
    free = PRIOR_SUM - len(prior)
    exact = prior / prior.sum() * free
    codes = np.floor(exact).astype(np.int64)
    order = np.argsort(codes - exact, kind="stable")
    codes[order[: free - int(codes.sum())]] += 1
    return np.asarray(codes + 1)
