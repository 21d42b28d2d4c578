"""Frames on the whole machine: loaded through the window, in step mode and at once, with gaps."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from codesign.rtl.codes import Operation
from codesign.rtl.registers import MEMORIES
from tests.rtl_models.bench import four_state, seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.top_bench import Bench
from tests.rtl_models.top_frame import Frame
from tests.rtl_models.top_networks import bins, networks

NETWORKS = int(os.environ.get("NETWORKS", "50"))
ENOUGH = NETWORKS >= 50  # for the whole coverage
MOST = 3 * NETWORKS if ENOUGH else NETWORKS
#: How often the source and the sink rest.
GAPS = ((0, 0), (0, 0), (0.3, 0), (0, 0.5), (0.2, 0.2), (0.6, 0.4))
STREAMS = (
    *("the stream keeps up", "starved", "blocked", "starved and blocked"),
    *("starved in steps", "blocked in steps"),
)


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def every_kind_of_layer(dut: Any) -> None:
    """Random networks: maps, counters and results; gaps change nothing but the waiting."""
    rng = seeded("frames")
    bench = await Bench.begin(dut, rng)
    coverage = Coverage("networks", bins(bench.hardware))
    streams = Coverage("streams", STREAMS)
    frames = 0
    for graph, image in networks(rng, bench.hardware, coverage, NETWORKS, MOST):
        frame = Frame.of(graph, image, rng)
        await bench.load(image)
        await in_steps(bench, frame, rng.choice(GAPS), streams)
        # nothing of the first frame is left in the second
        await at_once(bench, Frame.of(graph, image, rng), rng.choice(GAPS), streams)
        frames += 2
        assert await bench.get("frames") == frames
    coverage.require(1, share=1.0 if ENOUGH else 0.5)
    streams.require(1, share=1.0 if ENOUGH else 0.6)


async def in_steps(
    bench: Bench, frame: Frame, shares: tuple[float, float], streams: Coverage
) -> None:
    """A frame with a pause behind each layer: what it counted, and the map in its bank."""
    bench.gaps(*shares)
    bench.send(frame.sent)
    await bench.start(step=True)
    total = 0
    for number, (entry, values) in enumerate(frame.steps):
        status = await bench.ends()
        last = number == len(frame.steps) - 1
        assert (status.paused, status.done, status.layer) == (int(not last), int(last), number)
        counted = await bench.cycles()
        predicted = dict(entry.cycles)
        # no other counter knows of the streams
        assert {**counted, "wait": 0} == {**predicted, "wait": 0}, entry.name
        assert counted["wait"] == bench.starved + bench.blocked, entry.name
        streams.hit(*(["starved in steps"] if bench.starved else []))
        streams.hit(*(["blocked in steps"] if bench.blocked else []))
        total += sum(counted.values())
        assert await bench.frame_cycles() == total
        # a memory whose idle lanes nobody wrote would answer X there
        if entry.operation is not Operation.STORE and not four_state():
            assert np.array_equal(await bench.map(entry.map), values), entry.name
        if not last:
            bench.starved = bench.blocked = 0
            await bench.goes_on()
    assert await bench.output() == frame.expected


async def at_once(
    bench: Bench, frame: Frame, shares: tuple[float, float], streams: Coverage
) -> None:
    """A frame without a pause: what comes out, and how long it took."""
    bench.gaps(*shares)
    bench.send(frame.sent)
    await bench.start()
    status = await bench.ends()
    assert (status.outcome, status.layer) == ("done", len(frame.steps) - 1)
    assert await bench.output() == frame.expected
    predicted = sum(entry.cycles.total for entry, _ in frame.steps)
    assert await bench.frame_cycles() == predicted + bench.starved + bench.blocked
    waited = [name for name in ("starved", "blocked") if getattr(bench, name)]
    streams.hit(" and ".join(waited) or "the stream keeps up")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def the_window_holds_a_network(dut: Any) -> None:
    """What is loaded with gaps on all channels is read back, and runs."""
    rng = seeded("window")
    bench = await Bench.begin(dut, rng)
    coverage = Coverage("window", bins(bench.hardware))
    graph, image = next(networks(rng, bench.hardware, coverage, 1, 1))
    bench.host.pause(rng, 0.3)
    await bench.load(image)
    for name, memory in MEMORIES.items():
        words = list(getattr(image, name))
        assert await bench.read_words(memory, len(words), bench.width(name)) == words
    frame = Frame.of(graph, image, rng)
    for _ in range(2):  # memories keep what they hold
        bench.send(frame.sent)
        await bench.start()
        assert (await bench.ends()).outcome == "done"
        assert await bench.output() == frame.expected
    await ClockCycles(dut.clk_i, 5)
