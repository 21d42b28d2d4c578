"""The score of Bernoulli mixtures, draws from them, and the ring that draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from codesign.engine import ENGINES, create
from codesign.ir import GraphBuilder, IntArray, IntType, lookup
from tests.ops.contract import Case, Const, Map, OpContract, Tally, case, refuse

_BIT = IntType(0, 1)


def _logs(bits: int) -> Const:
    """Both tables: 16 * log2 of 1 - m/2^b and of m/2^b, rounded; entries 0 are never read."""
    top = 1 << bits
    plus = [0, *(math.floor(16 * math.log2(m / top) + 0.5) for m in range(1, top))]
    minus = [0, *plus[:0:-1]]
    return Const((2, top), IntType(-16 * bits, 0), (*minus, *plus))


def _mixture(classes: int, components: int, size: int, bits: int) -> tuple[Map | Const, ...]:
    return (
        Map((size,), _BIT),
        Const((classes, components, size), IntType(1, (1 << bits) - 1)),
        Const((classes, components), IntType(-128, 0)),
        _logs(bits),
    )


class TestBmmScore(OpContract):
    op = "bmm_score"
    cases = (
        *(case(*_mixture(4, 1, 20, bits), tight=False) for bits in range(1, 9)),
        *(case(*_mixture(3, components, 30, 4), tight=False) for components in (2, 3, 5)),
        case(*_mixture(1, 1, 3, 8)),
        case(*_mixture(5, 1, 3, 3)),
        case(Map((4,), IntType(1, 1)), *_mixture(2, 1, 4, 4)[1:]),
        case(Map((3,), _BIT), Const((2, 1, 3), IntType(0, 0)), Const((2, 1), IntType(0, 0)),
             Const((2, 1), IntType(-(1 << 29), 1 << 29))),
    )  # fmt: skip
    refusals = (
        refuse("y: x is 2x3 [0..1]; its shape must be bits",
               Map((2, 3), _BIT), *_mixture(2, 2, 6, 4)[1:]),
        refuse("y: bmm_score: x has codes [0..2]; give bits [0..1]",
               Map((6,), IntType(0, 2)), *_mixture(2, 2, 6, 4)[1:]),
        refuse("y: means is 2x6 [1..15]; its shape must be classes x components x bits",
               Map((6,), _BIT), Const((2, 6), IntType(1, 15)), *_mixture(2, 2, 6, 4)[2:]),
        refuse("y: bmm_score: means are 2x2x6 [1..15], prior is 2x2 [-128..0], x is 5 [0..1]; give "
               "classes x components x bits of x, and one prior a component",
               Map((5,), _BIT), *_mixture(2, 2, 6, 4)[1:]),
        refuse("y: logs are 16 [-64..0]; give two tables, of 1 - m and of m",
               *_mixture(2, 2, 6, 4)[:3], Const((16,), IntType(-64, 0))),
        refuse("y: means have codes [1..15], the tables of logs have 8 entries; give codes [0..7]",
               *_mixture(2, 2, 6, 4)[:3], _logs(3)),
        refuse("y: bmm_score: the sums have the interval [-3221225472..0], 33 b; at most 32 signed "
               "bits are allowed; use smaller logarithms",
               Map((3,), _BIT), Const((1, 1, 3), IntType(0, 0)), Const((1, 1), IntType(0, 0)),
               Const((2, 1), IntType(-(1 << 30), 0))),
    )  # fmt: skip

    # two classes of three components, five bits: least sum and greatest by hand
    cost = (
        case(Map((5,), _BIT), Const((2, 3, 5), IntType(1, 1)), Const((2, 3), IntType(0, 0)),
             Const((2, 2), IntType(-16, 0), (0, -16, 0, -16))),
        {"add 8b": 30, "compare 8b": 4},
    )  # fmt: skip

    def plain(
        self, tally: Tally, x: IntArray, means: IntArray, prior: IntArray, logs: IntArray
    ) -> IntArray:
        y = np.empty(len(means), dtype=object)
        for c in range(len(means)):
            best: Any = None
            for k in range(means.shape[1]):
                score = prior[c, k]
                for i in range(len(x)):
                    score += logs[x[i], means[c, k, i]]
                    tally("add")
                if best is not None:
                    tally("compare")
                best = score if best is None or score > best else best
            y[c] = best
        return y

    def test_it_is_the_mixtures_likelihood(self) -> None:
        """The greatest component's log-likelihood in sixteenths of a bit, within the rounding."""
        rng = np.random.default_rng(2)
        x, means = rng.integers(0, 2, (50, 40)), rng.integers(1, 255, (3, 2, 40))
        logs = np.array(_logs(8).codes).reshape(2, 256)
        found = lookup("bmm_score").reference(x, means, np.zeros((3, 2), np.int64), logs)
        mu = means / 256
        exact = np.einsum("ni,cki->nck", x, np.log2(mu / (1 - mu))) + np.log2(1 - mu).sum(axis=2)
        assert np.abs(found - 16 * exact.max(axis=2)).max() <= 20  # half a unit a bit


