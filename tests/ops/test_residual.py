"""Two maps merged."""

from __future__ import annotations

import numpy as np

from codesign.ir import IntArray, IntType
from tests.ops.contract import (
    CODES,
    REGISTERS,
    Case,
    Const,
    Map,
    OpContract,
    Tally,
    case,
    elements,
    refuse,
    types,
)

_BYTE, _BIT, _BIPOLAR, _TWO = types((0, 255), (0, 1), (-1, 1, 2), (0, 3))
_WIDEST = IntType(-(1 << 31), (1 << 31) - 1)
_ONE_BIT = (
    *(case(Map(shape, code), Map(shape, code)) for code in (_BIT, _BIPOLAR)
      for shape in ((1,), (3, 5, 7), (3, 2, 3, 4), ())),
    # a map that is one code only, and maps that are nothing else
    case(Map((3, 5), _BIT), Map((3, 5), IntType(1, 1))),
    case(Map((3, 5), IntType(0, 0)), Map((3, 5), _BIT)),
    case(Map((3, 5), IntType(-1, -1)), Map((3, 5), _BIPOLAR)),
    case(Map((3, 5), IntType(-1, -1)), Map((3, 5), IntType(1, 1))),
)  # fmt: skip


def _same(*codes: IntType) -> list[Case]:
    return [case(Map((3, 5, 7), code), Map((3, 5, 7), code)) for code in codes]


def _not_bits(a: str, b: str) -> str:
    return (
        f"y: a has codes {a}, b {b}; both must be [0..1], or both [-1..1/2]; "
        "use maximum for wider codes"
    )


_REFUSED_BITS = (
    refuse("y: a is 3x2 [0..1], b is 2x3 [0..1]; their shapes must be equal",
           Map((3, 2), _BIT), Map((2, 3), _BIT)),
    refuse(_not_bits("[0..1]", "[-1..1/2]"), Map((3,), _BIT), Map((3,), _BIPOLAR)),
    refuse(_not_bits("[0..3]", "[0..3]"), Map((3,), _TWO), Map((3,), _TWO)),
)  # fmt: skip


class TestBitOr(OpContract):
    op = "bit_or"
    cases = _ONE_BIT
    refusals = (
        *_REFUSED_BITS,
        refuse("y: bit_or: input b is constant; it must be a map",
               Map((3,), _BIT), Const((3,), _BIT)),
    )  # fmt: skip
    cost = case(Map((3, 5), _BIT), Map((3, 5), _BIT)), {"logic 1b": 15}

    def plain(self, tally: Tally, a: IntArray, b: IntArray) -> IntArray:
        y = np.empty(a.shape, dtype=object)
        for i in elements(a):
            y[i] = 1 if a[i] == 1 or b[i] == 1 else a[i]
            tally("logic")
        return y


class TestBitAnd(OpContract):
    op = "bit_and"
    cases = _ONE_BIT
    refusals = _REFUSED_BITS
    cost = case(Map((3, 5), _BIT), Map((3, 5), _BIT)), {"logic 1b": 15}

    def plain(self, tally: Tally, a: IntArray, b: IntArray) -> IntArray:
        y = np.empty(a.shape, dtype=object)
        for i in elements(a):
            y[i] = 1 if a[i] == 1 and b[i] == 1 else min(a[i], b[i])
            tally("logic")
        return y


class TestMaximum(OpContract):
    op = "maximum"
    cases = (
        *_same(*CODES, *REGISTERS),
        case(Map((3, 5), _BYTE), Map((3, 5), IntType(-128, 127))),
        case(Map((3, 5), IntType(-3, 3, 2)), Map((3, 5), IntType(-1, 5, 2))),
        case(Map((3, 5), IntType(-2, 4, 2)), Map((3, 5), IntType(-3, 3, 2))),
        case(Map((3, 5), IntType(-9, -2)), Map((3, 5), IntType(4, 4))),
        case(Map((), _BYTE), Map((), _TWO)),
    )
    refusals = (
        refuse("y: a is 3 [0..255], b is 4 [0..255]; their shapes must be equal",
               Map((3,), _BYTE), Map((4,), _BYTE)),
    )  # fmt: skip
    cost = case(Map((3, 5), _TWO), Map((3, 5), _BYTE)), {"compare 8b": 15}

    def plain(self, tally: Tally, a: IntArray, b: IntArray) -> IntArray:
        y = np.empty(a.shape, dtype=object)
        for i in elements(a):
            y[i] = a[i] if a[i] > b[i] else b[i]
            tally("compare")
        return y


class TestShiftAdd(OpContract):
    op = "shift_add"
    cases = (
        *_same(*CODES, *REGISTERS),
        case(Map((3, 5), _BYTE), Map((3, 5), IntType(-128, 127))),
        case(Map((3, 5), _WIDEST), Map((3, 5), IntType(-1, 0))),
        case(Map((), _BYTE), Map((), _TWO)),
    )
    refusals = (
        refuse("y: a is 3 [0..3], b is 1x3 [0..3]; their shapes must be equal",
               Map((3,), _TWO), Map((1, 3), _TWO)),
    )  # fmt: skip
    cost = case(Map((3, 5), _TWO), Map((3, 5), _TWO)), {"add 3b": 15}

    def plain(self, tally: Tally, a: IntArray, b: IntArray) -> IntArray:
        y = np.empty(a.shape, dtype=object)
        for i in elements(a):
            y[i] = (a[i] + b[i]) // 2
            tally("add")
        return y


class TestMux(OpContract):
    op = "mux"
    cases = (
        *(case(Map((3, 5, 7), code), Map((3, 5, 7), code), Map((3,), _BIT))
          for code in (*CODES, *REGISTERS)),
        case(Map((4,), _TWO), Map((4,), _BYTE), Map((4,), _BIT)),
        case(Map((4, 6), IntType(0, 6, 2)), Map((4, 6), IntType(1, 7, 2)), Map((4,), _BIT)),
        # one bit a channel and frame; one for each element
        case(Map((3, 4, 2, 5), _BIT), Map((3, 4, 2, 5), _BIT), Map((3, 4), _BIT)),
        case(Map((3, 4, 2), _BIT), Map((3, 4, 2), _TWO), Map((3, 4, 2), _BIT)),
        # a select that is always open
        Case((Map((3, 5), _BIT), Map((3, 5), _TWO), Map((3,), IntType(1, 1))), tight=False),
    )  # fmt: skip
    refusals = (
        refuse("y: a is 3 [0..3], b is 4 [0..3]; their shapes must be equal",
               Map((3,), _TWO), Map((4,), _TWO), Map((3,), _BIT)),
        refuse("y: select has shape (4,), a is 3x4 [0..3]; give one bit a channel of a, or one "
               "for each index of its first axes",
               Map((3, 4), _TWO), Map((3, 4), _TWO), Map((4,), _BIT)),
        refuse("y: select has shape (), a is scalar [0..3]; give one bit a channel of a, or one "
               "for each index of its first axes",
               Map((), _TWO), Map((), _TWO), Map((), _BIT)),
        refuse("y: select has codes [0..3]; give bits [0..1]",
               Map((3, 4), _TWO), Map((3, 4), _TWO), Map((3,), _TWO)),
    )  # fmt: skip
    cost = case(Map((3, 5), _TWO), Map((3, 5), _TWO), Map((3,), _BIT)), {"logic 2b": 15}

    def plain(self, tally: Tally, a: IntArray, b: IntArray, select: IntArray) -> IntArray:
        y = np.empty(a.shape, dtype=object)
        for i in elements(a):
            y[i] = a[i] if select[i[: select.ndim]] else b[i]
            tally("logic")
        return y
