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