class TestBernoulliSample(OpContract):
    op = "bernoulli_sample"
    cases = (
        *(case(Map((size,), IntType(0, 1 << bits)), Map((cells,), _BIT), bits=bits, steps=steps)
          for size, cells, bits, steps in ((5, 8, 8, 4), (9, 16, 4, 1), (3, 31, 8, 2),
                                           (4, 16, 16, 3), (20, 3, 1, 5))),
        *(case(Map((6,), IntType(1, 255)), Map((16,), _BIT), rule=rule) for rule in (45, 90, 110)),
        case(Map((6,), IntType(0, 0)), Map((16,), _BIT)),
        case(Map((6,), IntType(256, 256)), Map((16,), _BIT)),
    )  # fmt: skip
    refusals = (
        refuse("y: means is 2x3 [0..255]; its shape must be bits",
               Map((2, 3), IntType(0, 255)), Map((8,), _BIT)),
        refuse("y: state is 7 [0..1]; give a ring of 8 or more bits [0..1]",
               Map((3,), IntType(0, 255)), Map((7,), _BIT)),
        refuse("y: state is 8 [0..3]; give a ring of 8 or more bits [0..1]",
               Map((3,), IntType(0, 255)), Map((8,), IntType(0, 3))),
        refuse("y: bernoulli_sample: means have codes [0..255]; give [0..16], probabilities times "
               "2^4", Map((3,), IntType(0, 255)), Map((8,), _BIT), bits=4),
        refuse("y: bernoulli_sample: attribute steps is 0; give 1 to 1024",
               Map((3,), IntType(0, 255)), Map((8,), _BIT), steps=0),
    )  # fmt: skip
    cost = (
        case(Map((5,), IntType(0, 255)), Map((16,), _BIT)),
        {"compare 8b": 5, "logic 1b": 5 * 4 * 16},
    )

    def plain(
        self, tally: Tally, means: IntArray, state: IntArray, *, rule: int, steps: int, bits: int
    ) -> IntArray:
        ring, y = list(state), np.empty(len(means), dtype=object)
        for i in range(len(means)):
            ring = _advanced(tally, ring, rule, steps)
            number = sum(ring[j] << j for j in range(bits))
            tally("compare")
            y[i] = 1 if number < means[i] else 0
        return y

    def test_draws_have_the_means_and_go_on_from_the_carried_state(self) -> None:
        b = GraphBuilder("draws")
        means, state = b.input("means", (256,), IntType(0, 255)), b.input("state", (61,), _BIT)
        b.output(b.node("bits", "bernoulli_sample", [means, state]))
        b.output(b.node("next", "ca_step", [state], steps=4 * 256))
        graph = b.build()
        rng = np.random.default_rng(4)
        batch: dict[str, IntArray] = {
            "means": np.tile(np.arange(0, 256), (200, 1)), "state": rng.integers(0, 2, (200, 61)),
        }  # fmt: skip
        total = np.zeros(256)
        for _ in range(2):
            found = [create(engine, graph, threads=1).run(batch) for engine in ENGINES]
            for other in found[1:]:
                assert all(np.array_equal(other[name], found[0][name]) for name in found[0])
            total += found[0]["bits"].sum(axis=0)
            batch = {**batch, "state": found[0]["next"]}
        sigma = np.sqrt(np.maximum(np.arange(256) * (256 - np.arange(256)), 1)) / 256
        error = np.abs(total / 400 - np.arange(256) / 256) / (sigma / 20)
        assert error.max() < 4.5
        assert error.mean() < 1.2


class TestCaStep(OpContract):
    op = "ca_step"
    cases: tuple[Case, ...] = (
        *(case(Map((cells,), _BIT), rule=rule)
          for cells in (3, 8, 61) for rule in (30, 45, 90, 110, 150)),
        *(case(Map((16,), _BIT), steps=steps) for steps in (2, 64, 300)),
    )  # fmt: skip
    refusals = (
        refuse("y: x is 2 [0..1]; give a ring of 3 or more bits [0..1]", Map((2,), _BIT)),
        refuse("y: x is 3x4 [0..1]; give a ring of 3 or more bits [0..1]", Map((3, 4), _BIT)),
        refuse("y: ca_step: attribute steps is 0; give 1 to 1048576", Map((8,), _BIT), steps=0),
    )  # fmt: skip
    cost = case(Map((8,), _BIT), steps=3), {"logic 1b": 24}

    def plain(self, tally: Tally, x: IntArray, *, rule: int, steps: int) -> IntArray:
        y = np.empty(len(x), dtype=object)
        y[:] = _advanced(tally, list(x), rule, steps)
        return y


def _advanced(tally: Tally, ring: list[int], rule: int, steps: int) -> list[int]:
    size = len(ring)
    for _ in range(steps):
        tally("logic", size)
        ring = [rule >> (4 * ring[i - 1] + 2 * ring[i] + ring[(i + 1) % size]) & 1
                for i in range(size)]  # fmt: skip
    return ring
