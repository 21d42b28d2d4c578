"""Products with constant weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from codesign.ir import Graph, IntArray, IntType, code_set
from tests.ops.contract import (
    CODES,
    Case,
    Const,
    Map,
    OpContract,
    Tally,
    case,
    elements,
    refuse,
)

_BYTE = IntType(0, 255)
_WEIGHTS = [code_set(levels) for levels in (2, 3, 4, 5, 7, 8)]


def _extreme_rows(weight: IntArray, code: IntType) -> Iterator[IntArray]:
    """For each row of weights the inputs that make its product least and greatest."""
    for row in weight:
        yield np.where(row > 0, code.hi, code.lo)
        yield np.where(row > 0, code.lo, code.hi)


_ROW: dict[str, Any] = {"stride": (1,), "padding": (0,)}
_CLIP: dict[str, Any] = {"stride": (1, 1, 1), "padding": (0, 0, 0)}


def _conv(
    x: tuple[int, ...], weight: tuple[int, ...], code: IntType, levels: IntType, **attrs: Any
) -> Case:
    return case(Map(x, code), Const(weight, levels), **attrs)


class _Convolution:
    """The plain definition and the worst inputs of a convolution."""

    def plain(self, tally: Tally, x: IntArray, weight: IntArray, **attrs: Any) -> IntArray:
        outputs, depth, *kernel = weight.shape
        stride, padding = attrs["stride"], attrs["padding"]
        sizes = [
            (size + 2 * pad - width) // step + 1
            for size, pad, width, step in zip(x.shape[1:], padding, kernel, stride, strict=True)
        ]
        y = np.zeros((outputs, *sizes), dtype=object)
        for o, *place in elements(y):
            first = o // (outputs // attrs["groups"]) * depth
            for c, *tap in np.ndindex(depth, *kernel):
                at = [i * s + u - p for i, s, u, p in zip(place, stride, tap, padding, strict=True)]
                inside = all(0 <= a < size for a, size in zip(at, x.shape[1:], strict=True))
                code = x[(first + c, *at)] if inside else attrs["pad_code"]
                y[(o, *place)] += weight[(o, c, *tap)] * code
                tally("mac")
        return y

    def worst(self, graph: Graph) -> Iterator[Mapping[str, IntArray]]:
        """The worst inputs of each output channel, under a window that no padding touches."""
        x, weight = graph.arguments(graph.nodes[0])
        assert weight.data is not None
        outputs, depth, *kernel = weight.shape
        attrs: Any = graph.nodes[0].attrs
        axes = zip(x.shape[1:], attrs["padding"], kernel, attrs["stride"], strict=True)
        starts = [
            [
                at * step - pad
                for at in range((size + 2 * pad - width) // step + 1)
                if 0 <= at * step - pad <= size - width
            ]
            for size, pad, width, step in axes
        ]
        if not all(starts):
            return
        firsts = (starts[0][0], *(places[-1] for places in starts[1:]))
        under = [slice(a, a + width) for a, width in zip(firsts, kernel, strict=True)]
        part = outputs // attrs["groups"]
        for index, window in enumerate(_extreme_rows(weight.data, x.type)):
            first = index // 2 // part * depth
            image = np.full(x.shape, x.type.lo)
            image[(slice(first, first + depth), *under)] = window
            yield {"x0": image}


class TestConv(_Convolution, OpContract):
    op = "conv"
    cases = (
        # every width of weights with every code of a map
        *(_conv((3, 5, 4), (4, 3, 3, 3), code, weight) for code in CODES for weight in _WEIGHTS),
        # bytes at their edges, in both operands; a map that no byte carries
        _conv((3, 5, 4), (2, 3, 3, 3), IntType(-1, 254), IntType(-128, 127)),
        _conv((3, 5, 4), (2, 3, 3, 3), _BYTE, _BYTE),
        _conv((3, 5, 4), (2, 3, 3, 3), IntType(-128, 127), _BYTE),
        _conv((3, 5, 4), (2, 3, 3, 3), IntType(100, 227), IntType(5, 9)),
        # sums at the edge of 16 bits and past it
        _conv((16, 3, 3), (2, 16, 1, 1), IntType(-128, 127), IntType(-8, 7)),
        _conv((32, 4, 4), (2, 32, 3, 3), _BYTE, IntType(-128, 127)),
        # a sum that fits 16 bits, on the way to which a part of it does not
        case(
            Map((400, 1, 2), IntType(200, 255)),
            Const((1, 400, 1, 1), IntType(-1, 1, 2), (1,) * 200 + (-1,) * 200),
        ),
        # geometry: odd and even rows, strides, pad codes, windows that do not fill the map
        _conv((2, 1, 1), (3, 2, 1, 1), _BYTE, code_set(3)),
        _conv((2, 6, 7), (3, 2, 3, 3), IntType(0, 3), code_set(3), padding=(1, 1)),
        _conv((2, 6, 7), (3, 2, 3, 3), IntType(0, 3), code_set(3), padding=(2, 3), pad_code=2),
        _conv((2, 7, 8), (3, 2, 3, 3), _BYTE, code_set(5), stride=(2, 2), padding=(1, 1)),
        _conv((2, 8, 9), (3, 2, 2, 3), IntType(-1, 1), code_set(4), stride=(3, 2)),
        _conv((2, 9, 5), (3, 2, 5, 1), IntType(-2, 2), code_set(3), stride=(1, 4), padding=(0, 1)),
        _conv((4, 5, 5), (5, 4, 3, 3), IntType(-1, 1, 2), code_set(2), padding=(1, 1), pad_code=-1),
        _conv((4, 5, 5), (5, 4, 3, 3), IntType(-3, 3, 2), code_set(4), padding=(1, 1), pad_code=3),
        _conv((4, 5, 5), (5, 4, 3, 3), IntType(7, 9), code_set(4), padding=(1, 1), pad_code=8),
        # a map without zero, padded by it or on the way to it
        *(
            Case(
                (Map((2, 3, 3), codes), Const((3, 2, 3, 3), code_set(4))),
                {"padding": (1, 1), "pad_code": code},
                tight=False,
            )
            for codes, code in (
                (IntType(3, 3), 0),
                (IntType(2, 6, 2), 0),
                (IntType(-5, -3), -1),
                (IntType(-1, -1), 0),
                (IntType(255, 255), 0),
            )
        ),
        # groups: few, many, one channel each; channels that are not a multiple of four
        _conv((6, 5, 5), (4, 3, 3, 3), IntType(0, 3), code_set(3), groups=2, padding=(1, 1)),
        _conv((12, 4, 4), (8, 3, 1, 1), IntType(0, 3), code_set(3), groups=4),
        _conv((6, 4, 5), (6, 1, 3, 3), _BYTE, code_set(5), groups=6, padding=(1, 1)),
        _conv((6, 4, 5), (12, 1, 3, 3), _BYTE, code_set(5), groups=6, stride=(2, 1)),
        _conv((9, 4, 4), (40, 9, 3, 3), IntType(0, 3), code_set(3), padding=(1, 1)),
        # sequences and clips; depth-wise over the whole map
        *(
            _conv((4, 9), (6, 2, 3), code, weight, **_ROW, groups=2)
            for code in CODES
            for weight in _WEIGHTS[:3]
        ),
        _conv((3, 9), (4, 3, 2), _BYTE, code_set(5), stride=(2,), padding=(1,)),
        _conv(
            (3, 8),
            (4, 3, 5),
            IntType(-1, 1, 2),
            code_set(2),
            stride=(3,),
            padding=(2,),
            pad_code=-1,
        ),
        *(
            _conv((3, 4, 5, 4), (4, 3, 3, 2, 3), code, weight, **_CLIP)
            for code in CODES
            for weight in _WEIGHTS[:3]
        ),
        _conv(
            (4, 4, 5, 6),
            (6, 2, 3, 3, 3),
            IntType(0, 1),
            code_set(2),
            stride=(1, 2, 2),
            padding=(1, 1, 1),
            groups=2,
        ),
        _conv(
            (3, 5, 4, 5),
            (2, 3, 2, 1, 2),
            _BYTE,
            IntType(-128, 127),
            stride=(2, 1, 3),
            padding=(0, 2, 0),
            pad_code=7,
        ),
        _conv((4, 3, 3, 3), (4, 1, 3, 3, 3), IntType(0, 1), code_set(2), **_CLIP, groups=4),
        _conv((6, 4, 4), (6, 1, 4, 4), IntType(-1, 1, 2), code_set(2), groups=6),
        # each tap is padding but for one, so that the sum cannot reach its bound
        Case(
            (Map((2, 1, 1), IntType(0, 3)), Const((3, 2, 3, 3), code_set(3))),
            {"padding": (1, 1)},
            tight=False,
        ),
        # a constant of zeros
        case(Map((2, 3, 3), _BYTE), Const((1, 2, 3, 3), IntType(0, 0))),
    )
    refusals = (
        refuse("y: x is 6 [0..255]; its shape must be channels x length, channels x height x "
               "width or channels x frames x height x width",
               Map((6,), _BYTE), Const((1, 6, 1, 1), code_set(3))),
        refuse("y: weight is 1x6x1x1 [-1..1]; its shape must be outputs x inputs/groups x length",
               Map((6, 2), _BYTE), Const((1, 6, 1, 1), code_set(3))),
        refuse("y: weight is 1x6x1x1 [-1..1]; its shape must be outputs x inputs/groups x frames "
               "x height x width", Map((6, 2, 2, 2), _BYTE), Const((1, 6, 1, 1), code_set(3))),
        refuse("y: conv: attribute stride is (1, 1); give 3 integers, one an axis",
               Map((6, 2, 2, 2), _BYTE), Const((1, 6, 1, 1, 1), code_set(3))),
        refuse("y: weight is 1x6 [-1..1]; its shape must be outputs x inputs/groups x height x "
               "width", Map((6, 2, 2), _BYTE), Const((1, 6), code_set(3))),
        refuse("y: x has codes [0..256]; products take at most 8 b; rescale before it",
               Map((1, 2, 2), IntType(0, 256)), Const((1, 1, 1, 1), code_set(3))),
        refuse("y: x has codes [-100..200]; products take at most 8 b; rescale before it",
               Map((1, 2, 2), IntType(-100, 200)), Const((1, 1, 1, 1), code_set(3))),
        refuse("y: weight has codes [-1..200]; they must lie in [-128..127] or [0..255]; "
               "rescale before it",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), IntType(-1, 200), (3,))),
        refuse("y: conv: attribute stride is (1,); give 2 integers, one an axis",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), stride=(1,)),
        refuse("y: conv: attribute stride is 0; give 1 to inf",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), stride=(1, 0)),
        refuse("y: conv: attribute padding is (1, 1, 1, 1); give 2 integers, one an axis",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1, 1, 1)),
        refuse("y: conv: attribute padding is 1; give integers",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), padding=1),
        refuse("y: conv: attribute padding is '11'; give integers",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), padding="11"),
        refuse("y: conv: attribute stride is (1, 1.5); give integers",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), stride=(1, 1.5)),
        refuse("y: 5 groups do not divide 12 input channels; use a divisor of 12 "
               "(1, 2, 3, 4, 6, 12)",
               Map((12, 2, 2), _BYTE), Const((5, 2, 1, 1), code_set(3)), groups=5),
        refuse("y: 2 groups do not divide 3 output channels; use a divisor of 3 (1, 3)",
               Map((12, 2, 2), _BYTE), Const((3, 6, 1, 1), code_set(3)), groups=2),
        refuse("y: weight has 12 input channels a group, x has 12 channels in 2 groups; give "
               "weights with 6",
               Map((12, 2, 2), _BYTE), Const((4, 12, 1, 1), code_set(3)), groups=2),
        refuse("y: pad code 0 is not a code of x [-1..1/2]; choose one of its codes",
               Map((1, 2, 2), IntType(-1, 1, 2)), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1)),
        refuse("y: pad code 0 is not a code of x [1..3/2]; choose one of its codes",
               Map((1, 2, 2), IntType(1, 3, 2)), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1)),
        refuse("y: pad code -1 is not a code of x [1..3]; choose one of its codes",
               Map((1, 2, 2), IntType(1, 3)), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1),
               pad_code=-1),
        refuse("y: pad code 4 is not a code of x [1..3]; choose one of its codes",
               Map((1, 2, 2), IntType(1, 3)), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1),
               pad_code=4),
        refuse("y: conv: attribute pad_code is 256; give -128 to 255",
               Map((1, 2, 2), _BYTE), Const((1, 1, 1, 1), code_set(3)), pad_code=256),
        refuse("y: conv: the window is (3, 3), larger than the padded map (2, 4); use a smaller "
               "window or more padding",
               Map((1, 2, 2), _BYTE), Const((1, 1, 3, 3), code_set(3)), padding=(0, 1)),
    )  # fmt: skip
    # 4 x 5 x 4 results of 3 x 3 x 3 taps, those in the padding included
    cost = (
        case(Map((3, 5, 4), _BYTE), Const((4, 3, 3, 3), code_set(5)), padding=(1, 1)),
        {"mac 3bx8b": 4 * 5 * 4 * 27},
    )


_SUM9, _SUM16, _SUM24 = (IntType(-(1 << b), (1 << b) - 1) for b in (8, 15, 23))
_BYTES = IntType(-128, 127)


class TestWideConv(_Convolution, OpContract):
    op = "wide_conv"
    cases = (
        # 9, 16 and 24 bits with every kind of weight, on every number of axes
        *(
            _conv((3, 5, 4), (4, 3, 3, 3), code, weight)
            for code in (_SUM9, _SUM16, _SUM24)
            for weight in (*_WEIGHTS[:3], code_set(5))
        ),
        *(_conv((4, 9), (6, 2, 3), code, code_set(3), **_ROW, groups=2)
          for code in (_SUM9, _SUM16, _SUM24)),
        *(_conv((3, 4, 5, 4), (4, 3, 3, 2, 3), code, code_set(3), **_CLIP)
          for code in (_SUM9, _SUM16, _SUM24)),
        # sums at the edge of 32 bits: from the least code to the greatest
        case(Map((32, 2, 3), _SUM24), Const((1, 32, 1, 1), IntType(-4, 4), (-4,) + (4,) * 31)),
        case(Map((2, 2, 3), _SUM24), Const((1, 2, 1, 1), _BYTES, (-128, 127))),
        case(Map((1, 2, 3), _SUM24), Const((1, 1, 1, 1), _BYTE, (255,))),
        # operands that pass 16 bits where their sums do not: one code, and none of it
        case(Map((1, 2, 3), IntType(40000, 40100)), Const((2, 1, 1, 1), IntType(0, 0))),
        case(
            Map((400, 1, 2), IntType(70000, 70055)),
            Const((1, 400, 1, 1), IntType(-1, 1, 2), (1,) * 200 + (-1,) * 200),
        ),
        # a single digit, two, three; steps; no zero among the codes
        _conv((3, 4, 4), (2, 3, 3, 3), _BYTE, code_set(3)),
        _conv((3, 4, 4), (2, 3, 3, 3), IntType(0, 65535), IntType(-8, 7)),
        _conv((3, 4, 4), (2, 3, 3, 3), IntType(0, (1 << 23) - 1), code_set(3)),
        _conv((3, 4, 4), (2, 3, 3, 3), IntType(-(1 << 23), -1), code_set(3)),
        _conv((3, 4, 4), (2, 3, 3, 3), IntType(-1001, 999, 8), code_set(3)),
        _conv((3, 4, 4), (2, 3, 1, 1), IntType(700, 1300, 6), code_set(4)),
        # geometry: groups, strides, pad codes of every digit
        _conv((6, 5, 5), (4, 3, 3, 3), _SUM16, code_set(3), groups=2, padding=(1, 1)),
        _conv((6, 4, 5), (12, 1, 3, 3), _SUM16, code_set(5), groups=6, stride=(2, 1)),
        _conv((9, 4, 4), (40, 9, 3, 3), _SUM9, code_set(3), padding=(1, 1)),
        *(
            _conv((2, 6, 7), (3, 2, 3, 3), code, code_set(3), padding=(2, 3), pad_code=pad)
            for code, pad in (
                (_SUM9, -256), (_SUM16, 32767), (_SUM24, -(1 << 23)), (_SUM24, (1 << 23) - 1),
                (_SUM24, 70000),
            )
        ),
        _conv((3, 9), (4, 3, 2), _SUM16, code_set(5), stride=(2,), padding=(1,), pad_code=-777),
        _conv(
            (4, 5, 4, 5), (2, 2, 2, 1, 2), _SUM24, code_set(3),
            stride=(2, 1, 3), padding=(0, 2, 0), groups=2, pad_code=1 << 20,
        ),
        Case(
            (Map((2, 3, 3), IntType(300, 900, 300)), Const((3, 2, 3, 3), code_set(4))),
            {"padding": (1, 1)},
            tight=False,
        ),
    )  # fmt: skip
    refusals = (
        refuse("y: x has codes [0..8388608]; wide_conv takes at most 24 signed bits; rescale "
               "before it", Map((1, 2, 2), IntType(0, 1 << 23)), Const((1, 1, 1, 1), code_set(3))),
        refuse("y: x has codes [-8388609..0]; wide_conv takes at most 24 signed bits; rescale "
               "before it",
               Map((1, 2, 2), IntType(-(1 << 23) - 1, 0)), Const((1, 1, 1, 1), code_set(3))),
        refuse("y: wide_conv: the result's interval is [-2155872255..2155872000], 33 b; at most "
               "32 signed bits are allowed; narrow the operands or rescale earlier",
               Map((257, 1, 1), _SUM24),
               Const((1, 257, 1, 1), IntType(-1, 1), (1,) * 256 + (-1,))),
        refuse("y: x is 6 [0..255]; its shape must be channels x length, channels x height x "
               "width or channels x frames x height x width",
               Map((6,), _BYTE), Const((1, 6, 1, 1), code_set(3))),
        refuse("y: weight has codes [-1..200]; they must lie in [-128..127] or [0..255]; "
               "rescale before it",
               Map((1, 2, 2), _SUM9), Const((1, 1, 1, 1), IntType(-1, 200), (3,))),
        refuse("y: wide_conv: attribute stride is (1,); give 2 integers, one an axis",
               Map((1, 2, 2), _SUM9), Const((1, 1, 1, 1), code_set(3)), stride=(1,)),
        refuse("y: 5 groups do not divide 12 input channels; use a divisor of 12 "
               "(1, 2, 3, 4, 6, 12)",
               Map((12, 2, 2), _SUM9), Const((5, 2, 1, 1), code_set(3)), groups=5),
        refuse("y: pad code 256 is not a code of x [-256..255]; choose one of its codes",
               Map((1, 2, 2), _SUM9), Const((1, 1, 1, 1), code_set(3)), padding=(1, 1),
               pad_code=256),
        refuse("y: wide_conv: attribute pad_code is 8388608; give -8388608 to 8388607",
               Map((1, 2, 2), _SUM9), Const((1, 1, 1, 1), code_set(3)), pad_code=1 << 23),
        refuse("y: wide_conv: the window is (3, 3), larger than the padded map (2, 4); use a "
               "smaller window or more padding",
               Map((1, 2, 2), _SUM9), Const((1, 1, 3, 3), code_set(3)), padding=(0, 1)),
    )  # fmt: skip
    # 4 x 5 x 4 results of 3 x 3 x 3 taps, each a product of 3 b by 16 b
    cost = (
        case(Map((3, 5, 4), _SUM16), Const((4, 3, 3, 3), code_set(5)), padding=(1, 1)),
        {"mac 3bx16b": 4 * 5 * 4 * 27},
    )


class TestLinear(OpContract):
    op = "linear"
    cases = (
        *(case(Map((50,), code), Const((7, 50), weight)) for code in CODES for weight in _WEIGHTS),
        # features that are sums, wider than a byte; results past 16 bits
        case(Map((50,), IntType(-30000, 40000)), Const((7, 50), code_set(5))),
        case(Map((50,), IntType(0, 300000)), Const((7, 50), IntType(-128, 127))),
        case(Map((9,), _BYTE), Const((3, 9), _BYTE)),
        case(
            Map((400,), IntType(200, 255)),
            Const((1, 400), IntType(-1, 1, 2), (1,) * 200 + (-1,) * 200),
        ),
        case(Map((1,), IntType(-(1 << 31), (1 << 31) - 1)), Const((1, 1), IntType(0, 1), (1,))),
        case(Map((3,), IntType(-(1 << 31), (1 << 31) - 1)), Const((2, 3), IntType(0, 0))),
    )
    refusals = (
        refuse("y: x is 2x3 [0..255]; its shape must be features",
               Map((2, 3), _BYTE), Const((1, 6), code_set(3))),
        refuse("y: weight is 6 [-1..1]; its shape must be outputs x features",
               Map((6,), _BYTE), Const((6,), code_set(3))),
        refuse("y: weight takes 5 features, x has 6; make them equal",
               Map((6,), _BYTE), Const((2, 5), code_set(3))),
        refuse("y: weight has codes [-1..200]; they must lie in [-128..127] or [0..255]; "
               "rescale before it", Map((2,), _BYTE), Const((1, 2), IntType(-1, 200))),
        refuse("y: linear: the result's interval is [0..2147483648], 32 b; at most 32 signed "
               "bits are allowed; narrow the operands or rescale earlier",
               Map((1,), IntType(0, 1 << 30)), Const((1, 1), IntType(0, 2), (2,))),
        refuse("x1: constant has codes in [-2..2], its type is [-1..1]; give the type that holds "
               "them", Map((2,), _BYTE), Const((1, 2), IntType(-1, 1), (-2, 2))),
    )  # fmt: skip
    cost = case(Map((50,), IntType(0, 3)), Const((7, 50), code_set(3))), {"mac 2bx2b": 350}

    def plain(self, tally: Tally, x: IntArray, weight: IntArray) -> IntArray:
        y = np.zeros(len(weight), dtype=object)
        for o, i in elements(weight):
            y[o] += weight[o, i] * x[i]
            tally("mac")
        return y

    def worst(self, graph: Graph) -> Iterator[Mapping[str, IntArray]]:
        """The worst inputs of each row."""
        x, weight = graph.arguments(graph.nodes[0])
        assert weight.data is not None
        for image in _extreme_rows(weight.data, x.type):
            yield {"x0": image}
