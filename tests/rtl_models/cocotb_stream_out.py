"""stream_out: maps go out to a receiver with gaps; a beat that is offered stays."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.rtl.codes import Operation
from tests.rtl_models import layers
from tests.rtl_models.bench import outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random
from tests.rtl_models.ports import Ports

BINS = (
    *("a map", "the frame's last map", "one word", "keeps up", "held", "idle lanes", "full words"),
    *("stopped with a beat", "beyond the bank"),
)


class Bench:
    """One map after the other out of a bank of random words."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.ports, self.rng = dut, Ports(dut), seeded("stream out")
        self.lanes = Lanes.of(dut)
        self.coverage = Coverage("stream_out", BINS)

    def _sent(self, layer: Random, words: list[int]) -> list[int]:
        """What goes out: lanes that no channel has are zero."""
        layout = layer.work.source
        each = layout.words_per_pixel
        used = layout.channels * layout.lanes - (each - 1) * layout.word_lanes
        self.coverage.hit("full words" if used == layout.word_lanes else "idle lanes")
        ones = (1 << 2 * used) - 1
        return [
            word & ones if number % each == each - 1 else word for number, word in enumerate(words)
        ]

    async def map(self) -> None:
        """A map to its end, to an abort or to an address that is beyond the bank."""
        rng, ports = self.rng, self.ports
        layer = layers.stream(rng, self.lanes, Operation.STORE)
        base, count = layer.fields["source_base"], layer.work.source.words
        end = bool(layer.fields["frame_end"])
        bank = [rng.getrandbits(2 * self.lanes.input) for _ in range(count)]
        sent = self._sent(layer, bank)
        self.coverage.hit("the frame's last map" if end else "a map")
        self.coverage.hit(*(["one word"] if count == 1 else []))
        share = rng.choice((1.0, 1.0, 0.5, 0.2))
        stop = rng.randrange(1, 2 * count + 1) if rng.random() < 0.4 else -1
        beyond = rng.randrange(count) if rng.random() < 0.1 else count
        ports.drive(descriptor=layer.word, words_in=layer.work.source.words_per_pixel, start=1)
        await RisingEdge(self.dut.clk_i)
        ports.drive(start=0, run=1)
        read = taken = cycles = 0
        while True:
            ready = rng.random() < share
            valid = read > taken
            reads = read < count and (not valid or ready)
            ports.drive(tready=int(ready), beyond=int(reads and read == beyond))
            await FallingEdge(self.dut.clk_i)
            cycles += 1
            assert ports["tvalid"] == int(valid)
            assert ports["held"] == ports["wait"] == int(valid and not ready)
            assert ports["read"] == int(reads)
            if reads:
                assert ports["address"] == (base + read) % 2**24
            if valid:
                assert ports["tdata"] == sent[taken]
                assert ports["tlast"] == int(end and taken == count - 1)
                self.coverage.hit(*([] if ready else ["held"]))
            over = valid and ready and taken == count - 1
            assert ports["finish"] == int(over)
            await RisingEdge(self.dut.clk_i)
            taken += valid and ready
            if over:
                self.coverage.hit(*(["keeps up"] if cycles == count + 1 else []))
                break
            if reads and read == beyond:  # the word is not offered, the program stops
                self.coverage.hit("beyond the bank")
                break
            if reads:
                ports.drive(word=bank[read])
                read += 1
            if cycles == stop:
                assert read > taken  # it is never without one before the end
                self.coverage.hit("stopped with a beat")
                break
        await self._leave(sent[taken:read], end and read == count)

    async def _leave(self, beats: list[int], last: bool) -> None:
        """The program is over: a beat that waits is kept until it is taken, no other comes."""
        ports = self.ports
        ports.drive(run=0, beyond=0)
        for beat in beats:
            ready = False
            while not ready:
                ready = self.rng.random() < 0.3
                ports.drive(tready=int(ready))
                await FallingEdge(self.dut.clk_i)
                assert (ports["tvalid"], ports["held"]) == (1, int(not ready))
                assert (ports["tdata"], ports["tlast"]) == (beat, int(last))
                assert (ports["read"], ports["finish"]) == (0, 0)
                await RisingEdge(self.dut.clk_i)
        ports.drive(tready=self.rng.getrandbits(1))
        await FallingEdge(self.dut.clk_i)
        for name in ("tvalid", "tlast", "held", "read", "finish", "tdata"):
            assert ports[name] == 0, name
        await RisingEdge(self.dut.clk_i)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def maps_as_they_go(dut: Any) -> None:
    bench = Bench(dut)
    bench.ports.rest()
    start_clock(dut)
    await reset(dut)
    handles = [handle for handle in outputs(dut) if handle._name != "address_o"]
    cocotb.start_soon(watch_unknown(dut, handles))
    await RisingEdge(dut.clk_i)
    for _ in bench.coverage.rounds(150, 3):
        await bench.map()
    bench.coverage.require(3)
