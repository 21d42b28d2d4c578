"""product_control through whole layers: what is issued and why each cycle is spent.

The weight fetch and the drain are random delays; the order of steps is the model's.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.rtl.registers import CAUSES
from tests.rtl_models import layers
from tests.rtl_models.bench import reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random, Step
from tests.rtl_models.ports import Ports

STOPS = ("weight_load", "compute", "stall", "drain")
BINS = (
    *("an odd block", "an even block", "stalls for a tile", "goes on at once"),
    *("waits for the drain", "does not wait", "waits for the last drain", "a pixel in the padding"),
    *(f"stopped while {cause}" for cause in STOPS),
)


@dataclass
class Seen:
    """What the control is told in a cycle."""

    tile_ready: bool
    drained: bool


Shown = dict[str, int]


def reference(layer: Random, order: list[Step], coverage: Coverage) -> Generator[Shown, Seen, None]:
    """Sent what the control sees, yields what it shows: the rules of the schedule page."""
    now = yield {}
    while not now.tile_ready:
        now = yield {"cause": CAUSES.index("weight_load")}
    now = yield {"cause": CAUSES.index("weight_load"), "advance": 1}
    turn = 0
    for number, step in enumerate(order):
        end = step.last and step.layer_end
        pixels, odd = step.block.pixels, step.block.pixels % 2
        coverage.hit("an odd block" if odd else "an even block")
        for index in range(pixels):
            shown = pixel(layer, step, index)
            coverage.hit(*(["a pixel in the padding"] if shown["pad"] else []))
            shown |= {"buffer": number % 2, "set": turn % 2, "cause": CAUSES.index("compute")}
            ready = now.tile_ready or end
            leaves = index == pixels - 1 and not odd and ready and not step.last
            shown |= {"issue": 1, "advance": int(leaves)}
            now = yield shown
        coverage.hit(*(["goes on at once"] if ready and not odd else []))
        if odd or not ready:
            ready = False
            coverage.hit(*([] if now.tile_ready or end else ["stalls for a tile"]))
            while not ready:
                ready = now.tile_ready or end
                leaves = ready and not step.last
                now = yield {"cause": CAUSES.index("stall"), "advance": int(leaves)}
        if step.last:
            for cycle in range(3):  # the pipeline empties
                handover = cycle == 2 and now.drained
                now = yield finish(step, handover)
            coverage.hit("does not wait" if handover else "waits for the drain")
            while not handover:
                handover = now.drained
                now = yield finish(step, handover)
            turn += 1
    coverage.hit(*([] if now.drained else ["waits for the last drain"]))
    over = False
    while not over:
        over = now.drained
        now = yield {"cause": CAUSES.index("drain"), "finish": int(over)}


def finish(step: Step, handover: bool) -> Shown:
    """A cycle behind a turn's last step."""
    shown = {"cause": CAUSES.index("drain"), "handover": int(handover)}
    if handover:
        shown |= {
            "advance": int(not step.layer_end),
            "outputs": step.outputs,
            "rows": step.block.rows,
            "columns": step.block.columns,
            "tile_end": int(step.tile_end),
            "layer_end": int(step.layer_end),
        }
    return shown


