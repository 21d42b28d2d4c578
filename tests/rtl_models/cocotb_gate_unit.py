"""gate_unit: sums of ternary weights and codes, against integer products."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray
from codesign.rtl.words import fields_to_words
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, join, vectors


def weight_word(weights: IntArray) -> int:
    """Weights of 4 gates x lanes, -1, 0, +1, as the unit's word: signs, then which are not 0."""
    planes = np.stack([weights > 0, weights != 0], axis=1)
    return fields_to_words(planes.astype(np.int64).reshape(-1), 1, planes.size)[0]


def code_words(codes: IntArray) -> tuple[int, int]:
    """Codes -1, 0, +1 as `codes_i` and `nonzero_i`."""
    signs, counts = ((plane.astype(np.int64)) for plane in (codes > 0, codes != 0))
    return (
        fields_to_words(signs, 1, signs.size)[0],
        fields_to_words(counts, 1, counts.size)[0],
    )


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def sums(dut: Any) -> None:
    """Units of one and several words, pauses between them, a reset in between."""
    rng = seeded("gate_unit")
    numbers = np.random.default_rng(rng.getrandbits(32))
    unit = Unit(dut)
    await unit.reset()
    lanes, bits = unit.width["codes_i"], unit.width["sums_o"] // 4
    most = min(3, ((1 << (bits - 1)) - 1) // (2 * lanes))
    coverage = Coverage("gate_unit", ("one word", "a pause", "a reset", "all +1", "all -1", "none"))
    if most > 1:
        coverage.counts["words"] = 0
    for _ in coverage.rounds(vectors(150)):
        words = rng.randint(1, most)
        kind = rng.choice(("any", "any", "all +1", "all -1", "none"))
        codes = numbers.integers(-1, 2, (words, lanes))
        weights = numbers.integers(-1, 2, (words, 4, lanes))
        if kind != "any":
            codes = np.where(codes >= 0, 1, -1)
            weights = {"all +1": 1, "all -1": -1, "none": 0}[kind] * codes[:, None].repeat(4, 1)
            coverage.hit(kind)
        room = (1 << (bits - 1)) - 1 - words * lanes
        biases = numbers.integers(-room, room + 1, 4)
        expected = biases + np.einsum("wgl,wl->g", weights, codes)
        for word in range(words):
            while rng.random() < 0.2:
                await unit.cycle(en=0, first=rng.getrandbits(1), last=rng.getrandbits(1))
                coverage.hit("a pause")
            signs, nonzero = code_words(codes[word])
            signs |= rng.getrandbits(lanes) & ~nonzero  # of zeros the sign may be anything
            await unit.settle(
                en=1, first=word == 0, last=word == words - 1, codes=signs, nonzero=nonzero,
                weights=weight_word(weights[word]),
                biases=join(biases if word == 0 else biases[::-1], bits),
            )  # fmt: skip
            assert unit["valid"] == 0 or word == 0
            await unit.edge()
        await unit.settle(en=0)
        assert unit["valid"] == 1
        assert unit.fields("sums", bits, 4).tolist() == expected.tolist()
        coverage.hit("one word" if words == 1 else "words")
        if rng.random() < 0.1:
            await unit.assert_reset()
            assert unit["valid"] == 0
            await unit.reset()
            coverage.hit("a reset")
        elif rng.random() < 0.5:
            await unit.edge()
            await unit.settle()
            assert unit["valid"] == 0
    coverage.require(2)
