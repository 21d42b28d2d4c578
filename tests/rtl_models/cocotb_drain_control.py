"""drain_control: the tokens of every turn of a layer, in order, with a pipe that freezes."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models import layers
from tests.rtl_models.bench import reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random, Step
from tests.rtl_models.ports import Ports

BINS = (
    *("plain", "sum", "argmax", "pooled", "pooled sum"),
    *("pixels of no window", "no window", "several bands", "hands over a sum", "keeps a sum"),
    *("hands over an index", "keeps an index", "frozen", "waits for the pipe", "stopped"),
)

Token = dict[str, int]


def tokens(layer: Random, turn: Step, begun: bool) -> list[Token]:
    """What a turn sends into the pipe; `begun`: a value of its output tile has gone before."""
    work, block = layer.work, turn.block
    rows, columns = work.pool
    found: list[Token] = []
    for top in range(0, block.rows - rows + 1, rows):
        for left in range(0, block.columns - columns + 1, columns):
            for tap in range(rows * columns):
                y, x = top + tap // columns, left + tap % columns
                for lane in range(turn.outputs if work.reduce == "argmax" else 1):
                    token = {
                        "value": 1,
                        "index": y * block.columns + x,
                        "window_first": int(tap == 0),
                        "window_last": int(tap == rows * columns - 1),
                        "compare": int(work.reduce == "argmax"),
                        "lane": lane,
                        "emit": 0,
                        "turn_first": int(not found),
                    }
                    if work.reduce == "sum":
                        token["sum_first"] = int(not begun and (top, left) == (0, 0))
                    found.append(token)
    ends = {"sum": turn.tile_end, "argmax": turn.layer_end}.get(work.reduce, False)
    return found + [{"value": 0, "emit": 1, "compare": 0, "turn_first": 0}] * int(ends)


def cover(coverage: Coverage, layer: Random, turn: Step, sent: list[Token]) -> None:
    """Count what a turn is an example of."""
    work, block = layer.work, turn.block
    pooled = "pooled" if work.pool != (1, 1) else ""
    coverage.hit(" ".join(filter(None, (pooled, work.reduce))) or "plain")
    values = sum(token["value"] for token in sent)
    conditions = {
        "pixels of no window": work.reduce != "argmax" and 0 < values < block.pixels,
        "no window": not values,
        "several bands": block.rows >= 2 * work.pool[0],
        "hands over a sum": work.reduce == "sum" and turn.tile_end,
        "keeps a sum": work.reduce == "sum" and not turn.tile_end,
        "hands over an index": work.reduce == "argmax" and turn.layer_end,
        "keeps an index": work.reduce == "argmax" and not turn.layer_end,
    }
    coverage.hit(*(name for name, holds in conditions.items() if holds))


async def drain(
    dut: Any, ports: Ports, rng: random.Random, layer: Random, coverage: Coverage
) -> None:
    """Every turn of a layer, perhaps not to the end."""
    lanes = Lanes(4, 4, 16)
    order = [step for step in layers.steps(layer, lanes) if step.first][:30]
    stop = rng.randrange(60) if rng.random() < 0.2 else 10**9
    cycles, begun = 0, False
    ports.drive(descriptor=layer.word, run=1)
    for turn in order:
        begun = begun and turn.move != 3
        sent = tokens(layer, turn, begun)
        begun = begun or any(token["value"] for token in sent)
        cover(coverage, layer, turn, sent)
        ports.drive(
            outputs=turn.outputs, rows=turn.block.rows, columns=turn.block.columns,
            tile_begin=int(turn.move == 3), tile_end=int(turn.tile_end),
            layer_end=int(turn.layer_end), handover=1, empty=1, advance=1,
        )  # fmt: skip
        await FallingEdge(dut.clk_i)
        assert (ports["issue"], ports["drained"]) == (0, 1)
        await RisingEdge(dut.clk_i)
        ports.drive(handover=0, empty=0)
        for token in sent:
            moves = False
            while not moves:
                moves = rng.random() < 0.8
                ports.drive(advance=int(moves))
                coverage.hit(*([] if moves else ["frozen"]))
                await FallingEdge(dut.clk_i)
                assert (ports["issue"], ports["drained"]) == (1, 0)
                assert {name: ports[name] for name in token} == token
                assert ports["outputs"] == turn.outputs
                await RisingEdge(dut.clk_i)
                cycles += 1
            if cycles > stop:
                coverage.hit("stopped")
                ports.drive(run=0)
                await RisingEdge(dut.clk_i)
                return
        for _ in range(rng.choice((0, 1, 3))):
            coverage.hit("waits for the pipe")
            await FallingEdge(dut.clk_i)
            assert (ports["issue"], ports["drained"], ports["emit"]) == (0, 0, 0)
            await RisingEdge(dut.clk_i)
    ports.drive(run=0, empty=1)
    await RisingEdge(dut.clk_i)


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def every_token_of_a_layer(dut: Any) -> None:
    rng, ports = seeded("drain"), Ports(dut)
    coverage = Coverage("drain_control", BINS)
    ports.rest()
    start_clock(dut)
    await reset(dut)
    cocotb.start_soon(watch_unknown(dut, [dut.issue_o, dut.value_o, dut.emit_o]))
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(110, 3):
        layer = layers.product(rng, Lanes(4, 4, 16))
        await drain(dut, ports, rng, layer, coverage)
    coverage.require(3)
