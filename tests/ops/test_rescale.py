"""Operations from accumulators to codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from codesign.ir import IntArray, IntType
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
    types,
)

_BYTE = IntType(0, 255)
_WIDEST = IntType(-(1 << 31), (1 << 31) - 1)


def _each(x: IntArray, function: Any) -> IntArray:
    y = np.empty(x.shape, dtype=object)
    for index in elements(x):
        y[index] = function(index, x[index])
    return y


class TestBitShiftNorm(OpContract):
    op = "bit_shift_norm"
    cases = (
        *(
            case(Map((5, 3, 7), code), Const((5,), IntType(-9, 14)), shift=shift)
            for code in types((0, 255), (-2805, 3570), (-32768, 32767), (-1, 1, 2))
            for shift in (0, 1, 3, 31)
        ),
        case(Map((4,), IntType(-1000, 1000)), Const((4,), IntType(-70000, 70000)), shift=4),
        case(Map((3, 2), IntType(0, 3)), Const((3,), IntType(5, 5)), shift=1),
        case(Map((2, 3, 2, 2), IntType(-8, 7)), Const((2,), IntType(-1, 1, 2)), shift=0),
        case(Map((2, 2, 2), IntType(-(1 << 30), 1 << 30)),
             Const((2,), IntType(-(1 << 30), (1 << 30) - 1)), shift=7),
    )  # fmt: skip
    refusals = (
        refuse(
            "y: bias has shape (4,), x is 3x2x2 [0..255]; give one bias a channel of x",
            Map((3, 2, 2), _BYTE), Const((4,), IntType(-1, 1)),
        ),
        refuse(
            "y: bias has shape (1,), x is scalar [0..255]; give one bias a channel of x",
            Map((), _BYTE), Const((1,), IntType(-1, 1)),
        ),
        refuse(
            "y: the sum x + bias has the interval [-2147483648..2147483648], 33 b; "
            "at most 32 signed bits are allowed; use smaller biases",
            Map((2,), _WIDEST), Const((2,), IntType(0, 1)), shift=4,
        ),
        refuse("y: bit_shift_norm: attribute shift is 32; give 0 to 31",
               Map((2,), _BYTE), Const((2,), IntType(0, 1)), shift=32),
        refuse("y: bit_shift_norm: attribute shift is -1; give 0 to 31",
               Map((2,), _BYTE), Const((2,), IntType(0, 1)), shift=-1),
        refuse("y: bit_shift_norm: attribute shift is 1.0; give an integer",
               Map((2,), _BYTE), Const((2,), IntType(0, 1)), shift=1.0),
        refuse("y: bit_shift_norm: no attribute scale; it has shift",
               Map((2,), _BYTE), Const((2,), IntType(0, 1)), scale=1),
        refuse("y: bit_shift_norm: input bias is a map; it must be constant",
               Map((2,), _BYTE), Map((2,), _BYTE)),
        refuse("y: bit_shift_norm takes 2 inputs (x, bias), 1 are given; give each one",
               Map((2,), _BYTE)),
    )  # fmt: skip
    # 255 + 14 and 0 - 9: a register of 10 bits
    cost = (
        case(Map((5, 3, 7), _BYTE), Const((5,), IntType(-9, 14)), shift=3),
        {"add 10b": 105, "shift 10b": 105},
    )

    def plain(self, tally: Tally, x: IntArray, bias: IntArray, *, shift: int) -> IntArray:
        def one(index: tuple[int, ...], code: int) -> int:
            tally("add")
            total = code + int(bias[index[0]])
            if not shift:
                return total
            tally("shift")
            return total // (1 << shift)  # Python's // floors

        return _each(x, one)


class TestHwmsb(OpContract):
    op = "hwmsb"
    cases = tuple(
        case(Map((5, 3, 2), code), bits=bits, shift=shift)
        for code in REGISTERS
        for bits, shift in ((1, 0), (2, 2), (3, 1), (8, 5), (2, 31))
    )
    refusals = (
        refuse("y: hwmsb: attribute bits is 9; give 1 to 8", Map((2,), _BYTE), bits=9),
        refuse("y: hwmsb: attribute bits is 0; give 1 to 8", Map((2,), _BYTE), bits=0),
        refuse("y: hwmsb: attribute bits is True; give an integer", Map((2,), _BYTE), bits=True),
        refuse("y: hwmsb: attribute shift is 32; give 0 to 31", Map((2,), _BYTE), shift=32),
        refuse("y: hwmsb: input x is constant; it must be a map", Const((2,), _BYTE)),
    )
    cost = (
        case(Map((5, 3, 2), IntType(-2805, 3570)), bits=2, shift=4),
        {"shift 13b": 30, "compare 9b": 60},
    )

    def plain(self, tally: Tally, x: IntArray, *, bits: int, shift: int) -> IntArray:
        def one(_: tuple[int, ...], code: int) -> int:
            if shift:
                tally("shift")
            tally("compare", 2)
            return int(sorted((0, code // 2**shift, 2**bits - 1))[1])

        return _each(x, one)


class TestHeaviside(OpContract):
    op = "heaviside"
    cases = tuple(case(Map((5, 3, 2), code)) for code in (*REGISTERS, *CODES, IntType(-3, 0)))
    refusals = (
        refuse("y: heaviside: no attribute level; it has none", Map((2,), _BYTE), level=1),
        refuse("y: heaviside: input x is constant; it must be a map", Const((2,), _BYTE)),
    )
    cost = case(Map((5, 3, 2), IntType(-2805, 3570))), {"compare 13b": 30}

    def plain(self, tally: Tally, x: IntArray) -> IntArray:
        def one(_: tuple[int, ...], code: int) -> int:
            tally("compare")
            return 1 if code > 0 else 0

        return _each(x, one)


class TestSign(OpContract):
    op = "sign"
    cases = tuple(case(Map((5, 3, 2), code)) for code in (*REGISTERS, *CODES, IntType(-3, 0)))
    refusals = (
        refuse("y: sign: no attribute zero; it has none", Map((2,), _BYTE), zero=1),
        refuse("y: sign: input x is constant; it must be a map", Const((2,), _BYTE)),
    )
    cost = case(Map((5, 3, 2), IntType(0, 255))), {"compare 8b": 30}

    def plain(self, tally: Tally, x: IntArray) -> IntArray:
        def one(_: tuple[int, ...], code: int) -> int:
            tally("compare")
            return 1 if code >= 0 else -1

        return _each(x, one)


class TestClip(OpContract):
    op = "clip"
    cases = tuple(
        case(Map((5, 3, 2), code), lo=lo, hi=hi)
        for code in (*REGISTERS, IntType(-3, 3, 2))
        for lo, hi in ((0, 3), (-2, 1), (-100000, 100000), (7, 7), (-(1 << 31), (1 << 31) - 1))
    )
    refusals = (
        refuse("y: clip: lo 3 is above hi 2; give lo <= hi", Map((2,), _BYTE), lo=3, hi=2),
        refuse("y: clip: attribute hi is missing; give it", Map((2,), _BYTE), lo=3),
        refuse("y: clip: attribute hi is 2147483648; give -2147483648 to 2147483647",
               Map((2,), _BYTE), lo=3, hi=1 << 31),
    )  # fmt: skip
    cost = case(Map((5, 3, 2), IntType(-9, 255)), lo=0, hi=3), {"compare 9b": 60}

    def plain(self, tally: Tally, x: IntArray, *, lo: int, hi: int) -> IntArray:
        def one(_: tuple[int, ...], code: int) -> int:
            tally("compare", 2)
            return min(max(code, lo), hi)

        return _each(x, one)


def _ascending(channels: int, count: int) -> tuple[int, ...]:
    levels = np.random.default_rng(count).integers(-50, 51, (channels, count))
    return tuple(np.sort(levels).flat)


class TestThreshold(OpContract):
    op = "threshold"
    cases = (
        # k = 1..4 bits, channels flipped or not, on every code set and register
        *(
            case(Map((4, 3, 5), code), Const((4, 2), code, (code.lo, code.hi) * 4),
                 Const((4,), IntType(0, 1)))
            for code in (*CODES, *REGISTERS)
        ),
        *(
            case(
                Map((3, 5, 7), IntType(-60, 60)),
                Const((3, count), IntType(-50, 50),
                      _ascending(3, count)),
                Const((3,), IntType(0, 1), (0, 1, 0)),
            )
            for count in (1, 3, 7, 15)
        ),
        # equal thresholds, a channel that is constant, sequences and clips
        case(Map((2,), IntType(-5, 5)), Const((2, 3), IntType(0, 2), (0, 0, 2, 1, 1, 1)),
             Const((2,), IntType(0, 1), (1, 0))),
        case(Map((2, 6), IntType(-5, 5)), Const((2, 1), IntType(-6, 6), (-6, 6)),
             Const((2,), IntType(0, 0))),
        case(Map((1, 6), IntType(-5, 5)), Const((1, 1), IntType(6, 6)),
             Const((1,), IntType(0, 0))),
        case(Map((2, 2, 3, 4), IntType(-9, 9)), Const((2, 3), IntType(-8, 8), (-8, 0, 8, -1, 0, 1)),
             Const((2,), IntType(1, 1))),
        # thresholds that no 32 bits hold
        case(Map((2, 6), _WIDEST), Const((2, 1), IntType(-(1 << 40), 1 << 40)),
             Const((2,), IntType(0, 1))),
    )  # fmt: skip
    refusals = (
        refuse("y: thresholds have shape (3,), x is 3x2 [0..255]; give channels of x x count",
               Map((3, 2), _BYTE), Const((3,), _BYTE), Const((3,), IntType(0, 1))),
        refuse("y: thresholds have shape (2, 3), x is 3x2 [0..255]; give channels of x x count",
               Map((3, 2), _BYTE), Const((2, 3), _BYTE), Const((3,), IntType(0, 1))),
        refuse("y: thresholds have shape (1, 3), x is scalar [0..255]; give channels of x x count",
               Map((), _BYTE), Const((1, 3), _BYTE), Const((1,), IntType(0, 1))),
        refuse("y: flip is 2 [0..1], x is 3x2 [0..255]; give one bit [0..1] for each channel of x",
               Map((3, 2), _BYTE), Const((3, 1), _BYTE), Const((2,), IntType(0, 1))),
        refuse("y: flip is 3 [0..2], x is 3x2 [0..255]; give one bit [0..1] for each channel of x",
               Map((3, 2), _BYTE), Const((3, 1), _BYTE), Const((3,), IntType(0, 2))),
        refuse("y: the thresholds of channel 1 do not ascend: [4, 9, 8]; sort them",
               Map((2, 2), _BYTE), Const((2, 3), _BYTE, (1, 2, 3, 4, 9, 8)),
               Const((2,), IntType(0, 1))),
        refuse("y: threshold: input flip is a map; it must be constant",
               Map((3, 2), _BYTE), Const((3, 1), _BYTE), Map((3,), IntType(0, 1))),
    )  # fmt: skip
    cost = (
        case(Map((2, 3, 5), IntType(-9, 6)), Const((2, 3), IntType(0, 3), (0, 1, 2) * 2),
             Const((2,), IntType(0, 1))),
        {"compare 5b": 2 * 15 * 3},
    )  # fmt: skip

    def plain(self, tally: Tally, x: IntArray, thresholds: IntArray, flip: IntArray) -> IntArray:
        def code(index: tuple[int, ...], value: int) -> int:
            passed = 0
            for level in thresholds[index[0]]:
                tally("compare")
                passed += value <= level if flip[index[0]] else value >= level
            return passed

        return _each(x, code)
