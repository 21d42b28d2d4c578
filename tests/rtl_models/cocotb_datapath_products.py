"""Weights times activations: weight_decoder, mac_row, mac_array, accumulators."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.hw.layout import Layout
from codesign.hw.tiling import input_tiles, tile_places
from codesign.ir import IntArray
from codesign.rtl.codes import Form
from codesign.rtl.words import fields_to_words
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import (
    Unit,
    join,
    operands,
    random_codes,
    random_form,
    reference,
    vectors,
)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def weight_decoder(dut: Any) -> None:
    rng = seeded("weight_decoder")
    unit = Unit(dut, "weight_decoder")
    word_bits, most = unit.width["word_i"], int(dut.WeightBits.value)
    count = unit.width["codes_o"] // most
    bins = ["whole tile", "part of a tile", "a gap", "other width", "beyond the tile"]
    coverage = Coverage("weight_decoder", [*range(1, most + 1), *bins])

    async def show(expected: IntArray) -> None:
        # a word that is not loaded changes nothing, whatever it is
        junk = {"number": rng.randint(0, 3), "bits": rng.randint(1, most)}
        await unit.cycle(load=0, word=rng.getrandbits(word_bits), **junk)
        await unit.settle()
        shown = unit.fields("codes", most, count) & ((1 << most) - 1)
        assert (shown == expected).all()

    tile = np.zeros(count, dtype=np.int64)
    for number in range(vectors(400)):
        bits = most if number == 0 else rng.randint(1, most)
        each = word_bits // bits
        codes = np.array([rng.randrange(1 << bits) for _ in range(count)])
        words = fields_to_words(codes, bits, each)
        stop = len(words) if number == 0 or rng.random() < 0.7 else rng.randint(0, len(words))
        for place, word in enumerate(words[:stop]):
            while rng.random() < 0.1:
                await unit.cycle(load=0, word=rng.getrandbits(word_bits), number=place, bits=bits)
                coverage.hit("a gap")
            # the bits that no code takes may be anything
            junk = rng.getrandbits(word_bits) >> (each * bits) << (each * bits)
            await unit.cycle(load=1, word=word | junk, number=place, bits=bits)
        filled = min(stop * each, count)
        tile[:filled] = codes[:filled]
        await show(tile)
        if rng.random() < 0.1:
            beyond = rng.choice((len(words), 1 << 16, (1 << 17) - 1))
            await unit.cycle(load=1, word=rng.getrandbits(word_bits), number=beyond, bits=bits)
            await show(tile)
            coverage.hit("beyond the tile")
        if rng.random() < 0.1:
            await unit.cycle(load=1, word=rng.getrandbits(word_bits), number=0, bits=most + 1)
            await show(tile)
            coverage.hit("other width")
        coverage.hit(bits, "whole tile" if stop == len(words) else "part of a tile")
    coverage.require(5)


@dataclass(frozen=True)
class Weights:
    """How stored codes stand for weights: low + step * code."""

    low: int
    step: int
    most: int

    @classmethod
    def draw(cls, rng: random.Random, bits: int) -> Weights:
        """Any low and step; those of binary, ternary and quinary weights among them."""
        low = rng.choice((-2, -1, 0, -(1 << (bits - 1)), rng.randint(-256, 255)))
        return cls(low, rng.choice((1, 2)), (1 << bits) - 1)

    def codes(self, rng: random.Random, shape: tuple[int, ...]) -> IntArray:
        """Random codes, mostly the least and the greatest in some draws."""
        ends = rng.random() < 0.2
        stored = [
            rng.choice((0, self.most)) if ends else rng.randint(0, self.most)
            for _ in range(int(np.prod(shape)))
        ]
        return np.array(stored).reshape(shape)

    def values(self, codes: IntArray) -> IntArray:
        """The weights that the codes stand for."""
        return self.low + self.step * codes


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def mac_row(dut: Any) -> None:
    rng = seeded("mac_row")
    unit = Unit(dut, "mac_row")
    lanes, bits = int(dut.InputLanes.value), int(dut.WeightBits.value)
    most_log, acc = min(2, lanes.bit_length() - 1), unit.width["sum_o"]
    forms = [(Form.BIPOLAR, 0), *product((Form.UNSIGNED, Form.SIGNED), range(most_log + 1))]
    bins = ["hold", "low", "no low", *(["idle lanes"] if lanes > 1 else [])]
    coverage = Coverage("mac_row", [*product(forms, (1, 2)), *bins])
    for _ in range(vectors(2000)):
        form, log = random_form(rng, most_log)
        channels = rng.choice((lanes >> log, rng.randint(1, lanes >> log)))
        x = random_codes(rng, form, 2 << log, (channels,))
        weights = Weights.draw(rng, bits)
        stored = weights.codes(rng, (lanes,))
        expected = reference("linear", x, weights.values(stored[None, :channels]))
        offset = reference("linear", x, np.full((1, channels), weights.low))
        given = np.zeros(lanes, dtype=np.int64)
        given[: channels << log] = operands(x, 1 << log)
        await unit.cycle(
            en=1,
            operands=join(given, 3),
            codes=join(stored, bits),
            lanes_log=log,
            double=weights.step == 2,
            offset=join(offset, acc),
        )
        await unit.settle(en=0, operands=rng.getrandbits(3 * lanes), double=rng.getrandbits(1))
        assert unit["sum"] == join(expected, acc), (form, log, weights)
        if rng.random() < 0.05:
            await unit.edge()
            await unit.settle(offset=rng.getrandbits(acc))
            assert unit["sum"] == join(expected, acc)
            coverage.hit("hold")
        coverage.hit(((form, log), weights.step), "low" if weights.low else "no low")
        if channels << log < lanes:
            coverage.hit("idle lanes")
    coverage.require(10)


class Array:
    """Drives mac_array: a pixel's values against a tile of stored codes."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.unit = Unit(dut, "mac_array")
        self.rng = rng
        self.inputs = int(dut.InputLanes.value)
        self.outputs = int(dut.OutputLanes.value)
        self.bits = int(dut.WeightBits.value)
        self.acc = int(dut.AccBits.value)
        self.most_log = min(2, self.inputs.bit_length() - 1)

    def tile(self, codes: IntArray) -> dict[str, int]:
        """The ports for a tile of outputs x inputs codes; places of no input hold anything."""
        outputs, inputs = codes.shape
        places = tile_places(inputs)
        stored = np.array(
            [self.rng.getrandbits(self.bits) for _ in range(self.inputs * self.outputs)]
        )
        stored[: outputs * places].reshape(outputs, places)[:, :inputs] = codes
        return {"codes": join(stored, self.bits), "inputs_log": places.bit_length() - 1}

    def pixel(self, x: IntArray, log: int) -> dict[str, int]:
        """The ports for a pixel's values; lanes that no channel takes are zero."""
        given = np.zeros(self.inputs, dtype=np.int64)
        given[: len(x) << log] = operands(x, 1 << log)
        return {"operands": join(given, 3), "lanes_log": log}

    def weights(self, weights: Weights) -> dict[str, int]:
        """The ports for the meaning of the codes."""
        return {"low": weights.low, "double": weights.step == 2}


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def mac_array(dut: Any) -> None:
    rng = seeded("mac_array")
    array = Array(dut, rng)
    forms = [
        (Form.BIPOLAR, 0),
        *product((Form.UNSIGNED, Form.SIGNED), range(array.most_log + 1)),
    ]
    places = [1 << log for log in range(array.inputs.bit_length())]
    bins = ["all outputs", "hold", *(["some outputs"] if array.outputs > 1 else [])]
    bins += ["places without an input"] if array.inputs > 2 else []
    coverage = Coverage("mac_array", [*forms, *(f"{n} places" for n in places), *bins])
    for _ in range(vectors(1500)):
        form, log = random_form(rng, array.most_log)
        inputs = rng.choice((array.inputs >> log, rng.randint(1, array.inputs >> log)))
        outputs = rng.choice((array.outputs, rng.randint(1, array.outputs)))
        weights = Weights.draw(rng, array.bits)
        codes = weights.codes(rng, (outputs, inputs))
        x = random_codes(rng, form, 2 << log, (inputs,))
        await array.unit.cycle(
            en=1, **array.tile(codes), **array.pixel(x, log), **array.weights(weights)
        )
        await array.unit.settle(
            en=0, operands=rng.getrandbits(3 * array.inputs), low=rng.getrandbits(9)
        )
        expected = join(reference("linear", x, weights.values(codes)), array.acc)
        assert join(array.unit.fields("sums", array.acc, outputs), array.acc) == expected
        if rng.random() < 0.05:
            await array.unit.cycle()
            await array.unit.settle()
            assert join(array.unit.fields("sums", array.acc, outputs), array.acc) == expected
            coverage.hit("hold")
        coverage.hit((form, log), f"{tile_places(inputs)} places")
        coverage.hit("all outputs" if outputs == array.outputs else "some outputs")
        if tile_places(inputs) > inputs:
            coverage.hit("places without an input")
    coverage.require(10)


