"""write_unit against the words of a map: shuffles, wide codes, results at any pace, reset."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.hw.layout import Layout
from codesign.hw.tiling import OutputTile, output_tiles
from codesign.ir import IntArray
from codesign.rtl.codes import Form, Reduce
from codesign.rtl.words import Map
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import (
    Unit,
    descriptor,
    divisor,
    join,
    random_codes,
    random_form,
    reference,
    signed_range,
    vectors,
)
from tests.rtl_models.written import Written


@dataclass(frozen=True)
class Layer:
    """A map that is written tile by tile, in a tile pixel by pixel."""

    place: Map
    tiles: list[OutputTile]
    shuffle: int
    channels: int  # computed; more than are written where an index is
    values: IntArray  # channels computed x pixels

    @property
    def indexed(self) -> bool:
        """Whether all that is written is an index."""
        return self.place.value == "index"

    @property
    def shuffled(self) -> IntArray:
        """The map's values in their places."""
        if self.indexed:
            return self.values
        return reference("channel_shuffle", self.values, groups=self.shuffle)

    def words(self, tile: OutputTile) -> list[int]:
        """Words of a pixel that a result of the tile is written to, in order of its channels."""
        if self.indexed:
            return list(self.place.layout.span(0, 1))
        order = reference("channel_shuffle", np.arange(self.channels), groups=self.shuffle)
        targets = np.argsort(order)[tile.first : tile.first + tile.outputs]
        spans = [self.place.layout.span(int(target), 1) for target in targets]
        return list(dict.fromkeys(word for span in spans for word in span))

    def fields(self) -> dict[str, int]:
        """The fields of the descriptor that matter."""
        return {
            "output_lanes": self.place.layout.lanes.bit_length() - 1,
            "output_form": self.place.form,
            "reduce": Reduce.INDEX if self.indexed else Reduce.NONE,
            "shuffle": self.shuffle,
            "shuffle_channels": self.channels // self.shuffle,
            "target_base": self.place.base,
        }


