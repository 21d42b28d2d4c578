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
        # sequences and clips
        *(case(Map((3, 9), code), kernel=(2,), stride=(2,)) for code in types((0, 1), (-3, 7))),
        case(Map((2, 9), _BYTE), kernel=(4,), stride=(3,)),
        case(Map((3, 4, 6, 4), IntType(0, 1)), kernel=(2, 2, 2), stride=(2, 2, 2)),
        case(Map((3, 4, 6, 4), IntType(-2, 2)), kernel=(1, 2, 2), stride=(1, 2, 2)),
        case(Map((2, 5, 6, 5), _BYTE), kernel=(3, 1, 2), stride=(2, 3, 1)),
    )
    refusals = (
        refuse("y: x is 6 [0..255]; its shape must be channels x length, channels x height x "
               "width or channels x frames x height x width", Map((6,), _BYTE)),
        refuse("y: x is 1x1x1x1x1 [0..255]; its shape must be channels x length, channels x "
               "height x width or channels x frames x height x width",
               Map((1, 1, 1, 1, 1), _BYTE)),
        refuse("y: max_pool: attribute kernel is (2, 2); give 3 integers, one an axis",
               Map((1, 2, 2, 2), _BYTE)),
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
        self, tally: Tally, x: IntArray, *, kernel: tuple[int, ...], stride: tuple[int, ...]
    ) -> IntArray:
        # the maximum of two codes is one bit's OR
        kind = "logic" if tally.inputs[0].type.count == 2 else "compare"
        sizes = [
            (size - width) // step + 1
            for size, width, step in zip(x.shape[1:], kernel, stride, strict=True)
        ]
        y = np.empty((x.shape[0], *sizes), dtype=object)
        for c, *place in elements(y):
            best = None
            for tap in np.ndindex(*kernel):
                at = [i * s + u for i, s, u in zip(place, stride, tap, strict=True)]
                code = x[(c, *at)]
                if best is not None:
                    tally(kind)
                best = code if best is None or code > best else best
            y[(c, *place)] = best
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


class TestTgap(OpContract):
    op = "tgap"
    cases = (
        *(case(Map((5, 3, 4), code), Const((5,), IntType(-3, 3))) for code in CODES),
        case(Map((3, 3, 4), IntType(0, 1)), Const((3,), IntType(0, 12), (0, 6, 11))),
        case(Map((3, 7), IntType(0, 1)), Const((3,), IntType(0, 12), (0, 3, 6))),
        case(Map((4, 3, 2, 5), IntType(0, 3)), Const((4,), IntType(0, 90), (0, 40, 45, 89))),
        case(Map((3, 4, 2, 5), IntType(0, 1)), Const((3,), IntType(0, 9), (0, 5, 9)), frames=1),
        case(Map((3, 4, 2, 5), IntType(-2, 2)), Const((3,), IntType(-9, 9)), frames=1),
        case(Map((3, 6), IntType(0, 3)), Const((3,), IntType(0, 2)), frames=1),
        case(Map((3, 4, 2, 5), IntType(0, 1)), Const((3,), IntType(0, 9), (0, 5, 9)), frames=1,
             delay=1),
        case(Map((2, 5, 3), IntType(-9, 9)), Const((2,), IntType(-9, 9)), frames=1, delay=3),
        # never, always, and thresholds that no 32 bits hold
        case(Map((2, 3, 2), IntType(0, 1)), Const((2,), IntType(6, 9))),
        case(Map((2, 3, 2), IntType(0, 1)), Const((2,), IntType(-9, -1))),
        case(Map((2, 3, 2), IntType(0, 1)), Const((2,), IntType(-(1 << 40), 1 << 40))),
        case(Map((2, 3, 2), IntType(0, 1)), Const((2,), IntType(-9, -1)), frames=1, delay=1),
        # sums at the edge of 32 bits
        case(Map((1, 1, 2), IntType(-(1 << 30), (1 << 30) - 1)), Const((1,), IntType(-1, -1))),
    )  # fmt: skip
    refusals = (
        refuse("y: x is 6 [0..255]; its shape must be channels x length, channels x height x "
               "width or channels x frames x height x width",
               Map((6,), _BYTE), Const((6,), _BYTE)),
        refuse("y: theta has shape (3,), x is 2x3x3 [0..255]; give one threshold a channel of x",
               Map((2, 3, 3), _BYTE), Const((3,), _BYTE)),
        refuse("y: tgap: input theta is a map; it must be constant",
               Map((2, 3, 3), _BYTE), Map((2,), _BYTE)),
        refuse("y: tgap: a whole clip has one bit a channel, which no later frame can wait for; "
               "use frames=1 to stream, or delay=0",
               Map((2, 3, 3, 3), _BYTE), Const((2,), _BYTE), delay=1),
        refuse("y: tgap: delay 3 leaves none of the 3 frames of x; give less",
               Map((2, 3, 3, 3), _BYTE), Const((2,), _BYTE), frames=1, delay=3),
        refuse("y: tgap: attribute frames is 2; give 0 to 1",
               Map((2, 3, 3, 3), _BYTE), Const((2,), _BYTE), frames=2),
        refuse("y: tgap: the sums have the interval [0..4294967294], 32 b; at most 32 signed bits "
               "are allowed; narrow the codes before it",
               Map((1, 1, 2), IntType(0, (1 << 31) - 1)), Const((1,), _BYTE)),
    )  # fmt: skip
    # 2 channels of 3 frames of 20 bits; the last frame's bit is never asked for
    cost = (
        case(Map((2, 3, 4, 5), IntType(0, 1)), Const((2,), IntType(0, 20)), frames=1, delay=1),
        {"add 5b": 2 * 3 * 19, "compare 5b": 2 * 2},
    )

    def plain(
        self, tally: Tally, x: IntArray, theta: IntArray, *, frames: int, delay: int
    ) -> IntArray:
        channels = len(x)
        parts = x.reshape(channels, x.shape[1] if frames else 1, -1)
        y = np.zeros(parts.shape[:2], dtype=object)
        for c, t in elements(y):
            total, *others = parts[c, t]
            for code in others:
                total += code
                tally("add")
            if t + delay < y.shape[1]:
                y[c, t + delay] = 1 if total > theta[c] else 0
                tally("compare")
        return y if frames else y[:, 0]

    def test_an_equal_count_gives_0(self) -> None:
        spec = lookup("tgap")
        x = np.array([[[1, 1, 0, 0]], [[1, 1, 1, 0]]])
        for image, bit in zip(x, (0, 1), strict=True):
            found = spec.reference(image[None], np.array([2]), frames=0, delay=0)
            assert found.tolist() == [[bit]]

    def test_the_modes_agree_where_defined(self) -> None:
        """A clip of one frame is that frame; the causal bits are the frames' bits, a frame late."""
        spec, x = lookup("tgap"), np.random.default_rng(1).integers(0, 2, (50, 3, 4, 5, 6))
        theta = np.array([12, 15, 18])
        frames = spec.reference(x, theta, frames=1, delay=0)
        for t in range(4):
            clip = spec.reference(x[:, :, t : t + 1], theta, frames=0, delay=0)
            assert np.array_equal(clip, frames[:, :, t])
        causal = spec.reference(x, theta, frames=1, delay=1)
        assert np.array_equal(causal[:, :, 1:], frames[:, :, :-1])
        assert not causal[:, :, 0].any()
