"""Resets, aborts and pauses at any time on the whole machine, and what the host may do when."""

from __future__ import annotations

import os
import random
from itertools import product
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, Timer

from codesign.hw.config import LANE_BITS
from codesign.rtl.codes import Operation
from codesign.rtl.registers import FIRST_BANK, MEMORIES, REGISTERS
from codesign.rtl.words import lanes_to_words, pack
from tests.rtl_models.bench import PERIOD_NS, four_state, outputs, reset, seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.top_bench import AT, Bench, bits
from tests.rtl_models.top_frame import Frame
from tests.rtl_models.top_networks import draw

STOPS = int(os.environ.get("STOPS", "50"))
ENOUGH = STOPS >= 50  # for the whole coverage
TIMES = 5 if ENOUGH else 1
#: Every output but the interrupt.
AXI = (
    *(f"s_axil_{name}" for name in ("awready", "wready", "bresp", "bvalid")),
    *(f"s_axil_{name}" for name in ("arready", "rdata", "rresp", "rvalid")),
    *("s_axis_tready", "m_axis_tdata", "m_axis_tvalid", "m_axis_tlast"),
)
KINDS = [operation for operation in Operation if operation]


def all_units(rng: random.Random, bench: Bench) -> Frame:
    """A frame of a network in which every kind of layer is."""
    while True:
        drawn = draw(rng, bench.hardware)
        if drawn and {entry.operation for entry in drawn[1].entries} >= set(KINDS):
            return Frame.of(*drawn, rng)
        if drawn is None or rng.random() < 0.9:
            continue


async def at_layer(bench: Bench, frame: Frame, number: int) -> None:
    """Start a frame and pause before a layer, or let it go if it is the first."""
    bench.send(frame.sent)
    await bench.start(step=number > 0)
    for _ in range(number - 1):
        assert (await bench.ends()).paused
        await bench.goes_on()
    if number:
        assert (await bench.ends()).paused
        await bench.set("mode", bits("mode", ("irq_done", "irq_error")))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_reset_at_any_time(dut: Any) -> None:
    """Outputs are quiet at once, registers as at first, memories as before; a frame is right."""
    rng = seeded("resets")
    bench = await Bench.begin(dut, rng)
    frame = all_units(rng, bench)
    await bench.load(frame.image)
    ends = [*outputs(dut), *(handle for handle in dut if handle._name in AXI)]
    assert len(ends) == len(AXI) + 1
    whens = [*(("runs", kind) for kind in KINDS), "loading", "paused", "discarding", "a beat waits"]
    coverage = Coverage("resets", whens)
    for _ in coverage.rounds(STOPS, times=TIMES):
        when = rng.choice(whens)
        number = rng.randrange(len(frame.steps))
        if isinstance(when, tuple):
            number = [e.operation for e, _ in frame.steps].index(when[1])
        bench.gaps(rng.choice((0, 0.3)), rng.choice((0, 0.3)))
        if when == "loading":
            for word in frame.image.weights[:4]:
                bench.host.master.init_write(AT["memory_data"], word.to_bytes(4, "little"))
            # a word that is lost is written again by the load below
        elif when == "discarding":
            assert not await bench.command("discard")
        elif when == "a beat waits":
            await stored(bench, frame)
        else:
            number = max(number, 1) if when == "paused" else number
            await at_layer(bench, frame, number)
            if number and when != "paused":
                await bench.goes_on()
        await ClockCycles(dut.clk_i, rng.randrange(0, 60 if when != "paused" else 2))
        await Timer(rng.randrange(1, PERIOD_NS), "ns")
        dut.rst_ni.value = 0
        await ReadOnly()
        await Timer(1, "ns")
        quiet = ("irq_o", "s_axis_tready", "m_axis_tvalid", "s_axil_bvalid", "s_axil_rvalid")
        for name in quiet:
            assert int(getattr(dut, name).value) == 0, f"{name} behind {when}"
        bench.source.clear()
        bench.sink.clear()
        await reset(dut, rng.randrange(1, 4))
        bench.beats.clear()
        if four_state():
            for handle in ends:
                assert handle.value.is_resolvable, f"{handle._name} is {handle.value}"
        for entry in REGISTERS:
            if entry.name not in ("id", "lanes", "memory_data"):
                assert await bench.get(entry.name) == 0, entry.name
        if when == "loading":
            await bench.load(frame.image, ("program", "weights"))
        await bench.good(frame)
        coverage.hit(when)
    coverage.require(1, share=1.0 if ENOUGH else 0.4)


