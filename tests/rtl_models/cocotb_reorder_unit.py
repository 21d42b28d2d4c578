"""reorder_unit on memories of random lanes: every code at its new place, nothing else changed."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.hw.layout import Layout
from codesign.hw.schedule import REORDER_TAIL
from tests.rtl_models import layers
from tests.rtl_models.bench import reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes
from tests.rtl_models.ports import Ports

BINS = (
    *("a lane", "a part of a word", "a whole word", "several words"),
    *("the same shape", "channels to pixels", "pixels to channels", "idle lanes", "stopped"),
)

Memory = dict[int, list[int]]


def places(layout: Layout, base: int) -> list[list[tuple[int, int]]]:
    """Word and lane of every digit of every code, in the order channel, row, column."""
    found = []
    for channel in range(layout.channels):
        for pixel in range(layout.pixels):
            lanes = range(channel * layout.lanes, (channel + 1) * layout.lanes)
            first = base + pixel * layout.words_per_pixel
            found.append(
                [(first + lane // layout.word_lanes, lane % layout.word_lanes) for lane in lanes]
            )
    return found


def moved(source: Memory, target: Memory, ways: list[Any]) -> Memory:
    """The target with every digit of the source's codes at its new place."""
    found = {address: list(word) for address, word in target.items()}
    for digits in ways:
        for (address, lane), (to_address, to_lane) in digits:
            found[to_address][to_lane] = source[address][lane]
    return found


def words(layout: Layout, base: int, rng: random.Random) -> Memory:
    """Random lanes for a map."""
    return {
        base + number: [rng.getrandbits(2) for _ in range(layout.word_lanes)]
        for number in range(layout.words)
    }


def number(lanes: list[int]) -> int:
    """A word of lanes."""
    return sum(digit << 2 * lane for lane, digit in enumerate(lanes))


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def every_code_of_a_map(dut: Any) -> None:
    rng, ports = seeded("reorder"), Ports(dut)
    lanes = Lanes.of(dut)
    coverage = Coverage("reorder_unit", BINS)
    ports.rest()
    start_clock(dut)
    await reset(dut)
    cocotb.start_soon(watch_unknown(dut, [dut.read_o, dut.write_o, dut.finish_o]))
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(60, 3):
        layer = layers.reorder(rng, lanes)
        old, new = layer.work.source, layer.work.target
        layer.fields["source_base"] %= 2**23
        layer.fields["target_base"] %= 2**23
        bases = layer.fields["source_base"], layer.fields["target_base"]
        source, target = words(old, bases[0], rng), words(new, bases[1], rng)
        ways = [
            list(zip(a, b, strict=True))
            for a, b in zip(places(old, bases[0]), places(new, bases[1]), strict=True)
        ]
        whole = moved(source, target, ways)
        same = (old.channels, old.pixels) == (new.channels, new.pixels)
        conditions = {
            "a lane": old.lanes == 1,
            "a part of a word": 1 < old.lanes < lanes.input,
            "a whole word": old.lanes == lanes.input,
            "several words": old.lanes > lanes.input,
            "the same shape": same,
            "channels to pixels": old.channels > new.channels,
            "pixels to channels": old.channels < new.channels,
            "idle lanes": (new.channels * new.lanes) % lanes.input != 0,
        }
        coverage.hit(*(name for name, holds in conditions.items() if holds))
        cycles = max(1, old.lanes // lanes.input) * old.channels * old.pixels + REORDER_TAIL
        stop = rng.randrange(1, cycles) if rng.random() < 0.2 else cycles
        ports.drive(
            descriptor=layer.word, words_in=old.words_per_pixel, words_out=new.words_per_pixel,
            start=1,
        )  # fmt: skip
        await RisingEdge(dut.clk_i)
        ports.drive(start=0, run=1)
        for cycle in range(stop):
            await FallingEdge(dut.clk_i)
            assert ports["finish"] == (cycle == cycles - 1)
            assert ports["read"] == (cycle < cycles - REORDER_TAIL)
            assert ports["write"] == (cycle >= REORDER_TAIL)
            word = number(source[ports["read_address"]]) if ports["read"] else None
            if ports["write"]:
                address, mask, data = ports["write_address"], ports["mask"], ports["data"]
                for lane in range(lanes.input):
                    if mask >> lane & 1:
                        target[address][lane] = data >> 2 * lane & 3
            await RisingEdge(dut.clk_i)
            if word is not None:
                ports.drive(word=word)
        ports.drive(run=0)
        await FallingEdge(dut.clk_i)
        assert [ports[name] for name in ("read", "write", "finish")] == [0, 0, 0]
        await RisingEdge(dut.clk_i)
        if stop < cycles:
            coverage.hit("stopped")
        else:
            assert target == whole
    coverage.require(3)
