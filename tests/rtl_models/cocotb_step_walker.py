"""step_walker against the loop nest of codesign.hw.tiling."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models import layers
from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random, Step
from tests.rtl_models.ports import Ports

BINS = (
    *("one lane", "two lanes", "four lanes"),
    *("a group begins inside a word", "a part of a word", "several input tiles", "groups"),
    *("a part of an output tile", "several output tiles", "a tile ends its group"),
    *("one block", "a block to the right", "a block below", "a block cut short"),
    *("taps", "one step in a turn", "it waits"),
)


def shown(step: Step, layer: Random) -> dict[str, int]:
    """The walker's outputs for a step."""
    source = layer.work.source
    lane = step.first_channel * source.lanes
    row, column = step.tap
    tap = row * layer.row + column * source.words_per_pixel
    return {
        "outputs": step.outputs,
        "rotate": lane % source.word_lanes,
        "lanes": step.inputs * source.lanes,
        "inputs_log": step.inputs_log,
        "offset": tap + lane // source.word_lanes,
        "tap_row": row,
        "tap_column": column,
        "move": step.move,
        "block_rows": step.block.rows,
        "block_columns": step.block.columns,
        "first_step": int(step.first),
        "last_step": int(step.last),
        "tile_end": int(step.tile_end),
        "layer_end": int(step.layer_end),
    }


def met(layer: Random, order: list[Step], lanes: Lanes) -> list[str]:
    """The bins that a layer fills."""
    work, first = layer.work, order[0]
    each = work.outputs // work.groups
    shape = layer.fields["block_rows"], layer.fields["block_columns"]
    starts = {step.first_channel * work.source.lanes % lanes.input for step in order if step.first}
    conditions = {
        {1: "one lane", 2: "two lanes", 4: "four lanes"}[work.source.lanes]: True,
        "a group begins inside a word": starts != {0},
        "a part of a word": any(step.inputs * work.source.lanes < lanes.input for step in order),
        "several input tiles": first.inputs < work.source.channels // work.groups,
        "groups": work.groups > 1,
        "a part of an output tile": each % lanes.output != 0,
        "several output tiles": each > lanes.output,
        "a tile ends its group": work.groups > 1 and each > lanes.output,
        "one block": work.size[0] <= shape[0] and work.size[1] <= shape[1],
        "a block to the right": any(step.move == 1 for step in order),
        "a block below": any(step.move == 2 for step in order),
        "a block cut short": any((s.block.rows, s.block.columns) != shape for s in order),
        "taps": work.taps > 1,
        "one step in a turn": first.last,
    }
    return [name for name, condition in conditions.items() if condition]


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_step_of_a_layer(dut: Any) -> None:
    rng, ports = seeded("step walker"), Ports(dut)
    lanes = Lanes.of(dut)
    never = {"four lanes"} if lanes.input == 2 else set()
    coverage = Coverage("step_walker", [bin_ for bin_ in BINS if bin_ not in never])
    ports.rest()
    start_clock(dut)
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(100, 3):
        layer = layers.product(rng, lanes.blocks_of(rng.choice((2, 4, 6, 16))))
        order = layers.steps(layer, lanes)
        coverage.hit(*met(layer, order, lanes))
        ports.drive(
            descriptor=layer.word,
            words_in=layer.work.source.words_per_pixel,
            row=layer.row,
            start=1,
        )
        await RisingEdge(dut.clk_i)
        ports.drive(start=0)
        for step in order[:400]:
            while rng.random() < 0.2:
                coverage.hit("it waits")
                await RisingEdge(dut.clk_i)
            await FallingEdge(dut.clk_i)
            expected = shown(step, layer)
            assert {name: ports[name] for name in expected} == expected, step
            ports.drive(advance=1)
            await RisingEdge(dut.clk_i)
            ports.drive(advance=0)
    coverage.require(3)
