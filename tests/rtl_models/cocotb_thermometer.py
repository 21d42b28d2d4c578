"""thermometer: words of the op `thermometer`, levels from a memory with a registered output."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray
from codesign.rtl.codes import Form, decode
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, join, reference, signed_range, vectors

BINS = (
    *("one word a pixel", "several words a pixel", "idle lanes", "whole words"),
    *("low 0", "low -1", "at a level", "above a level by 1", "below all", "above all"),
    *("equal levels", "keeps up", "a stall", "a gap between pixels", "a pixel waits", "reset"),
)
#: What only a unit of several components can meet.
SEVERAL = ("fewer components", "all components", "a word of two components")


@dataclass
class Code:
    """Levels of a network's coding, as they lie in the memory."""

    counts: tuple[int, ...]
    levels: IntArray
    base: int

    @property
    def bits(self) -> int:
        """Bits of a pixel."""
        return sum(self.counts)

    def words(self, lanes: int, value_bits: int, tag_bits: int) -> list[int]:
        """The memory: {component, level} a lane; the greatest component is none."""
        none = (1 << tag_bits) - 1
        tags = np.repeat(np.arange(len(self.counts)), self.counts)
        entries = [
            int(tag) << value_bits | int(level) & ((1 << value_bits) - 1)
            for tag, level in zip(tags, self.levels, strict=True)
        ]
        entries += [none << value_bits] * (-len(entries) % lanes)
        width = tag_bits + value_bits
        return [
            sum(entry << width * lane for lane, entry in enumerate(entries[at : at + lanes]))
            for at in range(0, len(entries), lanes)
        ]


