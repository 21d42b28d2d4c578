"""stream_in: maps come in with gaps, with TLAST in its place, too early or not at all."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.rtl.codes import Operation
from codesign.rtl.registers import ERRORS
from tests.rtl_models import layers
from tests.rtl_models.bench import outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes
from tests.rtl_models.ports import Ports

CODE = {error.name: error.code for error in ERRORS}
BINS = (
    *("a map", "the frame's last map", "one word", "keeps up", "gaps", "waits for the first word"),
    *("short", "short at the last word", "long", "stopped", "stopped behind a beat"),
    *("discards one beat", "discards several"),
)


@dataclass
class Source:
    """Beats with gaps; a beat that is offered stays until it is taken."""

    ports: Ports
    rng: random.Random
    lanes: int
    share: float
    offered: tuple[int, int] | None = None

    def offer(self, last: bool) -> None:
        """Perhaps offer a beat in this cycle."""
        if self.offered is None and self.rng.random() < self.share:
            self.offered = self.rng.getrandbits(2 * self.lanes), int(last)
        data, tlast = self.offered or (
            self.rng.getrandbits(2 * self.lanes),
            self.rng.getrandbits(1),
        )
        self.ports.drive(tvalid=int(self.offered is not None), tdata=data, tlast=tlast)

    def taken(self) -> tuple[int, int]:
        """The beat that was taken in this cycle."""
        assert self.offered is not None
        beat, self.offered = self.offered, None
        return beat


class Bench:
    """One map after the other."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.ports, self.rng = dut, Ports(dut), seeded("stream in")
        self.lanes = Lanes.of(dut)
        self.coverage = Coverage("stream_in", BINS)

    async def map(self) -> None:
        """A map as it should come, one that is too short or too long, or one that is left."""
        rng, ports = self.rng, self.ports
        layer = layers.stream(rng, self.lanes, Operation.LOAD)
        layout, end = layer.work.source, bool(layer.fields["frame_end"])
        base, words = layer.fields["target_base"], layout.words
        share = rng.choice((1.0, 1.0, 0.5, 0.1))
        wrong = rng.random() < 0.4
        mark = rng.randrange(words) if wrong else words - 1 if end else -1
        if wrong and rng.random() < 0.4:  # none where it is due, one where none is
            mark = -1 if end else words - 1
        stop = rng.randrange(1, 2 * words + 1) if rng.random() < 0.3 else 0
        self._cover(words, share, end)
        ports.drive(descriptor=layer.word, row=layer.row, start=1)
        await RisingEdge(self.dut.clk_i)
        ports.drive(start=0, run=1)
        source = Source(ports, rng, self.lanes.input, share)
        written: tuple[int, int] | None = None  # what is written in this cycle
        number = cycles = 0
        fail = ""
        while True:
            source.offer(number == mark)
            await FallingEdge(self.dut.clk_i)
            cycles += 1
            expects = number < words and not fail
            assert ports["tready"] == int(expects)
            assert ports["fail"] == int(bool(fail))
            assert ports["write"] == int(written is not None and not fail)
            over = number == words and not fail
            assert ports["finish"] == int(over)
            if expects:
                assert ports["wait"] == int(source.offered is None)
                self.coverage.hit(*(["waits for the first word"] if not number else []))
            if fail:
                assert ports["fail_code"] == CODE[fail]
                break
            if written is not None:
                assert (ports["address"], ports["data"]) == written
            await RisingEdge(self.dut.clk_i)
            if over:
                self.coverage.hit("keeps up" if cycles == words + 1 else "gaps")
                break
            written = None
            if expects and source.offered is not None:
                data, last = source.taken()
                written = ((base + number) % 2**24, data)
                number += 1
                due = end and number == words
                fail = "stream_short" if last and not due else ""
                fail = "stream_long" if due and not last else fail
                if last and not due:
                    self.coverage.hit("short at the last word" if number == words else "short")
                self.coverage.hit(*(["long"] if fail == "stream_long" else []))
            if cycles >= stop > 0 and not fail and number < words:
                self.coverage.hit("stopped behind a beat" if written else "stopped")
                break
        await self._leave()

    def _cover(self, words: int, share: float, end: bool) -> None:
        self.coverage.hit("the frame's last map" if end else "a map")
        self.coverage.hit(*(["one word"] if words == 1 else []))

    async def _leave(self) -> None:
        """The layer is over: nothing is taken, nothing is written."""
        self.ports.drive(run=0, tvalid=self.rng.getrandbits(1))
        await FallingEdge(self.dut.clk_i)
        for name in ("tready", "write", "finish", "fail", "discarded"):
            assert self.ports[name] == 0, name
        await RisingEdge(self.dut.clk_i)

    async def discard(self) -> None:
        """Beats are dropped up to and with the next TLAST."""
        count = self.rng.choice((1, 2, 9))
        self.coverage.hit("discards one beat" if count == 1 else "discards several")
        source = Source(self.ports, self.rng, self.lanes.input, 0.7)
        self.ports.drive(discard=1)
        number = 0
        while number < count:
            source.offer(number == count - 1)
            await FallingEdge(self.dut.clk_i)
            taken = source.offered is not None
            assert (self.ports["tready"], self.ports["write"]) == (1, 0)
            assert self.ports["discarded"] == int(taken and number == count - 1)
            await RisingEdge(self.dut.clk_i)
            if taken:
                source.taken()
                number += 1
        self.ports.drive(discard=0)
        await self._leave()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def maps_as_they_come(dut: Any) -> None:
    bench = Bench(dut)
    bench.ports.rest()
    start_clock(dut)
    await reset(dut)
    data = ("address_o", "data_o")
    handles = [handle for handle in outputs(dut) if handle._name not in data]
    cocotb.start_soon(watch_unknown(dut, handles))
    await RisingEdge(dut.clk_i)
    for _ in bench.coverage.rounds(150, 3):
        await bench.map()
        if bench.rng.random() < 0.2:
            await bench.discard()
    bench.coverage.require(3)
