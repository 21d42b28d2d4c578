"""weight_fetch against the tiles of codesign.hw.tiling: addresses, words, cycles."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.hw.tiling import words_per_tile
from tests.rtl_models import layers
from tests.rtl_models.bench import outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random, Step
from tests.rtl_models.ports import Ports

BINS = (
    *("one word", "several words", "a word not full", "a tile again"),
    *("begins at once", "begins later", "stopped", "stopped at the last word"),
)


def tiles(layer: Random, order: list[Step], word: int) -> list[tuple[int, int]]:
    """First address and words of each step's tile: a further block reads its tiles again."""
    found: list[tuple[int, int]] = []
    following = begin = layer.fields["weight_base"]
    for step in order:
        if step.first:
            begin = following if step.move == 3 else begin
            following = begin
        bits = layer.work.weight_bits
        words = words_per_tile(step.inputs, step.outputs, bits, word)
        found.append((following, words))
        following += words
    return found


class Fetch:
    """Follows the module through a layer, a tile at a time."""

    def __init__(self, dut: Any, rng: random.Random, coverage: Coverage) -> None:
        self.dut, self.rng, self.coverage = dut, rng, coverage
        self.ports = Ports(dut)
        self.word = int(dut.WeightWord.value)

    async def layer(self, layer: Random, order: list[Step], stop: int) -> None:
        """Fetch every tile; tile number `stop` is cut off by the layer's end."""
        ports, rng = self.ports, self.rng
        ports.drive(base=layer.fields["weight_base"], bits=layer.work.weight_bits, start=1)
        self._describe(order[0])
        await RisingEdge(self.dut.clk_i)
        ports.drive(start=0, run=1)
        for number, (address, words) in enumerate(tiles(layer, order, self.word)):
            buffer = number % 2
            cut = rng.randrange(words + 1) if number == stop else words + 1
            for cycle in range(cut):
                await self._sees(address, words, cycle, buffer)
                if cycle < words:  # in its last cycle the next one may begin
                    await RisingEdge(self.dut.clk_i)
            if number == stop:
                await self._stop(at_end=cut == words)
                return
            step = order[number]
            self.coverage.hit("one word" if words == 1 else "several words")
            places = step.outputs << step.inputs_log
            full = places % (self.word // layer.work.weight_bits) == 0
            self.coverage.hit(*([] if full else ["a word not full"]))
            self.coverage.hit(*(["a tile again"] if step.first and step.move in (1, 2) else []))
            for _ in range(rng.choice((0, 0, 1, 4))):
                await RisingEdge(self.dut.clk_i)
                await FallingEdge(self.dut.clk_i)
                assert (ports["en"], ports["load"], ports["ready"]) == (0, 0, 1)
                self.coverage.hit("begins later")
            last = number == len(order) - 1
            ports.drive(begin=1, none=int(last))
            self.coverage.hit("begins at once")
            await RisingEdge(self.dut.clk_i)
            ports.drive(begin=0, none=0)
            if not last:
                self._describe(order[number + 1])
        for _ in range(4):
            await FallingEdge(self.dut.clk_i)
            assert (ports["en"], ports["load"]) == (0, 0)
            await RisingEdge(self.dut.clk_i)
        ports.drive(run=0)
        await RisingEdge(self.dut.clk_i)

    def _describe(self, step: Step) -> None:
        self.ports.drive(
            outputs=step.outputs,
            inputs_log=step.inputs_log,
            first_step=int(step.first),
            move=step.move,
        )

    async def _sees(self, address: int, words: int, cycle: int, buffer: int) -> None:
        """One cycle of a tile: an address in the first `words`, each word one later."""
        ports = self.ports
        await FallingEdge(self.dut.clk_i)
        assert ports["en"] == (cycle < words)
        assert ports["load"] == (cycle > 0)
        assert ports["ready"] == (cycle == words)
        if cycle < words:
            assert ports["address"] == (address + cycle) % 2**24
        if cycle:
            assert (ports["number"], ports["buffer"]) == (cycle - 1, buffer)

    async def _stop(self, *, at_end: bool) -> None:
        self.coverage.hit("stopped at the last word" if at_end else "stopped")
        self.ports.drive(run=0)
        for cycle in range(3):
            await FallingEdge(self.dut.clk_i)
            assert self.ports["en"] == 0
            assert cycle == 0 or self.ports["load"] == 0
            await RisingEdge(self.dut.clk_i)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_tile_of_a_layer(dut: Any) -> None:
    rng = seeded("weights")
    coverage = Coverage("weight_fetch", BINS)
    fetch = Fetch(dut, rng, coverage)
    fetch.ports.rest()
    start_clock(dut)
    await reset(dut)
    controls = [handle for handle in outputs(dut) if handle._name in ("en_o", "load_o", "ready_o")]
    cocotb.start_soon(watch_unknown(dut, controls))
    await RisingEdge(dut.clk_i)
    most = int(dut.WeightBits.value)
    for _ in coverage.rounds(60, 3):
        lanes = Lanes(4, rng.choice((1, 4, 5)), rng.choice((4, 16)))
        layer = layers.product(rng, lanes)
        if layer.work.weight_bits > most:
            continue
        order = layers.steps(layer, lanes)[:60]
        stop = rng.randrange(len(order)) if rng.random() < 0.4 else -1
        await fetch.layer(layer, order, stop)
    coverage.require(3)
