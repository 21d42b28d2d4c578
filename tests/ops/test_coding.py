"""Input coding."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from codesign.ir import Graph, IntArray, IntType, lookup
from tests.ops.contract import (
    CODES,
    Const,
    Map,
    OpContract,
    Tally,
    case,
    elements,
    refuse,
)

_BYTE = IntType(0, 255)


class TestYcbcr(OpContract):
    op = "ycbcr"
    cases = (
        *(case(Map((3, 4, 5), code)) for code in (_BYTE, IntType(0, 1), IntType(3, 200))),
        case(Map((3, 4, 5), IntType(0, 254, 2))),
        case(Map((3,), _BYTE)),
        case(Map((3, 7), IntType(128, 128))),
        case(Map((3, 2, 3, 4), _BYTE)),
    )
    refusals = (
        refuse("y: ycbcr: x is 1x4x5 [0..255]; give red, green and blue as 3 channels of [0..255]",
               Map((1, 4, 5), _BYTE)),
        refuse("y: ycbcr: x is 3x4x5 [-1..255]; give red, green and blue as 3 channels of [0..255]",
               Map((3, 4, 5), IntType(-1, 255))),
        refuse("y: ycbcr: x is scalar [0..255]; give red, green and blue as 3 channels of [0..255]",
               Map((), _BYTE)),
    )  # fmt: skip
    cost = (
        case(Map((3, 4, 5), _BYTE)),
        {"mac 9bx8b": 180, "shift 17b": 60, "compare 10b": 120},
    )

    def plain(self, tally: Tally, x: IntArray) -> IntArray:
        y = np.empty(x.shape, dtype=object)
        for place in np.ndindex(x.shape[1:]):
            r, g, b = (x[(c, *place)] for c in range(3))
            found = (
                (77 * r + 150 * g + 29 * b + 128) // 256,
                (-43 * r - 85 * g + 128 * b + 128) // 256 + 128,
                (128 * r - 107 * g - 21 * b + 128) // 256 + 128,
            )
            for c in range(3):
                y[(c, *place)] = min(max(found[c], 0), 255)
            tally("mac", 9)
            tally("shift", 3)
            tally("compare", 6)
        return y

    def worst(self, graph: Graph) -> Iterator[Mapping[str, IntArray]]:
        """The corners of the colour cube."""
        x = graph.arguments(graph.nodes[0])[0]
        for corner in itertools.product((x.type.lo, x.type.hi), repeat=3):
            codes = np.array(corner).reshape(3, *[1] * (len(x.shape) - 1))
            yield {"x0": np.broadcast_to(codes, x.shape)}

    def test_grey_has_no_colour_and_every_component_is_monotone(self) -> None:
        reference, grey = lookup("ycbcr").reference, np.arange(256)
        found = reference(np.stack([grey] * 3, axis=1))
        assert np.array_equal(found, np.stack([grey, np.full(256, 128), np.full(256, 128)], axis=1))
        for channel, signs in enumerate(((1, -1, 1), (1, -1, -1), (1, 1, -1))):
            ramp = np.full((256, 3), 100)
            ramp[:, channel] = grey
            for component, sign in enumerate(signs):
                assert (sign * np.diff(reference(ramp)[:, component]) >= 0).all()


def _levels(*rows: tuple[int, ...], kind: IntType = _BYTE) -> Const:
    codes = tuple(itertools.chain(*rows))
    return Const((len(codes),), kind, codes)


class TestThermometer(OpContract):
    op = "thermometer"
    cases = (
        *(case(Map((2, 3, 4), code), _levels((-1, 0), (0, 0), kind=IntType(-2, 2)), counts=(2,))
          for code in CODES),
        case(Map((3, 4, 5), _BYTE), _levels((9, 80, 170, 254), (64, 128), (100,)),
             counts=(4, 2, 1)),
        case(Map((3, 4, 5), _BYTE), _levels((9, 80, 170, 254), (64, 128), (100,)),
             counts=(4, 2, 1), low=-1),
        case(Map((512,), IntType(-40000, 40000)), Const((2048,), IntType(-9, -9)), counts=(4,)),
        case(Map((2, 3, 2, 2), IntType(0, 3)), _levels((0, 1, 2), (0, 1, 2)), counts=(3, 3),
             low=-1),
        # bits that never, and always, are set
        case(Map((2, 3), IntType(0, 3)), _levels((3, 4), (5, 6)), counts=(2,)),
        case(Map((2, 3), IntType(8, 9)), _levels((3, 4), (5, 6)), counts=(2,), low=-1),
        case(Map((1, 3), IntType(0, 3)), Const((2,), IntType(-(1 << 40), 1 << 40)), counts=(2,)),
    )  # fmt: skip
    refusals = (
        refuse("y: the levels of component 1 do not ascend: [9, 8]; sort them",
               Map((2, 3), _BYTE), _levels((1, 2), (9, 8)), counts=(2,)),
        refuse("y: levels have shape (4,), counts (2, 3) of x 2x3 [0..255] ask for 5; give one "
               "level a bit", Map((2, 3), _BYTE), _levels((1, 2), (8, 9)), counts=(2, 3)),
        refuse("y: thermometer: attribute counts is (1, 1, 2), x is 2x3 [0..255]; give one number, "
               "or one for each component of x",
               Map((2, 3), _BYTE), _levels((1, 2), (8, 9)), counts=(1, 1, 2)),
        refuse("y: thermometer: attribute counts is (1,), x is scalar [0..255]; give one number, "
               "or one for each component of x", Map((), _BYTE), _levels((1,)), counts=(1,)),
        refuse("y: thermometer: attribute counts is 0; give 1 to inf",
               Map((2, 3), _BYTE), _levels((1, 2), (8, 9)), counts=(0, 4)),
        refuse("y: thermometer: attribute low is 1; give -1 to 0",
               Map((2, 3), _BYTE), _levels((1, 2), (8, 9)), counts=(2,), low=1),
    )  # fmt: skip
    cost = (
        case(
            Map((3, 4, 5), _BYTE), _levels((9, 80, 170, 254), (64, 128), (100,)), counts=(4, 2, 1)
        ),
        {"compare 8b": 7 * 20},
    )  # fmt: skip

    def plain(
        self, tally: Tally, x: IntArray, levels: IntArray, *, counts: tuple[int, ...], low: int
    ) -> IntArray:
        source = []
        for component in range(len(x)):
            source += [component] * (counts[component] if len(counts) > 1 else counts[0])
        y = np.empty((len(levels), *x.shape[1:]), dtype=object)
        for o, *place in elements(y):
            tally("compare")
            y[(o, *place)] = 1 if x[(source[o], *place)] > levels[o] else low
        return y

    def test_the_code_of_tycc(self) -> None:
        """32 bits of Y, 16 of Cb and Cr each: the number of set bits is the level passed."""
        counts = (32, 16, 16)
        levels = np.concatenate([256 * np.arange(1, t + 1) // (t + 1) for t in counts])
        x = np.arange(256)[:, None].repeat(3, axis=1)
        bits = lookup("thermometer").reference(x, levels, counts=counts, low=0)
        assert bits.shape == (256, 64)
        y = bits[:, :32].sum(axis=1)
        assert (y[0], y[255]) == (0, 32)
        assert (np.diff(y) >= 0).all()
