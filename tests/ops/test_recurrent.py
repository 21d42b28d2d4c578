"""Recurrent layers: integer cells, gates of one bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codesign.engine import ENGINES, create
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, check, code_set
from tests.ops.contract import (
    CODES,
    Case,
    Const,
    Map,
    OpContract,
    Tally,
    case,
    draw,
    elements,
    refuse,
)

_BIPOLAR, _TERNARY = IntType(-1, 1, 2), IntType(-1, 1)
_WIDEST = IntType(-(1 << 31), (1 << 31) - 1)


def _layer(
    gates: int,
    state: IntType,
    *,
    steps: int = 5,
    features: int = 6,
    units: int = 4,
    x: IntType = _BIPOLAR,
    weight: IntType = _BIPOLAR,
    bias: IntType = _TERNARY,
) -> tuple[Map | Const, ...]:
    rows = gates * units
    return (
        Map((steps, features), x), Map((units,), state), Const((rows, features), weight),
        Const((rows, units), weight), Const((rows,), bias),
    )  # fmt: skip


def _packed(bits: int) -> IntType:
    top = (1 << (bits - 1)) - 1
    return IntType(-2 * top, 2 * top + 1)


def _lstm(bits: int, ternary: int, **sizes: Any) -> Case:
    return case(*_layer(4, _packed(bits), **sizes), bits=bits, ternary=ternary)


def _sum(tally: Tally, weights: IntArray, codes: Any) -> int:
    total = 0
    for weight, code in zip(weights, codes, strict=True):
        total += weight * code
        tally("mac")
    return total


class TestLstm(OpContract):
    op = "lstm"
    cases = (
        # every width of the cell, binary and ternary hidden codes
        *(_lstm(bits, ternary) for bits in range(1, 9) for ternary in (0, 1)),
        *(_lstm(4, 0, x=code, weight=weight) for code in CODES for weight in (_BIPOLAR, _TERNARY)),
        _lstm(3, 1, steps=1), _lstm(3, 0, units=1), _lstm(3, 0, features=1, weight=code_set(5)),
        _lstm(2, 0, bias=IntType(-5, 5)),
        Case(_layer(4, IntType(0, 0)), {"bits": 4, "ternary": 0}, tight=False),
    )  # fmt: skip
    refusals = (
        refuse("y: x is 6 [-1..1/2]; its shape must be steps x features",
               Map((6,), _BIPOLAR), *_layer(4, _packed(4))[1:]),
        refuse("y: state is 4x1 [-14..15]; its shape must be units",
               _layer(4, _packed(4))[0], Map((4, 1), _packed(4)), *_layer(4, _packed(4))[2:]),
        refuse("y: lstm: weight has shape (12, 6), expected (16, 6): 4 gates of 4 units, 6 "
               "features",
               *_layer(4, _packed(4))[:2], *_layer(3, _packed(4))[2:]),
        refuse("y: lstm: bias has shape (4,), expected (16,): 4 gates of 4 units, 6 features",
               *_layer(4, _packed(4))[:4], Const((4,), _TERNARY)),
        refuse("y: lstm: state has codes [-14..15]; a cell of 3 b and its output gate are [-6..7]",
               *_layer(4, _packed(4)), bits=3),
        refuse("y: lstm: attribute bits is 9; give 1 to 8", *_layer(4, _packed(4)), bits=9),
        refuse("y: weight has codes [-1..200]; they must lie in [-128..127] or [0..255]; rescale "
               "before it", *_layer(4, _packed(4), weight=IntType(-1, 200))),
        refuse("y: lstm: the gates' sums have the interval [-2147483652..2147483652], 33 b; at "
               "most 32 signed bits are allowed; narrow the features before it",
               *_layer(4, _packed(4), x=_WIDEST, features=1)[:4],
               Const((16,), IntType(0, 0))),
    )  # fmt: skip
    # 5 steps of 16 rows; sums of 6 + 4 products and a bias: [-11..11]
    cost = (
        case(*_layer(4, _packed(4))),
        {"mac 1bx1b": 5 * 16 * 10, "add 5b": 5 * 16 + 5 * 4, "compare 5b": 5 * 16 + 2 * 5 * 4,
         "logic 4b": 2 * 5 * 4},
    )  # fmt: skip

    def plain(
        self,
        tally: Tally,
        x: IntArray,
        state: IntArray,
        weight: IntArray,
        recurrent: IntArray,
        bias: IntArray,
        *,
        bits: int,
        ternary: int,
    ) -> IntArray:
        units, top = len(state), (1 << (bits - 1)) - 1
        cells, opened = [s // 2 for s in state], [s % 2 for s in state]
        y = np.empty((len(x), units), dtype=object)
        for t in range(len(x)):
            closed = 0 if ternary else -1
            hidden = [
                (1 if c >= 0 else -1) if o else closed for c, o in zip(cells, opened, strict=True)
            ]
            for u in range(units):
                sums = []
                for gate in range(4):
                    row = gate * units + u
                    total = _sum(tally, weight[row], x[t]) + _sum(tally, recurrent[row], hidden)
                    tally("add")
                    tally("compare")
                    sums.append(total + bias[row])
                i, f, g, o = sums
                cell = (cells[u] if f > 0 else 0) + ((1 if g >= 0 else -1) if i > 0 else 0)
                tally("logic", 2)
                tally("add")
                tally("compare", 2)
                cells[u] = max(-top, min(top, cell))
                opened[u] = 1 if o > 0 else 0
                y[t, u] = 2 * cells[u] + opened[u]
        return y


class TestLstmHidden(OpContract):
    op = "lstm_hidden"
    cases = (
        *(case(Map((5, 4), _packed(bits)), ternary=ternary)
          for bits in range(1, 9) for ternary in (0, 1)),
        *(case(Map((7,), kind), ternary=1) for kind in (
            IntType(0, 0), IntType(1, 1), IntType(-1, -1), IntType(-9, 3, 3), IntType(2, 8, 2),
            IntType(-7, -1, 2), IntType(-4, -3), _WIDEST)),
        *(case(Map((7,), kind)) for kind in (
            IntType(0, 0), IntType(1, 1), IntType(-1, -1), IntType(-9, 3, 3), IntType(2, 8, 2))),
    )  # fmt: skip
    refusals = (
        refuse("y: lstm_hidden: attribute ternary is 2; give 0 to 1",
               Map((5, 4), _packed(4)), ternary=2),
    )  # fmt: skip
    cost = case(Map((5, 4), _packed(4))), {"logic 1b": 20}

    def plain(self, tally: Tally, x: IntArray, *, ternary: int) -> IntArray:
        y = np.empty(x.shape, dtype=object)
        for i in elements(x):
            sign = 1 if x[i] // 2 >= 0 else -1
            y[i] = sign if x[i] % 2 else (0 if ternary else -1)
            tally("logic")
        return y


class TestGru(OpContract):
    op = "gru"
    cases = (
        case(*_layer(3, _BIPOLAR)),
        *(case(*_layer(3, _BIPOLAR, x=code, weight=weight))
          for code in CODES for weight in (_BIPOLAR, _TERNARY)),
        case(*_layer(3, _BIPOLAR, steps=1)),
        case(*_layer(3, _BIPOLAR, units=1, bias=IntType(-4, 4))),
        case(*_layer(3, IntType(-1, -1), features=1, weight=code_set(5))),
    )  # fmt: skip
    refusals = (
        refuse("y: x is 6 [-1..1/2]; its shape must be steps x features",
               Map((6,), _BIPOLAR), *_layer(3, _BIPOLAR)[1:]),
        refuse("y: gru: recurrent has shape (16, 4), expected (12, 4): 3 gates of 4 units, 6 "
               "features", *_layer(3, _BIPOLAR)[:3], *_layer(4, _BIPOLAR)[3:]),
        refuse("y: gru: state has codes [-1..1]; give -1 and +1, [-1..1/2]",
               *_layer(3, _TERNARY)),
    )  # fmt: skip
    cost = (
        case(*_layer(3, _BIPOLAR)),
        {"mac 1bx1b": 5 * 12 * 10, "add 5b": 5 * 12, "compare 5b": 5 * 12, "logic 1b": 2 * 5 * 4},
    )

    def plain(
        self,
        tally: Tally,
        x: IntArray,
        state: IntArray,
        weight: IntArray,
        recurrent: IntArray,
        bias: IntArray,
    ) -> IntArray:
        units, hidden = len(state), list(state)
        y = np.empty((len(x), units), dtype=object)
        for t in range(len(x)):
            following = list(hidden)
            for u in range(units):
                rows = (u, units + u, 2 * units + u)
                fed = [_sum(tally, weight[row], x[t]) + bias[row] for row in rows]
                back = [_sum(tally, recurrent[row], hidden) for row in rows]
                tally("add", 3)
                tally("compare", 3)
                tally("logic", 2)
                new = fed[2] + (back[2] if fed[0] + back[0] > 0 else 0)
                if fed[1] + back[1] <= 0:
                    following[u] = 1 if new >= 0 else -1
            hidden = following
            y[t] = hidden
        return y


def _network(steps: int, *, given: bool, ternary: int = 0) -> Graph:
    """An LSTM and a GRU behind it, on `steps` steps; states given, or those of a beginning."""
    b = GraphBuilder("net")
    x = b.input("x", (steps, 7), _BIPOLAR)
    layers = []
    for name, gates, features, kind, code in (
        ("lstm", 4, 7, _packed(4), 0), ("gru", 3, 5, _BIPOLAR, -1),
    ):  # fmt: skip
        shape = [(gates * 5, features), (gates * 5, 5), (gates * 5,)]
        constants = [
            b.constant(f"{name}.{number}", draw(size, kinds, 7 * number + gates), kinds)
            for number, (size, kinds) in enumerate(zip(shape, [_BIPOLAR] * 2 + [_TERNARY],
                                                       strict=True))
        ]  # fmt: skip
        if given:
            state = b.input(f"{name}.state", (5,), kind)
        else:
            state = b.node(f"{name}.state", "fill", [x], shape=(5,), code=code)
        source = x if name == "lstm" else "hidden"
        attrs = {"bits": 4, "ternary": ternary} if name == "lstm" else {}
        states = b.node(name, name, [source, state, *constants], **attrs)
        if name == "lstm":
            b.node("hidden", "lstm_hidden", [states], ternary=ternary)
        layers.append(states)
    for states in layers:
        last = b.node(f"{states}.slice", "slice", [states], start=steps - 1, stop=steps)
        b.output(b.node(f"{states}.last", "reshape", [last], shape=(5,)))
    b.output("gru")
    return b.build()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ternary", [0, 1])
def test_frame_by_frame_equals_the_whole_clip(engine: str, ternary: int) -> None:
    clip, frame = (
        _network(12, given=False, ternary=ternary), _network(1, given=True, ternary=ternary)
    )  # fmt: skip
    check(clip), check(frame)
    x = draw((6, 12, 7), _BIPOLAR, 3)
    whole = create(engine, clip, threads=1).run({"x": x})
    state = {"lstm.state": np.zeros((6, 5), np.int8), "gru.state": np.full((6, 5), -1, np.int8)}
    one = create(engine, frame, threads=1)
    for t in range(12):
        found = one.run({"x": x[:, t : t + 1], **state})
        assert np.array_equal(found["gru"][:, 0], whole["gru"][:, t]), t
        state = {"lstm.state": found["lstm.last"], "gru.state": found["gru.last"]}
    assert np.array_equal(found["lstm.last"], whole["lstm.last"])


@pytest.mark.parametrize("ternary", [0, 1])
def test_10000_random_steps_are_equal_in_every_engine(ternary: int) -> None:
    graph = _network(10_000, given=True, ternary=ternary)
    batch = {
        "x": draw((1, 10_000, 7), _BIPOLAR, 5),
        "lstm.state": draw((1, 5), _packed(4), 6),
        "gru.state": draw((1, 5), _BIPOLAR, 7),
    }
    keep = ("lstm", "hidden", "gru")
    expected = create("reference", graph, threads=1).run(batch, keep)
    assert np.unique(expected["lstm"]).size > 10
    for engine in ENGINES[1:]:
        found = create(engine, graph, threads=1).run(batch, keep)
        for name in keep:
            assert np.array_equal(found[name], expected[name]), (engine, name)
