"""vector_control: the tokens of a whole layer, in order, with a pipe that freezes."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.hw.tiling import output_tiles
from tests.rtl_models import layers
from tests.rtl_models.bench import reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes, Random
from tests.rtl_models.ports import Ports

BINS = (
    *("plain", "sum", "argmax", "windows beside each other", "windows overlap", "windows apart"),
    *("several tiles", "a tile of several words", "a tile begins inside a word"),
    *("a code of several words", "pixels of no window", "frozen", "waits for the pipe", "stopped"),
)

Token = dict[str, int]


def tokens(layer: Random, lanes: Lanes) -> list[Token]:
    """What a layer sends into the pipe."""
    work, source = layer.work, layer.work.source
    base, found = layer.fields["source_base"], []
    tiles = output_tiles(work.outputs, 1, lanes.output)
    for tile in tiles:
        words = source.span(tile.first, tile.outputs)
        plain = {"rotate": tile.first * source.lanes % source.word_lanes, "outputs": tile.outputs}
        mine: list[Token] = []
        for window in range(work.pooled[0] * work.pooled[1]):
            top, left = divmod(window, work.pooled[1])
            for tap in range(work.pool[0] * work.pool[1]):
                y = top * work.pool_stride[0] + tap // work.pool[1]
                x = left * work.pool_stride[1] + tap % work.pool[1]
                for number, word in enumerate(words):
                    pixel = (y * source.width + x) * source.words_per_pixel
                    token = {
                        "read": 1,
                        "address": (base + pixel + word) % 2**24,
                        "number": number,
                        "value": int(number == len(words) - 1),
                        "window_first": int(tap == 0),
                        "window_last": int(tap == work.pool[0] * work.pool[1] - 1),
                        "compare": 0,
                        "emit": 0,
                        "tile_first": int(not mine),
                        "tile_last": 0,
                    }
                    if work.reduce == "sum":
                        token["sum_first"] = int(window == 0)
                    mine.append(token)
        rest = {"read": 0, "value": 0, "compare": 0, "emit": 0, "tile_first": 0, "tile_last": 0}
        if work.reduce == "argmax":
            scores = range(tile.outputs)
            mine += [{**rest, "compare": 1, "lane": lane} for lane in scores]
        if work.reduce == "sum" or (work.reduce == "argmax" and tile is tiles[-1]):
            mine.append({**rest, "emit": 1})
        mine[-1]["tile_last"] = 1
        found += [{**plain, **token} for token in mine]
    return found


def cover(coverage: Coverage, layer: Random, lanes: Lanes) -> None:
    """Count what a layer is an example of."""
    work, source = layer.work, layer.work.source
    tiles = output_tiles(work.outputs, 1, lanes.output)
    pairs = list(zip(work.pool, work.pool_stride, strict=True))
    beyond = [
        (count - 1) * step + window < size
        for count, (window, step), size in zip(work.pooled, pairs, work.size, strict=True)
    ]
    conditions = {
        work.reduce or "plain": True,
        "windows beside each other": work.pool != (1, 1) and work.pool == work.pool_stride,
        "windows overlap": any(window > step for window, step in pairs),
        "windows apart": any(window < step for window, step in pairs),
        "several tiles": len(tiles) > 1,
        "a tile of several words": any(len(source.span(t.first, t.outputs)) > 1 for t in tiles),
        "a tile begins inside a word": any(t.first * source.lanes % lanes.input for t in tiles),
        "a code of several words": source.lanes > lanes.input,
        "pixels of no window": any(beyond),
    }
    coverage.hit(*(name for name, holds in conditions.items() if holds))


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def every_token_of_a_layer(dut: Any) -> None:
    rng, ports = seeded("vector"), Ports(dut)
    lanes = Lanes.of(dut)
    never = {"a tile begins inside a word"} if lanes.output % lanes.input == 0 else set()
    never |= {"a code of several words"} if lanes.input == 16 else set()
    coverage = Coverage("vector_control", [bin_ for bin_ in BINS if bin_ not in never])
    ports.rest()
    start_clock(dut)
    await reset(dut)
    cocotb.start_soon(watch_unknown(dut, [dut.issue_o, dut.read_o, dut.emit_o, dut.finish_o]))
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(110, 3):
        layer = layers.vector(rng, lanes)
        cover(coverage, layer, lanes)
        down, right = layer.steps
        ports.drive(
            descriptor=layer.word, words_in=layer.work.source.words_per_pixel, row=layer.row,
            row_step=down, column_step=right, start=1, run=0,
        )  # fmt: skip
        await RisingEdge(dut.clk_i)
        ports.drive(start=0, run=1, empty=0)
        sent = tokens(layer, lanes)[:300]
        stop = rng.randrange(len(sent)) if rng.random() < 0.2 else len(sent)
        for token in sent[:stop]:
            moves = False
            while not moves:
                moves = rng.random() < 0.85
                ports.drive(advance=int(moves))
                coverage.hit(*([] if moves else ["frozen"]))
                await FallingEdge(dut.clk_i)
                assert (ports["issue"], ports["finish"]) == (1, 0)
                assert {name: ports[name] for name in token} == token
                await RisingEdge(dut.clk_i)
        if stop < len(sent) or len(sent) == 300:
            coverage.hit("stopped")
        else:
            for empty in (*rng.choice(((), (0,), (0, 0, 0))), 1):
                ports.drive(empty=empty, advance=1)
                coverage.hit(*([] if empty else ["waits for the pipe"]))
                await FallingEdge(dut.clk_i)
                assert (ports["issue"], ports["finish"]) == (0, empty)
                await RisingEdge(dut.clk_i)
        ports.drive(run=0)
        await RisingEdge(dut.clk_i)
    coverage.require(3)