class Accumulators:
    """Drives accumulators a cycle at a time: what is read in one cycle is written in the next."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.unit = Unit(dut, "accumulators")
        self.rng = rng
        self.outputs = int(dut.OutputLanes.value)
        self.bits = int(dut.AccBits.value)
        self.pixels = int(dut.Pixels.value)
        self.writing: tuple[int, int] | None = None  # set and parity of the bank written now
        self.sums = 0

    async def cycle(
        self,
        add: tuple[int, int, bool] | None = None,
        sums: int = 0,
        drain: tuple[int, int] | None = None,
    ) -> None:
        """One cycle: `add` is set, pixel and whether to begin at 0; `sums` come in the next."""
        ports = {"add_write": self.writing is not None, "sums": self.sums}
        ports |= {"add_read": add is not None, "drain_read": drain is not None}
        # without a read its ports may be anything
        add_ports = add or (self.rng.getrandbits(1), self.rng.randrange(self.pixels), True)
        drain_ports = drain or (self.rng.getrandbits(1), self.rng.randrange(self.pixels))
        ports |= dict(zip(("add_set", "add_index", "add_first"), add_ports, strict=True))
        ports |= dict(zip(("drain_set", "drain_index"), drain_ports, strict=True))
        await self.unit.cycle(**ports)
        self.writing = None if add is None else (add[0], add[1] % 2)
        self.sums = sums

    def drained(self) -> int:
        """All sums that the drain shows."""
        return self.unit["drain"]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def accumulators(dut: Any) -> None:
    rng = seeded("accumulators")
    bench = Accumulators(dut, rng)
    bins = ["begin", "go on", "written a cycle before", "the drain waits", "sums wrap"]
    both = product((0, 1), ("add", "drain", "both", "add in a row"))
    coverage = Coverage("accumulators", [*bins, *both, *range(bench.pixels)])
    held: dict[tuple[int, int], IntArray] = {}
    shown: int | None = None
    last: tuple[int, int] | None = None  # what was read two cycles ago: written in the one before
    latest: tuple[int, int] | None = None
    low, high = -(1 << (bench.bits - 1)), (1 << (bench.bits - 1)) - 1
    filling = 0
    for _ in range(vectors(3000)):
        if rng.random() < 0.02:
            filling, shown = 1 - filling, None  # the array now reads what was drained
        # one access a bank and cycle: the bank that is written takes no other
        index = rng.choice([p for p in range(bench.pixels) if (filling, p % 2) != bench.writing])
        if last is not None and last[0] == filling and rng.random() < 0.3:
            index = last[1] if (filling, last[1] % 2) != bench.writing else index
        before = held.get((filling, index))
        first = before is None or rng.random() < 0.3
        adds = rng.random() < 0.8
        choice = [p for p in range(bench.pixels) if (1 - filling, p) in held]
        choice = [p for p in choice if (1 - filling, p % 2) != bench.writing]
        drain = (1 - filling, rng.choice(choice)) if choice and rng.random() < 0.5 else None
        sums = np.array([rng.randint(low, high) for _ in range(bench.outputs)])
        row = bench.writing is not None
        add = (filling, index, first) if adds else None
        await bench.cycle(add, join(sums, bench.bits), drain)
        if adds:
            total = sums if first or before is None else before + sums
            wrapped = (total - low) % (1 << bench.bits) + low
            held[filling, index] = wrapped
            coverage.hit("begin" if first else "go on", (filling, "add"), index)
            if (wrapped != total).any():
                coverage.hit("sums wrap")
            if (filling, index) == last:
                coverage.hit("written a cycle before")
            if row:
                coverage.hit((filling, "add in a row"))
        last, latest = latest, (filling, index) if adds else None
        await bench.unit.settle(drain_read=0, drain_index=rng.randrange(bench.pixels))
        if drain is not None:
            shown = join(held[drain], bench.bits)
            coverage.hit((drain[0], "drain"))
            if adds:
                coverage.hit((filling, "both"))
        elif shown is not None:
            coverage.hit("the drain waits")
        if shown is not None:
            assert bench.drained() == shown
    coverage.require(10)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def convolutions(dut: Any) -> None:
    """mac_array and accumulators, one behind the other: blocks of convolutions."""
    rng = seeded("convolutions")
    array, bench = Array(dut, rng), Accumulators(dut, rng)
    bench.unit.drive(chain=1)
    bins = ["odd pixels", "padding", "several input tiles", "stride"]
    bins += ["wide codes"] if array.most_log else []
    coverage = Coverage("convolutions", bins)
    done = 0
    while done < vectors(60):
        form, log = random_form(rng, array.most_log)
        channels = rng.randint(1, 2 * array.inputs)
        kernel = rng.randint(1, 3), rng.randint(1, 3)
        stride, padding = rng.choice(((1, 1), (2, 1))), rng.choice(((0, 0), (1, 0), (1, 1)))
        outputs = rng.randint(1, array.outputs)
        weights = Weights.draw(rng, array.bits)
        codes = weights.codes(rng, (outputs, channels, *kernel))
        size = rng.randint(kernel[0], 5), rng.randint(kernel[1], 5)
        x = random_codes(rng, form, 2 << log, (channels, *size))
        pad = int(random_codes(rng, form, 2 << log, (1,))[0])
        expected = reference(
            "conv",
            x,
            weights.values(codes),
            groups=1,
            stride=stride,
            padding=padding,
            pad_code=pad,
        )
        pixels = list(np.ndindex(*expected.shape[1:]))
        if len(pixels) > bench.pixels:
            continue
        done += 1
        padded = np.pad(x, ((0, 0), *((p, p) for p in padding)), constant_values=pad)
        layout = Layout(channels, *size, 1 << log, array.inputs)
        tiles = input_tiles(layout, 0, 1)
        chosen = rng.getrandbits(1)
        array.unit.drive(**array.weights(weights))
        for tap in np.ndindex(*kernel):
            for number, inputs in enumerate(tiles):
                start = sum(tiles[:number])
                part = codes[:, start : start + inputs, tap[0], tap[1]]
                array.unit.drive(en=1, **array.tile(part))
                for index, (row, column) in enumerate(pixels):
                    window = padded[:, row * stride[0] + tap[0], column * stride[1] + tap[1]]
                    array.unit.drive(**array.pixel(window[start : start + inputs], log))
                    await bench.cycle((chosen, index, tap == (0, 0) and number == 0))
                if len(pixels) % 2:  # the banks take turns
                    array.unit.drive(en=0)
                    await bench.cycle()
                    coverage.hit("odd pixels")
        array.unit.drive(en=0)
        await bench.cycle()
        for index, place in enumerate(pixels):
            await bench.cycle(drain=(chosen, index))
            await bench.unit.settle(drain_read=0)
            shown = bench.unit.fields("drain", bench.bits, outputs)
            right = expected[:, place[0], place[1]]
            assert join(shown, bench.bits) == join(right, bench.bits), (form, log, place)
        met = [any(padding), len(tiles) > 1, stride != (1, 1), log > 0]
        coverage.hit(*(name for name, seen in zip(bins[1:], met, strict=False) if seen))
    coverage.require(3)
