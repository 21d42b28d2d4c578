"""lstm_unit on arbitrary sums of gates, against the operations `lstm`, `gru` and `lstm_hidden`."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray, lookup
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, join, signed_range, vectors


def lstm_step(state: IntArray, sums: IntArray, bits: int, ternary: int) -> IntArray:
    """The operation's next state where the gates' sums are these, 4 x units.

    One feature that is 1 has the sums as weights.
    """
    one, rows = np.ones((1, 1, 1), np.int64), sums.reshape(-1, 1)
    back, bias = np.zeros((sums.size, state.size), np.int64), np.zeros(sums.size, np.int64)
    lstm = lookup("lstm")
    return lstm.reference(one, state[None], rows, back, bias, bits=bits, ternary=ternary)[0, 0]


def gru_step(state: IntArray, sums: IntArray) -> IntArray:
    """The same with the rows r, z, n, u: u is a recurrent weight of the unit's own code."""
    units = state.size
    one, rows = np.ones((1, 1, 1), np.int64), sums[:3].reshape(-1, 1)
    back, bias = np.zeros((3 * units, units), np.int64), np.zeros(3 * units, np.int64)
    back[2 * units :] = np.diag(sums[3] * state)
    return lookup("gru").reference(one, state[None], rows, back, bias)[0, 0]


def hidden_codes(states: IntArray, ternary: int) -> IntArray:
    return lookup("lstm_hidden").reference(states, ternary=ternary)


def seen_codes(unit: Unit, units: int) -> list[int]:
    """Hidden codes of all units, as the unit shows them."""
    signs, counts = unit["codes"], unit["nonzero"]
    return [(2 * (signs >> n & 1) - 1) * (counts >> n & 1) for n in range(units)]


def _sums(rng: random.Random, bits: int, units: int, kind: str) -> IntArray:
    """4 x units: small ones often, so that ties are met; all of one sign now and then."""
    low, high = signed_range(bits)
    drawn = np.array([[corner(rng, low, high) for _ in range(units)] for _ in range(4)])
    if rng.random() < 0.5:
        drawn = np.sign(drawn) * (drawn % 2)
    if kind == "lstm" and rng.random() < 0.5:  # cells count on in one direction
        drawn[:2] = np.maximum(np.abs(drawn[:2]), 1)
        drawn[2] = drawn[2, 0]
    return np.clip(drawn, low, high)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def steps(dut: Any) -> None:
    rng = seeded("lstm_unit")
    unit = Unit(dut)
    await unit.reset()
    units, most, width = int(dut.Units.value), int(dut.CellBits.value), int(dut.SumBits.value)
    lstm = Coverage("lstm", [
        *product(("forgets", "keeps"), ("up", "down", "stays"), ("inside", "at the bound")),
        *product(("open", "closed"), ("bipolar", "ternary"), ("minus", "plus")),
        "one bit", *(f"a tie of {gate}" for gate in "ifgo"),
    ])  # fmt: skip
    gru = Coverage("gru", [
        *product(("keeps", "takes"), ("reset", "u"), (-1, 1)), *(f"a tie of {g}" for g in "rzn")
    ])  # fmt: skip
    order = Coverage("order of lstm_unit", ("a pause", "a reset", "a state that is kept"))
    for change in ("up", "down", "stays"):  # from 0 no bound is met
        lstm.counts.pop(("forgets", change, "at the bound"))
    due: tuple[int, int, int] | None = None
    for number in lstm.rounds(vectors(120)):
        kind = "gru" if number % 3 == 0 else "lstm"
        bits = rng.choice((most, most, rng.randint(1, most)))
        limit, ternary = (1 << (bits - 1)) - 1, rng.randint(0, 1) if kind == "lstm" else 0
        unit.drive(gru=kind == "gru", ternary=ternary, limit=limit)
        drawn = [2 * corner(rng, -limit, limit) + rng.getrandbits(1) for _ in range(units)]
        state = np.array(drawn if kind == "lstm" else rng.choices((-1, 1), k=units))
        due = None
        for index in rng.sample(range(units), units):
            await unit.cycle(load=1, en=0, unit=index, state=int(state[index]))
        unit.drive(load=0)
        shown = hidden_codes(state, ternary).tolist()
        for _ in range(rng.randint(1, 8)):
            sums = _sums(rng, width, units, kind)
            if kind == "lstm":
                following = lstm_step(state, sums, bits, ternary)
                _meet_lstm(lstm, state, sums, following, limit, ternary)
            else:
                following = gru_step(state, sums)
                _meet_gru(gru, state, sums)
            for place, index in enumerate(rng.sample(range(units), units)):
                while rng.random() < 0.15:
                    noise = rng.getrandbits(4 * width)
                    await unit.settle(en=0, last=rng.getrandbits(1), sums=noise)
                    _check(unit, due)
                    assert seen_codes(unit, units) == shown
                    await unit.edge()
                    due = None
                    order.hit("a pause")
                last = place == units - 1
                given = join(sums[:, index], width)
                await unit.settle(en=1, last=last, unit=index, sums=given)
                _check(unit, due)
                assert seen_codes(unit, units) == shown  # of the step before, up to the last unit
                await unit.edge()
                due = index, int(following[index]), ternary
            shown = hidden_codes(following, ternary).tolist()
            await unit.settle(en=0, last=0)
            _check(unit, due)
            assert seen_codes(unit, units) == shown
            if (following == state).all():
                order.hit("a state that is kept")
            state = following
            if rng.random() < 0.5:  # the next step follows at once, or a cycle later
                await unit.edge()
                due = None
        if rng.random() < 0.2:
            await unit.settle(en=1, unit=0, sums=0)
            await unit.edge()
            await unit.assert_reset()
            assert unit["valid"] == 0
            unit.drive(en=0)
            await unit.reset()
            order.hit("a reset")
    lstm.require(1, share=1.0 if most > 2 else 0.8)
    gru.require()
    order.require()


