"""bernoulli_generator: bits of the op `bernoulli_sample`, and the state that is carried on."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, reference, vectors

BINS = (
    *product(("from a state", "from a seed", "carried on"), ("one step", "steps")),
    *("mean 0", "mean 2^bits", "number equals mean", "number is mean - 1", "drawn 0", "drawn 1"),
    *("least bits", "most bits", "a mean waits", "the ring waits", "a bit waits", "keeps up"),
    *("reset", "begins anew with a bit left"),
)


class Bench:
    """Draws from rings that go on."""

    def __init__(self, dut: Any) -> None:
        self.unit, self.rng = Unit(dut), seeded("bernoulli_generator")
        self.most = int(dut.Bits.value)
        self.size = int(dut.Cells.value)
        self.any_size, self.built = bool(int(dut.AnySize.value)), int(dut.Rule.value)
        self.coverage = Coverage("bernoulli_generator", BINS)
        self.rule = self.cells = 3
        self.steps = self.bits = 1
        self.warm_up = 0
        self.state: IntArray = np.zeros(3, np.int64)

    def draw(self) -> None:
        """Another ring, rule and precision."""
        rng = self.rng
        self.rule = self.built if self.built < 256 else rng.choice((30, 45, rng.getrandbits(8)))
        most = self.most
        self.bits = rng.choice((1, most, rng.randint(1, most)))
        least = max(3, self.bits)
        self.cells = rng.randint(least, self.size) if self.any_size else self.size
        self.steps = rng.choice((1, 4, rng.randint(2, 9)))

    def mean(self, number: int) -> int:
        """A mean near what will be drawn, an end, or any."""
        top = 1 << self.bits
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.rng.choice((0, top))
        if kind == 1:
            return min(max(number + self.rng.choice((0, 1)), 0), top)
        return self.rng.randint(0, top)

    async def begin(self) -> None:
        """From a state, from a seed, or from where the ring rests."""
        rng, steps = self.rng, "one step" if self.steps == 1 else "steps"
        given = {"rule": self.rule, "cells": self.cells, "steps": self.steps, "bits": self.bits}
        idle = {"mean_valid": 0, "bit_ready": rng.getrandbits(1), "mean_last": rng.getrandbits(1)}
        kind = rng.randrange(2)
        self.coverage.hit(("from a seed" if kind else "from a state", steps))
        if kind:
            seed = rng.getrandbits(min(32, self.cells)) or 1
            self.warm_up = rng.choice((0, 1, rng.randint(2, 20)))
            start = {"start": 1, "seed": seed, "warm_up": self.warm_up}
            await self.unit.cycle(**start, **given, **idle)
            ring = np.array([seed >> i & 1 if i < 32 else 0 for i in range(self.cells)])
            self.state = self._advance(ring, self.warm_up)
        else:
            self.state = np.array([rng.getrandbits(1) for _ in range(self.cells)])
            beyond = rng.getrandbits(self.size) >> self.cells << self.cells
            word = sum(int(bit) << i for i, bit in enumerate(self.state)) | beyond
            self.warm_up = 0
            await self.unit.cycle(load=1, start=0, state=word, **given, **idle)

    def _advance(self, ring: IntArray, steps: int) -> IntArray:
        return reference("ca_step", ring, rule=self.rule, steps=steps) if steps else ring

    async def sample(self) -> None:
        """A vector of means in, its bits out, with pauses on both sides; then the carried state."""
        rng, coverage, unit = self.rng, self.coverage, self.unit
        count = rng.randint(1, 12)
        ring, means = self.state, []
        for _ in range(count):
            ring = self._advance(ring, self.steps)
            number = sum(int(bit) << j for j, bit in enumerate(ring[: self.bits]))
            means.append(self.mean(number))
            top = 1 << self.bits
            coverage.hit(*(["mean 0"] if means[-1] == 0 else []))
            coverage.hit(*(["mean 2^bits"] if means[-1] == top else []))
            coverage.hit(*(["number equals mean"] if number == means[-1] else []))
            coverage.hit(*(["number is mean - 1"] if number == means[-1] - 1 else []))
        expected = reference_bits(means, self.state, self.rule, self.steps, self.bits)
        coverage.hit(*(f"drawn {bit}" for bit in expected))
        coverage.hit(*(["least bits"] if self.bits == 1 else []))
        coverage.hit(*(["most bits"] if self.bits == self.most else []))
        patience = rng.choice(((1.0, 1.0), (1.0, 1.0), (0.5, 1.0), (1.0, 0.4), (0.5, 0.5)))
        stop = rng.randint(1, count * self.steps + 2) if rng.random() < 0.15 else 0
        given = taken = cycles = 0
        offered = left = False
        while taken < count:
            cycles += 1
            if cycles == stop:
                await self._leave()
                return
            offered = offered or (given < count and rng.random() < patience[0])
            ready = rng.random() < patience[1]
            mean = means[given] if offered else rng.getrandbits(self.bits)
            last = given == count - 1 if offered else rng.getrandbits(1)
            await unit.settle(
                load=0, start=0, mean_valid=offered, mean=mean, mean_last=last, bit_ready=ready
            )
            assert unit["bit_valid"] == int(left)
            if left:
                assert unit["bit"] == expected[taken]
            accepted = unit["mean_ready"] and offered
            if given == count:
                assert not unit["mean_ready"]  # the ring rests
            elif left and not ready:
                assert not unit["mean_ready"]
            self._cover_handshake(left, ready, offered)
            await unit.edge()
            taken += left and ready
            left = bool(accepted) or (left and not ready)
            if accepted:
                given, offered = given + 1, False
        if patience == (1.0, 1.0):
            # all steps, the cycle that shows the last number, and the last bit's
            assert cycles == self.warm_up + count * self.steps + 2
            coverage.hit("keeps up")
        await unit.settle(mean_valid=0)
        self.state = ring
        assert [unit["ring"] >> i & 1 for i in range(self.cells)] == ring.tolist()
        await unit.edge()

    def _cover_handshake(self, left: bool, ready: bool, offered: bool) -> None:
        self.coverage.hit(*(["a bit waits"] if left and not ready else []))
        if offered != bool(self.unit["mean_ready"]):
            self.coverage.hit("a mean waits" if offered else "the ring waits")

    async def _leave(self) -> None:
        if self.rng.random() < 0.5:
            self.coverage.hit("reset")
            await self.unit.assert_reset()
            assert self.unit["bit_valid"] == self.unit["mean_ready"] == 0
            await self.unit.reset()
        else:
            self.coverage.hit("begins anew with a bit left")
        self.state = np.zeros(0, np.int64)

    async def carry(self) -> None:
        """The state that rests goes in again."""
        word = sum(int(bit) << i for i, bit in enumerate(self.state))
        self.warm_up = 0
        await self.unit.cycle(load=1, state=word, mean_valid=0)
        self.coverage.hit(("carried on", "one step" if self.steps == 1 else "steps"))


def reference_bits(
    means: list[int], state: IntArray, rule: int, steps: int, bits: int
) -> list[int]:
    """What the op draws."""
    found = reference(
        "bernoulli_sample", np.array(means), state[None], rule=rule, steps=steps, bits=bits
    )
    return [int(bit) for bit in found]


def draws(rng: random.Random) -> int:
    """How many vectors a ring draws."""
    return rng.choice((1, 1, 2, 4))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def bits_of_the_op(dut: Any) -> None:
    bench = Bench(dut)
    await bench.unit.reset()
    for _ in bench.coverage.rounds(vectors(150), 3):
        bench.draw()
        await bench.begin()
        for number in range(draws(bench.rng)):
            if number:
                await bench.carry()
            await bench.sample()
            if not bench.state.size:
                break
    bench.coverage.require(3)
