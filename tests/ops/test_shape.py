"""Rearrangements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from codesign.ir import Graph, IntArray, IntType
from tests.ops.contract import (
    CODES,
    REGISTERS,
    Const,
    Map,
    OpContract,
    Tally,
    case,
    elements,
    refuse,
)

_BYTE = IntType(0, 255)


class TestChannelShuffle(OpContract):
    op = "channel_shuffle"
    cases = (
        *(case(Map((6, 3, 2), code), groups=3) for code in (*CODES, *REGISTERS)),
        case(Map((12, 2, 3), _BYTE), groups=4),
        case(Map((12, 2, 3), _BYTE), groups=1),
        case(Map((12, 2, 3), _BYTE), groups=12),
        case(Map((8,), _BYTE), groups=2),
        case(Map((8, 5), _BYTE), groups=2),
        case(Map((4, 2, 3, 2), _BYTE), groups=2),
    )
    refusals = (
        refuse("y: 5 groups do not divide 12 channels; use a divisor of 12 (1, 2, 3, 4, 6, 12)",
               Map((12, 2, 2), _BYTE), groups=5),
        refuse("y: x is scalar [0..255]; its shape must be channels, then any other axes",
               Map((), _BYTE), groups=1),
        refuse("y: channel_shuffle: attribute groups is missing; give it", Map((4,), _BYTE)),
        refuse("y: channel_shuffle: attribute groups is 0; give 1 to inf",
               Map((4,), _BYTE), groups=0),
        refuse("y: channel_shuffle: input x is constant; it must be a map",
               Const((4,), _BYTE), groups=2),
    )  # fmt: skip
    cost = case(Map((6, 3, 2), _BYTE), groups=3), {}

    def plain(self, tally: Tally, x: IntArray, *, groups: int) -> IntArray:
        y, width = np.empty(x.shape, dtype=object), len(x) // groups
        for index in elements(x):
            group, place = divmod(index[0], width)
            y[(place * groups + group, *index[1:])] = x[index]
        return y


class TestReshape(OpContract):
    op = "reshape"
    cases = (
        *(case(Map((6, 3, 2), code), shape=(36,)) for code in (*CODES, *REGISTERS)),
        case(Map((6, 3, 2), _BYTE), shape=(2, 3, 6)),
        case(Map((6, 3, 2), _BYTE), shape=(9, 4)),
        case(Map((36,), _BYTE), shape=(4, 3, 3)),
        case(Map((2, 3, 2, 3), _BYTE), shape=(3, 2, 3, 2)),
        case(Map((1, 1, 1), _BYTE), shape=()),
        case(Map((), _BYTE), shape=(1, 1)),
    )
    refusals = (
        refuse("y: shape (5,) has 5 elements, x has 6; make them equal",
               Map((2, 3), _BYTE), shape=(5,)),
        refuse("y: reshape: attribute shape is -1; give 1 to inf",
               Map((2, 3), _BYTE), shape=(-1,)),
        refuse("y: reshape: attribute shape is missing; give it", Map((2, 3), _BYTE)),
        refuse("y: reshape: attribute shape is 6; give integers", Map((2, 3), _BYTE), shape=6),
    )  # fmt: skip
    cost = case(Map((6, 3, 2), _BYTE), shape=(36,)), {}

    def plain(self, tally: Tally, x: IntArray, *, shape: tuple[int, ...]) -> IntArray:
        y = np.empty(shape, dtype=object)
        for target, source in zip(elements(y), elements(x), strict=True):
            y[target] = x[source]
        return y


_WIDEST = IntType(-(1 << 31), (1 << 31) - 1)


class TestTranspose(OpContract):
    op = "transpose"
    cases = (
        *(case(Map((6, 3, 2), code), axes=(2, 0, 1)) for code in (*CODES, *REGISTERS)),
        *(case(Map((6, 3, 2), _BYTE), axes=axes) for axes in ((0, 1, 2), (0, 2, 1), (1, 0, 2))),
        case(Map((8, 5), _BYTE), axes=(1, 0)),
        case(Map((2, 3, 4, 5), _BYTE), axes=(1, 0, 3, 2)),
        case(Map((7,), _BYTE), axes=(0,)),
        case(Map((), _BYTE), axes=()),
    )
    refusals = (
        refuse("y: transpose: axes (0, 0) are not those of x 3x2 [0..255]; give each of 0 to 1 "
               "once", Map((3, 2), _BYTE), axes=(0, 0)),
        refuse("y: transpose: axes (1, 2, 3) are not those of x 3x2x1 [0..255]; give each of 0 to "
               "2 once", Map((3, 2, 1), _BYTE), axes=(1, 2, 3)),
        refuse("y: transpose: attribute axes is missing; give it", Map((3, 2), _BYTE)),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), axes=(1, 0)), {}

    def plain(self, tally: Tally, x: IntArray, *, axes: tuple[int, ...]) -> IntArray:
        y = np.empty([x.shape[axis] for axis in axes], dtype=object)
        for source in elements(x):
            y[tuple(source[axis] for axis in axes)] = x[source]
        return y


class TestConcat(OpContract):
    op = "concat"
    cases = (
        *(case(Map((6, 3, 2), code), Map((2, 3, 2), code)) for code in (*CODES, *REGISTERS)),
        case(Map((2, 3, 2), _BYTE), Map((2, 1, 2), IntType(-3, 3, 2)), axis=1),
        case(Map((2, 3, 2), IntType(-3, 3, 2)), Map((2, 3, 5), IntType(-1, 1, 2)), axis=2),
        case(Map((2, 3, 2, 2), IntType(4, 4)), Map((2, 3, 2, 1), IntType(-2, 2, 2)), axis=3),
        case(Map((2,), _BYTE), Map((3,), _WIDEST)),
    )
    refusals = (
        refuse("y: concat: axis 2 is not one of x 3x2 [0..255]; give 0 to 1",
               Map((3, 2), _BYTE), Map((3, 2), _BYTE), axis=2),
        refuse("y: concat: a is 3x2 [0..255], b is 3x3 [0..255]; their shapes may differ in axis "
               "0 only", Map((3, 2), _BYTE), Map((3, 3), _BYTE)),
        refuse("y: concat: a is 3x2 [0..255], b is 3 [0..255]; their shapes may differ in axis "
               "0 only", Map((3, 2), _BYTE), Map((3,), _BYTE)),
        refuse("y: concat: attribute axis is 8; give 0 to 7",
               Map((3, 2), _BYTE), Map((3, 2), _BYTE), axis=8),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), Map((6, 3), _BYTE)), {}

    def plain(self, tally: Tally, a: IntArray, b: IntArray, *, axis: int) -> IntArray:
        size = a.shape[axis]
        shape = [*a.shape[:axis], size + b.shape[axis], *a.shape[axis + 1 :]]
        y = np.empty(shape, dtype=object)
        for i in elements(y):
            past = i[axis] - size
            y[i] = a[i] if past < 0 else b[(*i[:axis], past, *i[axis + 1 :])]
        return y


class TestSlice(OpContract):
    op = "slice"
    cases = (
        *(case(Map((6, 3, 2), code), start=1, stop=5) for code in (*CODES, *REGISTERS)),
        case(Map((6, 3, 2), _BYTE), axis=1, stop=1),
        case(Map((6, 3, 7), _BYTE), axis=2, start=1, stop=7, step=3),
        case(Map((6, 3, 7), _BYTE), axis=2, start=6, stop=7, step=3),
        case(Map((5,), _BYTE), stop=5),
        case(Map((2, 3, 4, 5), _BYTE), axis=3, start=2, stop=4),
    )
    refusals = (
        refuse("y: slice: axis 2 is not one of x 3x2 [0..255]; give 0 to 1",
               Map((3, 2), _BYTE), axis=2, stop=1),
        refuse("y: slice: [0..4) is not a part of axis 0 of x 3x2 [0..255]; give start < stop "
               "<= 3", Map((3, 2), _BYTE), stop=4),
        refuse("y: slice: [2..2) is not a part of axis 0 of x 3x2 [0..255]; give start < stop "
               "<= 3", Map((3, 2), _BYTE), start=2, stop=2),
        refuse("y: slice: attribute step is 0; give 1 to inf", Map((3, 2), _BYTE), stop=2, step=0),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), stop=3), {}

    def plain(
        self, tally: Tally, x: IntArray, *, axis: int, start: int, stop: int, step: int
    ) -> IntArray:
        kept = list(range(start, stop, step))
        y = np.empty([*x.shape[:axis], len(kept), *x.shape[axis + 1 :]], dtype=object)
        for i in elements(y):
            y[i] = x[(*i[:axis], kept[i[axis]], *i[axis + 1 :])]
        return y


class TestRepeat(OpContract):
    op = "repeat"
    cases = (
        *(case(Map((6, 3, 2), code)) for code in (*CODES, *REGISTERS)),
        case(Map((6, 3, 2), _BYTE), axis=1, times=3),
        case(Map((6, 3, 2), _BYTE), axis=2, times=1),
        case(Map((5,), _BYTE), times=4),
        case(Map((2, 3, 4, 5), _BYTE), axis=3),
    )
    refusals = (
        refuse("y: repeat: axis 2 is not one of x 3x2 [0..255]; give 0 to 1",
               Map((3, 2), _BYTE), axis=2),
        refuse("y: repeat: attribute times is 0; give 1 to inf", Map((3, 2), _BYTE), times=0),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), times=3), {}

    def plain(self, tally: Tally, x: IntArray, *, axis: int, times: int) -> IntArray:
        size = x.shape[axis]
        y = np.empty([*x.shape[:axis], size * times, *x.shape[axis + 1 :]], dtype=object)
        for i in elements(y):
            y[i] = x[(*i[:axis], i[axis] % size, *i[axis + 1 :])]
        return y


class TestPad(OpContract):
    op = "pad"
    cases = (
        *(case(Map((3, 4, 2), code), before=(0, 1, 2), after=(1, 0, 1))
          for code in (*CODES, *REGISTERS)),
        case(Map((3, 4, 2), _BYTE), before=(0, 1, 1), after=(0, 1, 1), code=-7),
        case(Map((3, 4), IntType(-1, 1, 2)), before=(0, 0), after=(0, 1), code=-1),
        case(Map((3, 4), IntType(-1, 1, 2)), before=(0, 0), after=(0, 0), code=1 << 20),
        case(Map((3, 4), IntType(5, 5)), before=(1, 0), after=(0, 0), code=9),
        case(Map((2, 3, 2, 2), _BYTE), before=(0, 1, 0, 0), after=(0, 0, 0, 0), code=300),
        case(Map((4,), _WIDEST), before=(1,), after=(1,), code=(1 << 31) - 1),
    )  # fmt: skip
    refusals = (
        refuse("y: pad: attribute before is (1,); give 2 integers, one an axis",
               Map((3, 2), _BYTE), before=(1,), after=(0, 0)),
        refuse("y: pad: attribute after is (0, 0, 1); give 2 integers, one an axis",
               Map((3, 2), _BYTE), before=(1, 0), after=(0, 0, 1)),
        refuse("y: pad: attribute before is -1; give 0 to inf",
               Map((3,), _BYTE), before=(-1,), after=(0,)),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), before=(1, 1), after=(1, 1)), {}

    def plain(
        self,
        tally: Tally,
        x: IntArray,
        *,
        before: tuple[int, ...],
        after: tuple[int, ...],
        code: int,
    ) -> IntArray:
        sizes = [b + s + a for b, s, a in zip(before, x.shape, after, strict=True)]
        y = np.empty(sizes, dtype=object)
        for i in elements(y):
            at = tuple(place - b for place, b in zip(i, before, strict=True))
            inside = all(0 <= p < s for p, s in zip(at, x.shape, strict=True))
            y[i] = x[at] if inside else code
        return y


class TestFill(OpContract):
    op = "fill"
    cases = (
        *(case(Map((6, 3, 2), code), shape=(5,)) for code in (*CODES, *REGISTERS)),
        *(case(Map((3,), _BYTE), shape=(2, 3), code=code)
          for code in (-1, 1, 255, 300, -(1 << 31), (1 << 31) - 1)),
        case(Map((), _BYTE), shape=(), code=3),
        case(Map((3,), _BYTE), shape=(2, 3, 4)),
    )  # fmt: skip
    refusals = (
        refuse("y: fill: attribute shape is 0; give 1 to inf", Map((3,), _BYTE), shape=(2, 0)),
        refuse("y: fill: attribute code is 2147483648; give -2147483648 to 2147483647",
               Map((3,), _BYTE), shape=(2,), code=1 << 31),
    )  # fmt: skip
    cost = case(Map((6, 3), _BYTE), shape=(4,)), {}

    def plain(self, tally: Tally, x: IntArray, *, shape: tuple[int, ...], code: int) -> IntArray:
        y = np.empty(shape, dtype=object)
        for i in elements(y):
            y[i] = code
        return y


def _ramp(size: int, code: IntType, top: int) -> IntArray:
    codes = np.full(size, code.lo)
    codes[top] = code.hi
    return codes


class TestArgMax(OpContract):
    op = "argmax"
    cases = (
        *(case(Map((10,), code)) for code in (*CODES, *REGISTERS)),
        case(Map((1,), IntType(-5, 5))),
        case(Map((2,), IntType(-5, 5))),
        case(Map((300,), IntType(-5, 5))),
    )
    refusals = (
        refuse("y: x is 2x3 [0..255]; its shape must be scores", Map((2, 3), _BYTE)),
        refuse("y: x is scalar [0..255]; its shape must be scores", Map((), _BYTE)),
        refuse("y: argmax: no attribute axis; it has none", Map((3,), _BYTE), axis=1),
    )
    cost = case(Map((10,), IntType(-200, 255))), {"compare 9b": 9}

    def plain(self, tally: Tally, x: IntArray) -> IntArray:
        best = 0
        for index in range(1, len(x)):
            tally("compare")
            if x[index] > x[best]:
                best = index
        return np.array(best, dtype=object)

    def worst(self, graph: Graph) -> Iterator[Mapping[str, IntArray]]:
        """The greatest score last, first, and twice."""
        x = graph.arguments(graph.nodes[0])[0]
        size = x.size
        yield {"x0": _ramp(size, x.type, size - 1)}
        yield {"x0": np.maximum(_ramp(size, x.type, size - 1), _ramp(size, x.type, size // 2))}
