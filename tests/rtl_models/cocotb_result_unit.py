"""result_unit against the op table: whole layers at any pace, frozen by the write unit, reset."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.rtl.codes import Operation
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.result_layers import Layer, Machine, Token, Turn, random_layer
from tests.rtl_models.units import Unit, descriptor, join, vectors
from tests.rtl_models.written import Written

KINDS = (Operation.PRODUCT, Operation.VECTOR)


class Interrupted(Exception):  # noqa: N818 (it is no error)
    """The layer has been stopped on purpose."""


class Bench:
    """Drives tokens as the controls do, answers as the memories do, notes what is written."""

    def __init__(self, dut: Any) -> None:
        self.unit = Unit(dut)
        self.rng = seeded("result_unit")
        self.machine = machine = Machine.of(dut)
        self.written = Written(self.rng, machine.inputs)
        self.until = -1  # cycles to a stop
        self.empty = True  # nothing was on its way to the memory in this cycle
        self.pace = 1.0
        self.rotate: int | None = None
        reduces = ["none", *["sum"] * machine.pools, *["argmax"] * machine.argmax]
        bins: list[Hashable] = [*product(KINDS, machine.rescales), *product(KINDS, reduces)]
        bins += [*product(KINDS, ("frozen", "a gap", "reset", "abort"))]
        bins += ["shuffle", "tiles", "signed out", "unsigned out"]
        bins += ["signed in", "unsigned in", "bipolar in", "writing is longer"]
        if machine.pools:
            bins += ["pool", "overlap", "no window in a block", "collecting is longer"]
        elif machine.inputs < machine.outputs:
            bins.append("collecting is longer")
        bins += ["bipolar out"] if machine.thresholds else []
        self.coverage = Coverage("result_unit", bins)

    async def cycle(self, token: Token | None, **ports: int) -> bool:
        """One cycle; whether the pipe went on and so took the token."""
        rng, unit = self.rng, self.unit
        product_layer = self.layer.operation is Operation.PRODUCT
        bits = rng.getrandbits(24) if token is None else token.bits
        given = token is not None
        if product_layer:
            ports |= {"drain_issue": given, "drain_token": bits}
            ports |= {"drain_first": token.first if token else rng.getrandbits(1)}
        else:
            ports |= {"map_issue": given, "map_token": bits}
            ports |= {"map_first": token.first if token else rng.getrandbits(1)}
            ports |= {"map_read": token.word is not None if token else rng.getrandbits(1)}
            ports |= {"map_number": token.number if token else rng.getrandbits(16)}
            ports |= {"map_rotate": token.rotate if token else rng.getrandbits(9)}
        await unit.settle(**ports)
        if self.until == 0:
            raise Interrupted
        self.until -= 1
        advance, self.empty = bool(unit["advance"]), bool(unit["empty"])
        if unit["write"]:
            self.written.write(unit["address"], unit["data"], unit["mask"])
        if self.rotate is not None:
            assert unit["rotate"] == self.rotate
        memories: dict[str, int] = {}
        if unit["bias_read"]:
            memories["biases"] = self.bias(unit["bias_address"])
        if advance and token is not None:
            if token.sums is not None:
                memories["sums"] = self.row(token.sums, self.machine.acc)
            if token.word is not None:
                memories["word"] = token.word
                self.rotate = token.rotate
            elif not product_layer:
                self.rotate = None
        elif advance:
            self.rotate = None
        await unit.edge()
        unit.drive(**memories)
        return advance

    def row(self, values: Any, bits: int) -> int:
        """A word of a value for each output lane; lanes of no channel hold anything."""
        row = np.array([self.rng.getrandbits(bits) for _ in range(self.machine.outputs)])
        row[: len(values)] = values
        return join(row, bits)

    def bias(self, address: int) -> int:
        """The parameter memory."""
        tile = address - self.layer.fields["bias_base"]
        assert 0 <= tile < len(self.layer.biases), f"biases of tile {tile} are read"
        self.bias_reads += 1
        return self.row(self.layer.biases[tile], self.machine.bias)

    async def start(self, layer: Layer) -> None:
        """The cycle before the first one of the run."""
        self.layer, self.rotate, self.bias_reads = layer, None, 0
        self.written.clear()
        idle = {"drain_issue": 0, "map_issue": 0, "handover": 0}
        await self.unit.cycle(
            descriptor=descriptor(self.rng, **layer.fields),
            words_out=layer.words_out,
            start=1,
            run=0,
            **idle,
        )
        self.unit.drive(start=0, run=1)

    async def turn(self, turn: Turn) -> None:
        """All tokens, then empty cycles until everything is written."""
        waiting, cycles, paused = list(reversed(turn.tokens)), 0, False
        while True:
            token = waiting[-1] if waiting and self.rng.random() <= self.pace else None
            paused = paused or (token is None and bool(waiting))
            taken = await self.cycle(token)
            cycles += 1
            if token is not None and taken:
                waiting.pop()
            elif token is not None:
                self.coverage.hit((self.layer.operation, "frozen"))
            if not waiting and token is None and self.empty:
                break
        if paused:
            self.coverage.hit((self.layer.operation, "a gap"))
        else:
            assert cycles == turn.cycles, f"{cycles} cycles, the schedule has {turn.cycles}"
            if turn.bounds in self.coverage.counts:
                self.coverage.hit(turn.bounds)

    async def run(self, layer: Layer) -> None:
        """The whole layer."""
        await self.start(layer)
        before = self.rng.randint(1, 256)
        for turn in layer.turns:
            if layer.operation is Operation.PRODUCT:
                while self.rng.random() < 0.5:  # the products take longer than the drain
                    await self.cycle(None)
                # the drain tells the tile that ends until it takes the new one over
                await self.cycle(None, handover=1, tile_begin=turn.begins, tile_outputs=before)
                self.unit.drive(handover=0, tile_begin=self.rng.getrandbits(1))
                before = turn.tile.outputs
            await self.turn(turn)
        assert self.empty
        firsts = sum(token.first for turn in layer.turns for token in turn.tokens)
        assert self.bias_reads == (firsts if layer.biases else 0), "biases are read once a turn"
        self.written.compare(layer.target, layer.expected)
        hits = [(layer.operation, layer.rescale), (layer.operation, layer.reduce), *layer.met]
        self.coverage.hit(*hits)

    async def abort(self) -> None:
        """A cycle in which the layer does not run any more; the next one."""
        await self.unit.cycle(run=0, drain_issue=0, map_issue=0)
        await self.unit.settle()


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def layers(dut: Any) -> None:
    bench = Bench(dut)
    rng = bench.rng
    await bench.unit.reset()
    for number in range(vectors(400)):
        kind, rescales = KINDS[number % 2], bench.machine.rescales
        layer = random_layer(rng, bench.machine, kind, rescales[number // 2 % len(rescales)])
        bench.pace = rng.choice((1.0, 1.0, 0.8, 0.3))
        stop = rng.choice(("", "", "", "", "reset", "abort"))
        tokens = sum(len(turn.tokens) for turn in layer.turns)
        bench.until = rng.randint(1, tokens + 3) if stop else -1
        try:
            await bench.run(layer)
        except Interrupted:
            bench.coverage.hit((kind, stop))
            await (bench.unit.assert_reset() if stop == "reset" else bench.abort())
            assert not bench.unit["write"]
            assert bench.unit["advance"]
            assert bench.unit["empty"]
            if stop == "reset":
                await bench.unit.reset()
    bench.coverage.require(2)