class Bench:
    """Writes layers and follows every cycle."""

    def __init__(self, dut: Any) -> None:
        self.unit = Unit(dut)
        self.rng = seeded("write_unit")
        self.lanes = int(dut.InputLanes.value)
        self.outputs = int(dut.OutputLanes.value)
        self.bits = self.unit.width["values_i"] // self.outputs
        self.written = Written(self.rng, self.lanes)
        self.words: list[int] = []  # addresses of the result that are to be written yet
        forms = [(Form.BIPOLAR, 0), *product((Form.UNSIGNED, Form.SIGNED), range(5))]
        bins = ["shuffle", "no shuffle", "index", "one word", "several words", "in the last cycle"]
        bins += ["when idle", "the tile ends with the load", "the tile ends behind the load"]
        bins += ["abort", "reset", "several pixels", "several tiles", "the end of the memory"]
        bins += ["part of a tile"] if self.outputs > 1 else []
        bins += ["words of several codes"] if self.lanes > 1 and self.outputs > 1 else []
        self.coverage = Coverage("write_unit", [*forms, *bins])

    def layer(self) -> Layer:
        """A random one."""
        rng = self.rng
        form, log = random_form(rng, 4)
        indexed = form is Form.UNSIGNED and log > 2 and rng.random() < 0.5
        channels, pixels = rng.randint(1, 3 * self.outputs + 2), rng.randint(1, 4)
        shape = (channels, pixels)
        bits = min(2 << log, self.bits - (form is Form.UNSIGNED))
        if indexed:
            shape, bits = (1, 1), 16
        values = random_codes(rng, form, bits, shape)
        layout = Layout(shape[0], shape[1], 1, 1 << log, self.lanes)
        most = (1 << 24) - layout.words
        base = rng.choice((0, most, rng.randint(0, most)))
        place = Map("index" if indexed else "map", shape, layout, form, 0, base)
        tiles = output_tiles(channels, divisor(rng, channels), self.outputs)
        self.coverage.hit((form, log), *(["the end of the memory"] if base == most else []))
        return Layer(place, tiles, 1 if indexed else divisor(rng, channels), channels, values)

    async def start(self, layer: Layer) -> None:
        """The cycle before the first one of the run."""
        self.written.clear()
        self.words = []
        per_pixel = layer.place.layout.words_per_pixel
        await self.unit.cycle(
            descriptor=descriptor(self.rng, **layer.fields()),
            words_out=self.rng.getrandbits(24) if layer.indexed else per_pixel,
            start=1,
            run=0,
            load=0,
        )
        self.unit.drive(start=0, run=1)

    @property
    def left(self) -> int:
        """Words of the result that are to be written yet."""
        return len(self.words)

    def check(self) -> None:
        """What the module has to show in this cycle."""
        unit = self.unit
        assert unit["en"] == (self.left > 0), f"{self.left} words are left"
        assert unit["ready"] == (self.left <= 1), f"{self.left} words are left"
        if self.left:
            address, mask = unit["address"], unit["mask"]
            assert address == self.words[0]
            assert mask, "a write of no lane"
            self.written.write(address, unit["data"], mask)
            if bin(mask).count("1") > 1 << self.log and self.log < 5:
                self.coverage.hit(*self._shared)

    async def cycle(self, **ports: int) -> None:
        """A cycle without a load."""
        junk = self.rng.getrandbits(self.outputs * self.bits)
        await self.unit.settle(load=0, values=junk, outputs=1, **{"tile_next": 0, **ports})
        self.check()
        await self.unit.edge()
        self.words = self.words[1:]

    async def load(self, values: IntArray, words: list[int], **ports: int) -> None:
        """Hand a result over as soon as it can be taken, or later."""
        while self.left > 1 or self.rng.random() < 0.2:
            await self.cycle()
        self.coverage.hit("in the last cycle" if self.left else "when idle")
        low, high = signed_range(self.bits)
        row = np.array([self.rng.randint(low, high) for _ in range(self.outputs)])
        row[: len(values)] = values
        await self.unit.settle(load=1, values=join(row, self.bits), outputs=len(values), **ports)
        self.check()
        await self.unit.edge()
        self.words = words
        self.coverage.hit("one word" if len(words) == 1 else "several words")

    async def run(self, layer: Layer, results: int) -> None:
        """Write the layer's first results."""
        self.log = layer.place.layout.lanes.bit_length() - 1
        shared = self.lanes > 1 << self.log and "words of several codes" in self.coverage.counts
        self._shared = ["words of several codes"] if shared else []
        self.coverage.hit("no shuffle" if layer.shuffle == 1 else "shuffle")
        await self.start(layer)
        done, base = 0, layer.place.base
        for tile in layer.tiles:
            words = layer.words(tile)
            last = layer.values.shape[1] - 1
            count = layer.values.shape[1] if not layer.indexed or tile is layer.tiles[-1] else 0
            end_with_load = bool(self.rng.getrandbits(1))
            if tile.outputs < self.outputs:
                self.coverage.hit("part of a tile")
            for pixel in range(count):
                if done == results:
                    return
                done += 1
                if layer.indexed:
                    await self.load(layer.values[:, 0], [base + word for word in words])
                    continue
                values = layer.values[tile.first : tile.first + tile.outputs, pixel]
                ends = end_with_load and pixel == last
                at = base + pixel * layer.place.layout.words_per_pixel
                addresses = [at + word for word in words]
                await self.load(values, addresses, tile_next=ends, tile=tile.outputs)
            if layer.indexed or not end_with_load:
                if tile is not layer.tiles[-1]:
                    while self.rng.random() < 0.3:
                        await self.cycle()
                    await self.cycle(tile_next=1, tile=tile.outputs)
                self.coverage.hit("the tile ends behind the load")
            else:
                self.coverage.hit("the tile ends with the load")


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def maps(dut: Any) -> None:
    bench = Bench(dut)
    coverage, rng = bench.coverage, bench.rng
    await bench.unit.reset()
    for _ in range(vectors(320)):
        layer = bench.layer()
        total = 1 if layer.indexed else layer.values.shape[1] * len(layer.tiles)
        cut = rng.random() < 0.3
        await bench.run(layer, rng.randint(1, total) if cut else total)
        if cut:
            for _ in range(rng.choice((0, 0, 0, 1))):
                await bench.cycle()
            await (interrupt if rng.random() < 0.5 else reset)(bench)
            continue
        while bench.left or rng.random() < 0.5:
            await bench.cycle()
        bench.written.compare(layer.place, layer.shuffled)
        if layer.indexed:
            coverage.hit("index")
        if layer.values.shape[1] > 1:
            coverage.hit("several pixels")
        if len(layer.tiles) > 1:
            coverage.hit("several tiles")
    coverage.require(3)


async def interrupt(bench: Bench) -> None:
    """The layer is aborted: behind this cycle nothing is written."""
    await bench.cycle(run=0)
    if bench.left:
        bench.coverage.hit("abort")
    bench.words = []
    await bench.cycle()


async def reset(bench: Bench) -> None:
    """Reset at once: nothing is written any more."""
    await bench.unit.settle(load=0)
    bench.check()
    if bench.left:
        bench.coverage.hit("reset")
    await bench.unit.assert_reset()
    bench.words = []
    bench.check()
    await bench.unit.reset()
    bench.check()
