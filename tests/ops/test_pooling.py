"""Pooling: maximum of windows, sum of maps."""

from __future__ import annotations

import numpy as np

from codesign.ir import IntArray, IntType, lookup
from tests.ops.contract import (
    CODES,
    REGISTERS,
    Const,
    Map,
    OpContract,
    Tally,
    build,
    case,
    elements,
    refuse,
    types,
)

_BYTE = IntType(0, 255)


class TestMaxPool(OpContract):
    op = "max_pool"
    cases = (
        *(case(Map((3, 4, 6), code)) for code in (*CODES, *types((100, 200), (-7, -3)))),
        case(Map((3, 5, 7), _BYTE)),
        case(Map((3, 5, 7), IntType(-2, 2)), kernel=(3, 2), stride=(1, 2)),
        case(Map((3, 5, 7), IntType(-2, 2)), kernel=(2, 3), stride=(3, 1)),
        case(Map((3, 5, 7), IntType(0, 3)), kernel=(1, 1), stride=(2, 2)),
        case(Map((3, 5, 7), IntType(0, 3)), kernel=(5, 7), stride=(1, 1)),
        case(Map((1, 1, 1), IntType(0, 3)), kernel=(1, 1), stride=(1, 1)),
    )
    refusals = (
        refuse("y: x is 6 [0..255]; its shape must be channels x height x width",
               Map((6,), _BYTE)),
        refuse("y: x has codes [0..256]; they must lie in [-128..127] or [0..255]; rescale "
               "before it", Map((1, 2, 2), IntType(0, 256))),
        refuse("y: max_pool: attribute kernel is (2,); give 2 integers, one an axis",
               Map((1, 2, 2), _BYTE), kernel=(2,)),
        refuse("y: max_pool: attribute stride is (1, 1, 1); give 2 integers, one an axis",
               Map((1, 2, 2), _BYTE), stride=(1, 1, 1)),
        refuse("y: max_pool: attribute kernel is 0; give 1 to inf",
               Map((1, 2, 2), _BYTE), kernel=(0, 2)),
        refuse("y: max_pool: the window is (2, 2), larger than the padded map (1, 5); use a "
               "smaller window or more padding", Map((1, 1, 5), _BYTE)),
        refuse("y: max_pool: input x is constant; it must be a map", Const((1, 2, 2), _BYTE)),
    )  # fmt: skip
    cost = case(Map((3, 4, 6), IntType(0, 3))), {"compare 2b": 3 * 2 * 3 * 3}

    def plain(
        self, tally: Tally, x: IntArray, *, kernel: tuple[int, int], stride: tuple[int, int]
    ) -> IntArray:
        # the maximum of two codes is one bit's OR
        kind = "logic" if tally.inputs[0].type.count == 2 else "compare"
        rows = (x.shape[1] - kernel[0]) // stride[0] + 1
        columns = (x.shape[2] - kernel[1]) // stride[1] + 1
        y = np.empty((x.shape[0], rows, columns), dtype=object)
        for c, i, j in elements(y):
            best = None
            for u, v in np.ndindex(*kernel):
                code = x[c, i * stride[0] + u, j * stride[1] + v]
                if best is not None:
                    tally(kind)
                best = code if best is None or code > best else best
            y[c, i, j] = best
        return y

    def test_the_maximum_of_bits_is_their_or(self) -> None:
        for code in types((0, 1), (-1, 1, 2)):
            graph = build([Map((3, 4, 6), code)], "max_pool", {})
            node = graph.nodes[0]
            cost = lookup("max_pool").cost(*graph.arguments(node), **node.attrs)
            assert {str(operation): count for operation, count in cost} == {"logic 1b": 54}


class TestSumPool(OpContract):
    op = "sum_pool"
    cases = (
        *(case(Map((3, 4, 6), code)) for code in CODES),
        *(case(Map((5, 2, 1), code)) for code in REGISTERS if abs(code.lo) + code.hi < 1 << 29),
        case(Map((3, 1, 1), IntType(-(1 << 31), (1 << 31) - 1))),
        case(Map((2, 11, 13), _BYTE)),
    )
    refusals = (
        refuse("y: x is 6 [0..255]; its shape must be channels x height x width",
               Map((6,), _BYTE)),
        refuse("y: sum_pool: the result's interval is [0..4294967294], 32 b; at most 32 signed "
               "bits are allowed; narrow the operands or rescale earlier",
               Map((1, 1, 2), IntType(0, (1 << 31) - 1))),
        refuse("y: sum_pool: no attribute kernel; it has none", Map((1, 2, 2), _BYTE), kernel=1),
    )  # fmt: skip
    # 24 codes of at most 255: a register of 13 bits
    cost = case(Map((3, 4, 6), _BYTE)), {"add 13b": 3 * 23}

    def plain(self, tally: Tally, x: IntArray) -> IntArray:
        y = np.empty(len(x), dtype=object)
        for c, channel in enumerate(x):
            total, *others = channel.flat
            for code in others:
                total += code
                tally("add")
            y[c] = total
        return y