def pixel(layer: Random, step: Step, index: int) -> Shown:
    """The pixel that is issued: where its tap is read, or that it lies in the padding."""
    work, source = layer.work, layer.work.source
    y = (step.top + index // step.block.columns) * work.stride[0] + step.tap[0] - work.padding[0]
    x = (step.left + index % step.block.columns) * work.stride[1] + step.tap[1] - work.padding[1]
    inside = 0 <= y < source.height and 0 <= x < source.width
    lane = step.first_channel * source.lanes
    word = (y * source.width + x) * source.words_per_pixel + lane // source.word_lanes
    shown = {
        "pad": int(not inside),
        "index": index,
        "first": int(step.first),
        "rotate": lane % source.word_lanes,
        "lanes": step.inputs * source.lanes,
        "inputs_log": step.inputs_log,
    }
    return shown | ({"address": layer.fields["source_base"] + word} if inside else {})


def describe(step: Step, layer: Random) -> dict[str, int]:
    """What the step walker tells of the step that comes next."""
    source = layer.work.source
    lane = step.first_channel * source.lanes
    row, column = step.tap
    offset = row * layer.row + column * source.words_per_pixel + lane // source.word_lanes
    return {
        "next_outputs": step.outputs,
        "next_rotate": lane % source.word_lanes,
        "next_lanes": step.inputs * source.lanes,
        "next_inputs_log": step.inputs_log,
        "next_offset": offset,
        "next_tap_row": row,
        "next_tap_column": column,
        "next_move": step.move,
        "next_rows": step.block.rows,
        "next_columns": step.block.columns,
        "next_first": int(step.first),
        "next_last": int(step.last),
        "next_tile_end": int(step.tile_end),
        "next_layer_end": int(step.layer_end),
    }


PULSES = ("issue", "advance", "handover", "finish")


async def run_layer(
    dut: Any, ports: Ports, rng: random.Random, layer: Random, order: list[Step], cover: Coverage
) -> None:
    """One layer from its start to its end, or to an abort."""
    down, right = layer.steps
    ports.drive(
        describe(order[0], layer),
        descriptor=layer.word, origin=layer.origin, row_step=down, column_step=right,
        start=1, tile_ready=0, drained=1,
    )  # fmt: skip
    await RisingEdge(dut.clk_i)
    ports.drive(start=0, run=1)
    cycles = reference(layer, order, cover)
    next(cycles)
    # perhaps it is stopped in one of the cycles of some cause
    stop = rng.choice(STOPS) if rng.random() < 0.4 else ""
    left = rng.choice((1, 1, 2, 10))
    slow = rng.choice((0.2, 0.9))  # how fast tiles and drains are there
    following, fetched, draining = 1, False, 0
    turns: list[int] = []
    while True:
        fetched = fetched or rng.random() < slow
        drained = draining == 0
        ports.drive(tile_ready=int(fetched), drained=int(drained))
        expected = cycles.send(Seen(fetched, drained))
        await FallingEdge(dut.clk_i)
        expected = {**dict.fromkeys(PULSES, 0), **expected}
        shown = {name: ports[name] for name in expected}
        assert shown == expected
        if expected["handover"]:
            turns.append(ports["tile_begin"])
            draining = rng.choice((1, 5, 40))
        else:
            draining = max(0, draining - 1)
        await RisingEdge(dut.clk_i)
        if expected["advance"]:
            fetched = False
            if following < len(order):
                ports.drive(describe(order[following], layer))
            following += 1
        if expected["finish"]:
            assert turns == [int(step.move == 3) for step in order if step.first]
            break
        left -= CAUSES[expected["cause"]] == stop
        if not left:
            cover.hit(f"stopped while {stop}")
            break
    ports.drive(run=0)
    await FallingEdge(dut.clk_i)
    assert [ports[name] for name in PULSES] == [0, 0, 0, 0]
    for _ in range(2):
        await RisingEdge(dut.clk_i)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def every_cycle_of_a_layer(dut: Any) -> None:
    rng, ports = seeded("product control"), Ports(dut)
    coverage = Coverage("product_control", BINS)
    ports.rest()
    start_clock(dut)
    await reset(dut)
    pulses = [getattr(dut, f"{name}_o") for name in (*PULSES, "cause")]
    cocotb.start_soon(watch_unknown(dut, pulses))
    await RisingEdge(dut.clk_i)
    for number in coverage.rounds(80, 2):
        lanes = Lanes(4, 4, rng.choice((2, 4, 16)))
        layer = layers.product(rng, lanes)
        order = layers.steps(layer, lanes)
        if sum(step.block.pixels for step in order) < 900 or number < 2:
            await run_layer(dut, ports, rng, layer, order, coverage)
    coverage.require(2)
