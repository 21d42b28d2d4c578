"""The whole machine in a cocotb test: its host, its streams, and what is watched all the time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, First, ReadOnly, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from codesign.hw.config import LANE_BITS
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.ir import IntArray
from codesign.rtl import Image
from codesign.rtl.registers import CAUSES, ERRORS, FIRST_BANK, MEMORIES, REGISTERS, register
from codesign.rtl.words import Map, unpack, words_to_lanes
from tests.rtl_models.axi_lite import Host
from tests.rtl_models.bench import four_state, reset, start_clock
from tests.rtl_models.top_frame import Frame
from tests.rtl_models.top_machines import chosen

AT = {entry.name: entry.address for entry in REGISTERS}
ERROR = {error.code: error.name for error in ERRORS}
#: Cycles that a frame of these tests never takes.
LIMIT = 30_000


@dataclass(frozen=True)
class Status:
    """STATUS and LAYER."""

    busy: int
    paused: int
    done: int
    error: int
    discarding: int
    error_code: int
    layer: int

    @property
    def outcome(self) -> str:
        """ "done", or the name of the error."""
        return "done" if self.done else ERROR[self.error_code]


class Bench:
    """One machine, its host and its streams.

    Attributes:
        host: the master on AXI4-Lite.
        source, sink: the ends of the two streams.
        beats: words and TLAST that have come out since they were last taken.
        starved, blocked: cycles in which the machine waited for a beat to come or to be taken.
    """

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng, self.hardware = dut, rng, chosen()
        self.host = Host(dut)
        source = AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk_i, dut.rst_ni
        sink = AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk_i, dut.rst_ni
        self.source = AxiStreamSource(*source, reset_active_level=False)
        self.sink = AxiStreamSink(*sink, reset_active_level=False)
        for part in (self.source, self.sink):
            part.log.setLevel("ERROR")
        self.lanes = self.hardware.lanes.input
        self.beats: list[tuple[int, int]] = []
        self.starved = self.blocked = 0
        self._loose: list[int] = []  # words that have come out without an end

    @classmethod
    async def begin(cls, dut: Any, rng: random.Random) -> Bench:
        """A bench with a machine out of reset."""
        bench = cls(dut, rng)
        start_clock(dut)
        await reset(dut)
        cocotb.start_soon(bench._watch_streams())
        if four_state():
            cocotb.start_soon(bench._watch_unknown())
        return bench

    # ---- the streams

    async def _watch_streams(self) -> None:
        """Note beats; a beat that is offered stays as it is until it is taken."""
        dut, held = self.dut, None
        while True:
            await RisingEdge(dut.clk_i)
            if not int(dut.rst_ni.value):
                held = None
                self._loose = []
                continue
            if int(dut.s_axis_tready.value) and not int(dut.s_axis_tvalid.value):
                self.starved += 1
            valid = int(dut.m_axis_tvalid.value)
            beat = (int(dut.m_axis_tdata.value), int(dut.m_axis_tlast.value)) if valid else None
            assert held is None or beat == held, f"{held} was offered, then {beat}"
            held = beat
            if beat is not None and int(dut.m_axis_tready.value):
                self.beats.append(beat)
                held = None
            elif beat is not None:
                self.blocked += 1

    def gaps(self, source: float, sink: float) -> None:
        """How often each stream rests, from now on."""
        for part, share in ((self.source, source), (self.sink, sink)):
            part.set_pause_generator(pauses(self.rng, share) if share else None)
            part.pause = False

    def send(self, words: Sequence[int]) -> None:
        """Words into the input stream, TLAST with the last; bits beyond a word are random."""
        size = -(-LANE_BITS * self.lanes // 8)
        spare = 8 * size - LANE_BITS * self.lanes
        octets = bytearray()
        for word in words:
            noise = self.rng.getrandbits(spare) << LANE_BITS * self.lanes if spare else 0
            octets += (word | noise).to_bytes(size, "little")
        self.source.send_nowait(AxiStreamFrame(octets))

    async def output(self) -> list[int]:
        """The frame that has come out: TLAST is at its end, the sink has received the same."""
        beats, self.beats = self.beats, []
        words = [word for word, _ in beats]
        assert [last for _, last in beats] == [0] * (len(beats) - 1) + [1]
        size = -(-LANE_BITS * self.lanes // 8)
        octets = b"".join(word.to_bytes(size, "little") for word in self._loose + words)
        assert bytes((await self.sink.recv()).tdata) == octets
        self._loose = []
        return words

    def part(self) -> list[int]:
        """What has come out of a frame that does not go on."""
        beats, self.beats = self.beats, []
        words = [word for word, _ in beats]
        if any(last for _, last in beats):
            self.sink.clear()
            self._loose = []
            assert beats[-1][1]
            return words
        self._loose += words
        return words

    # ---- the host

    async def set(self, name: str, value: int) -> None:
        """Write a register, which is not refused."""
        assert not await self.host.write(AT[name], value), name

    async def get(self, name: str) -> int:
        """Read a register, which is not refused."""
        value, refused = await self.host.read(AT[name])
        assert not refused, name
        return value

    async def command(self, *names: str) -> bool:
        """Write CONTROL; whether it was refused."""
        return await self.host.write(AT["control"], bits("control", names))

    async def status(self) -> Status:
        """The fields of STATUS, and LAYER."""
        word = await self.get("status")
        fields = {field.name: field.of(word) for field in register("status").fields}
        return Status(**fields, layer=await self.get("layer"))

    async def write_words(
        self, memory: int, words: Iterable[int], bits_: int, first: int = 0
    ) -> None:
        """Words of `bits_` into a memory."""
        await self.set("memory_select", memory)
        await self.set("memory_address", first)
        chunks = -(-bits_ // 32)
        octets = b"".join(word.to_bytes(4 * chunks, "little") for word in words)
        parts = [octets[start : start + 4] for start in range(0, len(octets), 4)]
        events = [self.host.master.init_write(AT["memory_data"], part) for part in parts]
        for event in events:
            await event.wait()
            assert int(event.data.resp) == 0

    async def read_words(self, memory: int, count: int, bits_: int, first: int = 0) -> list[int]:
        """Words of `bits_` out of a memory."""
        await self.set("memory_select", memory)
        await self.set("memory_address", first)
        chunks = -(-bits_ // 32)
        master = self.host.master
        events = [master.init_read(AT["memory_data"], 4) for _ in range(count * chunks)]
        parts = []
        for event in events:
            await event.wait()
            assert int(event.data.resp) == 0
            parts.append(int.from_bytes(event.data.data, "little"))
        rows = (parts[start : start + chunks] for start in range(0, len(parts), chunks))
        return [sum(part << 32 * n for n, part in enumerate(row)) for row in rows]

    def width(self, memory: str) -> int:
        """Bits of a word of a memory that is loaded."""
        return {
            "program": DESCRIPTOR_BITS,
            "weights": int(self.hardware.weight_word),
            "parameters": self.hardware.parameter_word,
        }[memory]

    async def load(self, image: Image, parts: Sequence[str] = tuple(MEMORIES)) -> None:
        """A network into the memories."""
        for name in parts:
            words = getattr(image, name)
            await self.write_words(MEMORIES[name], words, self.width(name))

    async def map(self, place: Map) -> IntArray:
        """A map in its bank."""
        bits_ = LANE_BITS * self.lanes
        count = place.layout.words
        words = await self.read_words(FIRST_BANK + place.bank, count, bits_, place.base)
        return unpack(place, words_to_lanes(words, self.lanes))

    async def cycles(self) -> dict[str, int]:
        """The counters of the layer."""
        return {cause: await self.get(f"cycles_{cause}") for cause in CAUSES}

    async def frame_cycles(self) -> int:
        """FRAME_CYCLES."""
        return await self.get("frame_cycles_high") << 32 | await self.get("frame_cycles_low")

    # ---- a frame

    async def start(self, *, step: bool = False, first: int = 0, irq: bool = True) -> None:
        """Clear what was, and start; the streams' counts begin anew."""
        assert not await self.command("clear")
        names = [
            *(["irq_done", "irq_error", "irq_pause"] if irq else []),
            *(["step"] if step else []),
        ]
        await self.set("mode", bits("mode", names))
        await self.set("program", first)
        while int(self.dut.irq_o.value):
            await RisingEdge(self.dut.clk_i)
        self.starved = self.blocked = 0
        assert not await self.command("start")

    async def good(self, frame: Frame) -> None:
        """A frame that is right, whatever has been: memories have kept their words."""
        self.gaps(0, 0)
        self.send(frame.sent)
        await self.start()
        assert (await self.ends()).outcome == "done"
        assert await self.output() == frame.expected

    async def goes_on(self) -> None:
        """Continue behind a pause."""
        assert not await self.command("continue")

    async def interrupt(self, limit: int = LIMIT) -> bool:
        """Wait for the interrupt; whether it came in time."""
        if not int(self.dut.irq_o.value):
            await First(RisingEdge(self.dut.irq_o), ClockCycles(self.dut.clk_i, limit))
        return bool(int(self.dut.irq_o.value))

    async def ends(self, limit: int = LIMIT) -> Status:
        """The status behind the interrupt."""
        assert await self.interrupt(limit), "the machine does not end"
        status = await self.status()
        assert status.busy == status.paused
        return status

    async def abort(self) -> Status:
        """Abort what runs and see it end."""
        assert not await self.command("abort")
        return await self.ends(200)

    async def discard(self) -> None:
        """Drop what is left of a frame in the input stream."""
        self.gaps(0, 0)
        await ClockCycles(self.dut.clk_i, 3)
        if not int(self.dut.s_axis_tvalid.value):
            return
        assert not await self.command("discard")
        for _ in range(200):
            if not (await self.status()).discarding:
                return
        raise AssertionError("the machine does not stop to discard")

    # ---- what is never unknown

    async def _watch_unknown(self) -> None:
        dut = self.dut
        ends = ("awready", "wready", "bvalid", "arready", "rvalid")
        always = [
            dut.irq_o,
            dut.s_axis_tready,
            dut.m_axis_tvalid,
            dut.m_axis_tdata,
            dut.m_axis_tlast,
        ]
        always += [getattr(dut, f"s_axil_{name}") for name in ends]
        answers = (
            (dut.s_axil_bvalid, [dut.s_axil_bresp]),
            (dut.s_axil_rvalid, [dut.s_axil_rresp, dut.s_axil_rdata]),
        )
        while True:
            await RisingEdge(dut.clk_i)
            await ReadOnly()
            if not dut.rst_ni.value.is_resolvable or not int(dut.rst_ni.value):
                continue
            watched = list(always)
            for valid, payload in answers:
                if valid.value.is_resolvable and int(valid.value):
                    watched += payload
            for handle in watched:
                assert handle.value.is_resolvable, f"{handle._name} is {handle.value}"


def pauses(rng: random.Random, share: float) -> Iterator[bool]:
    """Runs of resting and going, most of them short."""
    while True:
        rest = rng.random() < share
        for _ in range(rng.choice((1, 1, 2, 7))):
            yield rest


def bits(name: str, fields: Iterable[str]) -> int:
    """A register's word with these single bits set."""
    return sum(1 << register(name).field(field).low for field in fields)
