"""From words to values and to their places: lane_rotate, lane_decoder, gather, channel_order."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.hw.layout import Layout
from codesign.hw.tiling import output_tiles
from codesign.ir import IntArray
from codesign.rtl.codes import Form, encode
from codesign.rtl.words import Map, lanes_to_words, pack
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import (
    Unit,
    divisor,
    operands,
    random_codes,
    random_form,
    reference,
    vectors,
)


def words_of(values: IntArray, form: Form, lanes: int, word_lanes: int, turn: int = 0) -> list[int]:
    """The words of one pixel, each turned so that lane `turn` comes first."""
    layout = Layout(len(values), 1, 1, lanes, word_lanes)
    packed = pack(Map("", values.shape, layout, form, 0, 0), values)
    return lanes_to_words(np.roll(packed, -turn, axis=1))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def lane_rotate(dut: Any) -> None:
    rng = seeded("lane_rotate")
    unit = Unit(dut, "lane_rotate")
    count = unit.width["word_i"] // 2
    coverage = Coverage("lane_rotate", range(count))
    for number in range(vectors(1000)):
        lanes = np.array([[rng.randrange(4) for _ in range(count)]])
        turn = number % count
        await unit.settle(word=lanes_to_words(lanes)[0], rotate=turn)
        assert unit["word"] == lanes_to_words(np.roll(lanes, -turn, axis=1))[0]
        coverage.hit(turn)
    coverage.require(50)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def lane_decoder(dut: Any) -> None:
    rng = seeded("lane_decoder")
    unit = Unit(dut, "lane_decoder")
    count = unit.width["word_i"] // 2
    most_log = min(2, count.bit_length() - 1)
    forms = [(Form.BIPOLAR, 0), *product((Form.UNSIGNED, Form.SIGNED), range(most_log + 1))]
    sources = ("word", "pad")
    coverage = Coverage("lane_decoder", [*product(forms, sources), "all lanes", "hold"])
    # a word that holds one code has no lane to leave idle
    roomy = [form for form in forms if count >> form[1] > 1]
    idle = Coverage("idle lanes of lane_decoder", product(sources, roomy))
    for _ in range(vectors(2000)):
        form, log = random_form(rng, most_log)
        lanes, bits = 1 << log, 2 << log
        channels = count // lanes
        source = rng.choice(sources)
        values = random_codes(rng, form, bits, (channels,))
        pad = random_codes(rng, form, bits, (1,))
        used = rng.randint(1, channels)
        pad_code = int(encode(pad, form, bits)[0]) | (rng.getrandbits(8) << bits)
        await unit.cycle(
            en=1,
            word=words_of(values, form, lanes, count)[0],
            pad=source == "pad",
            pad_code=pad_code & 0xFF,
            lanes=used * lanes,
            form=form,
            lanes_log=log,
        )
        shown = pad.repeat(channels) if source == "pad" else values
        shown[used:] = 0
        expected = operands(shown, lanes)
        await unit.settle(en=0, word=rng.getrandbits(2 * count), pad=rng.getrandbits(1))
        assert (unit.fields("operands", 3, count) == expected).all(), (form, log, source, shown)
        if rng.random() < 0.05:
            await unit.cycle(form=rng.randrange(3), lanes=count)
            await unit.settle()
            assert (unit.fields("operands", 3, count) == expected).all()
            coverage.hit("hold")
        coverage.hit(((form, log), source))
        if used == channels:
            coverage.hit("all lanes")
        else:
            idle.hit((source, (form, log)))
    coverage.require(10)
    idle.require(10)


class Gather:
    """Feeds pixels to gather and reads a tile's values."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.unit = Unit(dut, "gather")
        self.rng = rng
        self.word_lanes = self.unit.width["word_i"] // 2
        self.outputs = int(dut.OutputLanes.value)
        self.bits = self.unit.width["values_o"] // self.outputs

    async def tile(self, words: list[int], turn: int, form: Form, log: int) -> bool:
        """The words of a tile, with gaps; whether there was one."""
        gaps = False
        for number, word in enumerate(words):
            while self.rng.random() < 0.1:
                junk = self.rng.getrandbits(2 * self.word_lanes)
                await self.unit.cycle(en=0, word=junk, number=self.rng.choice((number, 0)))
                gaps = True
            await self.unit.cycle(
                en=1, word=word, number=number, rotate=turn, form=form, lanes_log=log
            )
        await self.unit.settle(en=0, word=self.rng.getrandbits(2 * self.word_lanes))
        return gaps

    def values(self, outputs: int) -> list[int]:
        """The values of the tile's channels."""
        return list(self.unit.fields("values", self.bits, outputs))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def gather(dut: Any) -> None:
    rng = seeded("gather")
    bench = Gather(dut, rng)
    forms = [(Form.BIPOLAR, 0), *product((Form.UNSIGNED, Form.SIGNED), range(5))]
    bins = ["one word", "several words", "a gap", "whole tile", "hold"]
    bins += ["part of a tile"] if bench.outputs > 1 else []
    coverage = Coverage("gather", [*forms, *bins, *range(bench.word_lanes)])
    for _ in range(vectors(600)):
        form, log = random_form(rng, 4)
        lanes = 1 << log
        channels = rng.randint(1, 3 * bench.outputs)
        # a value fits the datapath, whatever lanes its code takes
        bits = min(2 * lanes, bench.bits - (form is Form.UNSIGNED))
        values = random_codes(rng, form, bits, (channels,))
        layout = Layout(channels, 1, 1, lanes, bench.word_lanes)
        # a tile may begin in any lane: groups of any size
        groups = divisor(rng, channels)
        for tile in output_tiles(channels, groups, bench.outputs):
            turn = tile.first * lanes % bench.word_lanes
            span = layout.span(tile.first, tile.outputs)
            words = words_of(values, form, lanes, bench.word_lanes, turn)
            if await bench.tile([words[place] for place in span], turn, form, log):
                coverage.hit("a gap")
            expected = list(values[tile.first : tile.first + tile.outputs])
            assert bench.values(tile.outputs) == expected, (form, log, turn)
            if rng.random() < 0.05:
                await bench.unit.cycle(en=0, number=0, rotate=0)
                await bench.unit.settle()
                assert bench.values(tile.outputs) == expected
                coverage.hit("hold")
            coverage.hit((form, log), turn, "one word" if len(span) == 1 else "several words")
            whole = tile.outputs == bench.outputs
            coverage.hit("whole tile" if whole else "part of a tile")
    coverage.require(5)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def channel_order(dut: Any) -> None:
    rng = seeded("channel_order")
    unit = Unit(dut, "channel_order")
    lanes = unit.width["targets_o"] // 16
    bins = ["no shuffle", "shuffle", "one a group", "groups of one", "hold", "wide"]
    bins += ["part of a tile"] if lanes > 1 else []
    coverage = Coverage("channel_order", bins)
    for number in range(vectors(300)):
        channels = rng.randint(1, 40)
        if number % 20 == 0:
            channels = rng.choice((60000, 65534))
            coverage.hit("wide")
        groups = divisor(rng, channels)
        # tiles never straddle the groups of a convolution, which need not be those of the shuffle
        each = channels // divisor(rng, channels)
        order = reference("channel_shuffle", np.arange(channels), groups=groups)
        targets = np.argsort(order)
        await unit.cycle(
            start=1, step=rng.getrandbits(1), groups=groups, span=channels // groups, outputs=1
        )
        for tile in output_tiles(channels, channels // each, lanes)[:40]:
            await unit.settle(start=0, step=0)
            shown = unit.fields("targets", 16, tile.outputs) & 0xFFFF
            assert (shown == targets[tile.first : tile.first + tile.outputs]).all(), (groups, tile)
            if rng.random() < 0.2:
                await unit.cycle(outputs=1)
                await unit.settle()
                shown = unit.fields("targets", 16, tile.outputs) & 0xFFFF
                assert (shown == targets[tile.first : tile.first + tile.outputs]).all()
                coverage.hit("hold")
            await unit.cycle(step=1, outputs=tile.outputs)
            if tile.outputs < lanes:
                coverage.hit("part of a tile")
        coverage.hit("no shuffle" if groups == 1 else "shuffle")
        if groups == channels > 1:
            coverage.hit("one a group")
        if each == 1:
            coverage.hit("groups of one")
    coverage.require(5)