class Bench:
    """Pixels of one coding after the other."""

    def __init__(self, dut: Any) -> None:
        self.unit, self.rng = Unit(dut), seeded("thermometer")
        names = ("Lanes", "Components", "ValueBits", "TagBits")
        self.lanes, self.components, self.bits, self.tag_bits = (
            int(getattr(dut, name).value) for name in names
        )
        bins = (*BINS, *(SEVERAL if self.components > 1 and self.lanes > 1 else ()))
        # a lane alone is never idle
        self.coverage = Coverage(
            "thermometer", [name for name in bins if self.lanes > 1 or name != "idle lanes"]
        )

    def code(self) -> Code:
        """A coding: levels ascend within each component, some of them equal."""
        rng = self.rng
        low, high = signed_range(self.bits)
        used = rng.choice((self.components, rng.randint(1, self.components)))
        counts = tuple(rng.choice((1, 2, self.lanes, rng.randint(1, 3 * self.lanes)))
                       for _ in range(used))  # fmt: skip
        if rng.random() < 0.3:
            counts = (self.lanes,) + (counts[1:] if rng.random() < 0.5 else ())
        levels = [sorted(corner(rng, low, high) for _ in range(count)) for count in counts]
        return Code(counts, np.concatenate(levels), rng.getrandbits(16))

    def pixel(self, code: Code) -> IntArray:
        """Values at and near their levels, ends among them."""
        low, high = signed_range(self.bits)
        ends = np.cumsum((0, *code.counts))
        return np.array([
            corner(self.rng, low, high, *map(int, code.levels[start:stop]))
            for start, stop in pairwise(ends)
        ])  # fmt: skip

    async def run(self) -> None:
        """Some pixels with gaps and stalls; perhaps a reset ends them."""
        rng, unit, coverage = self.rng, self.unit, self.coverage
        code = self.code()
        memory = code.words(self.lanes, self.bits, self.tag_bits)
        pixels = [self.pixel(code) for _ in range(rng.randint(1, 8))]
        expected = [word for x in pixels for word in self._words(code, x)]
        self._cover(code, pixels)
        gaps, stalls = rng.choice(((0.0, 0.0), (0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.8)))
        stop = rng.randint(1, len(expected) + 2) if rng.random() < 0.15 else 0
        levels = rng.getrandbits(unit.width["levels_i"])
        given = taken = read = cycles = 0
        offered = False
        while taken < len(expected):
            cycles += 1
            if cycles == stop:
                await unit.assert_reset()
                assert unit["valid"] == 0
                await unit.settle(valid=0)
                await unit.reset()
                coverage.hit("reset")
                return
            offered = offered or (given < len(pixels) and rng.random() >= gaps)
            ready = rng.random() >= stalls
            values = pixels[given] if offered else rng_values(rng, self.components, self.bits)
            await unit.settle(
                base=code.base, words=len(memory), valid=offered, ready=ready, levels=levels,
                values=self._join(values),
            )  # fmt: skip
            shown = bool(unit["valid"])
            if shown:
                assert self._shown() == expected[taken]
                assert unit["last"] == int(taken % len(memory) == len(memory) - 1)
                coverage.hit(*([] if ready else ["a stall"]))
            reads, accepted = bool(unit["level_read"]), offered and bool(unit["ready"])
            if reads:
                assert unit["level_address"] == (code.base + read % len(memory)) % (1 << 16)
            if offered and not accepted:
                coverage.hit("a pixel waits")
            elif not offered and unit["ready"]:
                coverage.hit(*(["a gap between pixels"] if given else []))
            await unit.edge()
            if reads:
                levels, read = memory[read % len(memory)], read + 1
            taken += shown and ready
            if accepted:
                given, offered = given + 1, False
        if gaps == stalls == 0:
            assert cycles == len(expected) + 2
            coverage.hit("keeps up")

    def _join(self, values: IntArray) -> int:
        """Components side by side; those that the coding does not use hold anything."""
        missing = self.components - len(values)
        return join([*values, *rng_values(self.rng, missing, self.bits)], self.bits)

    def _words(self, code: Code, x: IntArray) -> list[list[int]]:
        """Words of a pixel, bit by bit, from the op with low 0."""
        bits = reference("thermometer", x, code.levels, counts=code.counts, low=0).tolist()
        bits += [0] * (-len(bits) % self.lanes)
        # the same bits are the code of low -1, where they are read as bipolar
        bipolar = reference("thermometer", x, code.levels, counts=code.counts, low=-1)
        stored = np.array(bits[: code.bits])
        assert decode(stored, Form.BIPOLAR, 1).tolist() == bipolar.tolist()
        assert decode(stored, Form.UNSIGNED, 1).tolist() == bits[: code.bits]
        self.coverage.hit("low 0", "low -1")
        return [bits[at : at + self.lanes] for at in range(0, len(bits), self.lanes)]

    def _shown(self) -> list[int]:
        word = self.unit["word"]
        return [word >> 2 * lane & 3 for lane in range(self.lanes)]

    def _cover(self, code: Code, pixels: list[IntArray]) -> None:
        coverage = self.coverage
        coverage.hit("one word a pixel" if code.bits <= self.lanes else "several words a pixel")
        coverage.hit("idle lanes" if code.bits % self.lanes else "whole words")
        if self.components > 1 and self.lanes > 1:
            whole = len(code.counts) == self.components
            coverage.hit("all components" if whole else "fewer components")
            ends = np.cumsum(code.counts)[:-1]
            coverage.hit(*(["a word of two components"] if (ends % self.lanes).any() else []))
        component = np.repeat(np.arange(len(code.counts)), code.counts)
        equal = (np.diff(code.levels) == 0) & (np.diff(component) == 0)
        coverage.hit(*(["equal levels"] if equal.any() else []))
        for x in pixels:
            above = x[component] - code.levels
            coverage.hit(*(["at a level"] if (above == 0).any() else []))
            coverage.hit(*(["above a level by 1"] if (above == 1).any() else []))
            coverage.hit(*(["below all"] if (above <= 0).all() else []))
            coverage.hit(*(["above all"] if (above > 0).all() else []))


def rng_values(rng: random.Random, count: int, bits: int) -> IntArray:
    """Values of any kind."""
    low, high = signed_range(bits)
    return np.array([rng.randint(low, high) for _ in range(count)], np.int64)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def words_of_the_op(dut: Any) -> None:
    bench = Bench(dut)
    await bench.unit.reset()
    for _ in bench.coverage.rounds(vectors(300), 3):
        await bench.run()
    bench.coverage.require(3)