async def stored(bench: Bench, frame: Frame) -> None:
    """Run a frame until a beat of its result waits."""
    bench.gaps(0, 0)
    bench.sink.pause = True
    bench.send(frame.sent)
    await bench.start()
    while not int(bench.dut.m_axis_tvalid.value):
        await RisingEdge(bench.dut.clk_i)
    await ClockCycles(bench.dut.clk_i, 3)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def an_abort_at_any_time(dut: Any) -> None:
    """The machine ends at once with ABORT, a beat that waits is not lost, a frame is right."""
    rng = seeded("aborts")
    bench = await Bench.begin(dut, rng)
    frame = all_units(rng, bench)
    await bench.load(frame.image)
    whens = [*(("runs", kind) for kind in KINDS), "paused", "a beat waits", "starved", "too late"]
    coverage = Coverage("aborts", whens)
    kinds = [entry.operation for entry, _ in frame.steps]
    for _ in coverage.rounds(STOPS, times=TIMES):
        kind = rng.choice(KINDS)
        last = kind is Operation.STORE and rng.random() < 0.7
        number = len(kinds) - 1 if last else kinds.index(kind)
        paused, held = rng.random() < 0.1, rng.random() < 0.15
        starved = number == 0 and rng.random() < 0.5
        bench.gaps(rng.choice((0, 0.3)), rng.choice((0, 0.3)))
        bench.source.pause = starved
        if held:
            await stored(bench, frame)
        else:
            await at_layer(bench, frame, number)
            if number and not paused:
                await bench.goes_on()
            cycles = frame.steps[number][0].cycles.total
            late = 60 if number == len(kinds) - 1 else 5
            await ClockCycles(dut.clk_i, rng.randrange(cycles + late))
        assert not await bench.command("abort")
        if held:
            await waits_for_the_beat(bench)
        elif not await bench.interrupt(200):
            # it had paused, or ended, before: a pause that was aborted interrupts as an error
            raise AssertionError("the machine does not end")
        status = await bench.ends()
        if status.done:
            coverage.hit("too late")
            assert await bench.output() == frame.expected
        else:
            assert (status.outcome, status.busy) == ("abort", 0)
            layer = kinds[status.layer]
            when = "a beat waits" if held else "paused" if paused and number else "starved"
            coverage.hit(when if held or starved or (paused and number) else ("runs", layer))
            await bench.discard()
            bench.part()
        await bench.good(frame)
    coverage.require(1, share=1.0 if ENOUGH else 0.4)