def _check(unit: Unit, due: tuple[int, int, int] | None) -> None:
    """What the cycle before gave, if anything: index, state, whether hidden codes are ternary."""
    assert unit["valid"] == (due is not None)
    if due is not None:
        index, state, ternary = due
        seen = unit["unit"], unit.signed("state"), unit.signed("hidden")
        assert seen == (index, state, int(hidden_codes(np.array([state]), ternary)[0]))


def _meet_lstm(
    coverage: Coverage,
    state: IntArray,
    sums: IntArray,
    following: IntArray,
    limit: int,
    ternary: int,
) -> None:
    if limit == 0:
        coverage.hit("one bit")
        return
    for old, (i, f, g, o), new in zip(state, sums.T, following, strict=True):
        base = (old >> 1) * (f > 0)
        change = ("up" if g >= 0 else "down") if i > 0 else "stays"
        bound = abs(base) == limit and (change == "stays" or (base > 0) == (change == "up"))
        place = "at the bound" if bound else "inside"
        if f > 0 or not bound:
            coverage.hit(("keeps" if f > 0 else "forgets", change, place))
        sign = "minus" if new >> 1 < 0 else "plus"
        coverage.hit(("open" if o > 0 else "closed", "ternary" if ternary else "bipolar", sign))
        coverage.hit(
            *(f"a tie of {name}" for name, s in zip("ifgo", (i, f, g, o), strict=True) if not s)
        )


def _meet_gru(coverage: Coverage, state: IntArray, sums: IntArray) -> None:
    for old, (r, z, n, u) in zip(state, sums.T, strict=True):
        coverage.hit(("keeps" if z > 0 else "takes", "u" if r > 0 else "reset", int(old)))
        total = n + (u if r > 0 else 0)
        ties = [name for name, value in zip("rzn", (r, z, total), strict=True) if value == 0]
        coverage.hit(*(f"a tie of {name}" for name in ties))