async def waits_for_the_beat(bench: Bench) -> None:
    """The machine is busy until the beat that was offered is taken."""
    for _ in range(3):
        status = await bench.status()
        assert (status.busy, status.error, int(bench.dut.m_axis_tvalid.value)) == (1, 0, 1)
    assert not int(bench.dut.irq_o.value)
    bench.sink.pause = False


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def what_the_host_may_not_do(dut: Any) -> None:
    """Refused accesses in every state change nothing: the frame is right, memories are too."""
    rng = seeded("refusals")
    bench = await Bench.begin(dut, rng)
    frame = all_units(rng, bench)
    await bench.load(frame.image)
    weights = list(frame.image.weights)

    async def refused(*names: str, window: bool) -> None:
        for name in names:
            assert await bench.command(*name.split()), name
        for name in ("id", "status", "layer", "frames", "cycles_wait"):
            assert await bench.host.write(AT[name], 0xFFFF_FFFF), name
        assert await bench.host.write(0xFC, 1)
        assert await bench.host.read(0x20) == (0, True)
        if window:
            await bench.set("memory_select", MEMORIES["weights"])
            await bench.set("memory_address", 0)
            assert await bench.host.write(AT["memory_data"], weights[0] ^ 1)
            assert await bench.host.read(AT["memory_data"]) == (0, True)

    await refused("continue", "start discard", "start abort", window=False)
    # what was is forgotten with the next start
    await bench.good(frame)
    bench.source.pause = True
    assert not await bench.command("start")
    status = await bench.status()
    assert (status.busy, status.done, status.error) == (1, 0, 0)
    assert (await bench.abort()).outcome == "abort"
    # starved, the machine runs for as long as the test likes
    bench.source.pause = True
    bench.send(frame.sent)
    await bench.start(step=True)
    await refused("start", "discard", "continue", "start clear", "abort continue", window=True)
    await bench.set("program", 5)  # read at start alone
    bench.gaps(0, 0)
    for number in range(len(frame.steps) - 1):
        status = await bench.ends()
        assert (status.paused, status.layer) == (1, number)
        await refused("start", "discard", "continue start", window=False)
        assert (
            await bench.read_words(MEMORIES["weights"], len(weights), bench.width("weights"))
            == weights
        )
        await bench.goes_on()
    assert (await bench.ends()).outcome == "done"
    assert await bench.output() == frame.expected
    assert not await bench.command("discard")
    assert (await bench.status()).discarding
    await refused("start", "discard", "continue", window=False)
    assert not await bench.command("abort")
    assert not (await bench.status()).discarding
    await bench.good(frame)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_map_exchanged_in_a_pause(dut: Any) -> None:
    """While paused the memories are the host's: another frame's input gives its result."""
    rng = seeded("exchange")
    bench = await Bench.begin(dut, rng)
    while True:
        drawn = draw(rng, bench.hardware)
        if drawn and len(drawn[1].inputs) == 1:
            break
    frame, other = Frame.of(*drawn, rng), Frame.of(*drawn, rng)
    await bench.load(frame.image)
    bench.send(frame.sent)
    await bench.start(step=True)
    assert (await bench.ends()).paused
    entry, values = other.steps[0]
    words = lanes_to_words(pack(entry.map, values))
    place = entry.map
    await bench.write_words(FIRST_BANK + place.bank, words, LANE_BITS * bench.lanes, place.base)
    await bench.set("mode", bits("mode", ("irq_done",)))
    await bench.goes_on()
    assert (await bench.ends()).outcome == "done"
    assert await bench.output() == other.expected


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def interrupts_as_the_mode_asks(dut: Any) -> None:
    """Done, error and pause, each with every mode; the level falls with its state."""
    rng = seeded("interrupts")
    bench = await Bench.begin(dut, rng)
    frame = all_units(rng, bench)
    await bench.load(frame.image)
    names = ("done", "error", "pause")
    for mode, outcome in product(range(8), names):
        assert not await bench.command("clear")
        step = bits("mode", ["step"]) if outcome == "pause" else 0
        await bench.set("mode", mode | step)
        await bench.set("program", 99 if outcome == "error" else 0)
        if outcome != "error":
            bench.send(frame.sent)
        assert not await bench.command("start")
        wanted = bool(mode >> names.index(outcome) & 1)
        if wanted:
            assert await bench.interrupt(), outcome
        while (status := await bench.status()).busy > status.paused:
            pass
        await ClockCycles(dut.clk_i, 2)
        assert bool(int(dut.irq_o.value)) == wanted
        if outcome == "pause":
            assert status.paused
            await bench.set("mode", mode)
            await bench.goes_on()
            while (await bench.status()).busy:
                pass
            assert bool(int(dut.irq_o.value)) == bool(mode & 1)
        if outcome != "error":
            assert await bench.output() == frame.expected
        assert not await bench.command("clear")
        await ClockCycles(dut.clk_i, 3)
        assert not int(dut.irq_o.value)
        assert (await bench.status()).outcome == "none"
