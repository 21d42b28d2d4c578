"""pixel_walker against the pixels of the blocks, in the order of the steps."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models import layers
from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes
from tests.rtl_models.ports import Ports

BINS = (
    *("stays", "to the right", "below", "a new tile"),
    *("one pixel", "one row", "one column", "several rows"),
    *("padded", "it waits", "the next block is another size"),
)


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def every_pixel_of_a_block(dut: Any) -> None:
    """Address, coordinates and number of each pixel; the next step's sizes are there by then."""
    rng, ports = seeded("pixel walker"), Ports(dut)
    coverage = Coverage("pixel_walker", BINS)
    ports.rest()
    start_clock(dut)
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(60, 5):
        lanes = Lanes(4, 4, rng.choice((4, 6, 16)))
        layer = layers.product(rng, lanes)
        work = layer.work
        down, right = layer.steps
        # every step that moves, and one or two that stay
        order = [step for step in layers.steps(layer, lanes) if step.move or rng.random() < 0.1]
        order = order[:40]
        ports.drive(descriptor=layer.word, origin=layer.origin, row_step=down, column_step=right)
        for step, following in zip(order, [*order[1:], None], strict=True):
            rows, columns = step.block.rows, step.block.columns
            ports.drive(begin=1, move=step.move, rows=rows, columns=columns)
            await RisingEdge(dut.clk_i)
            ports.drive(begin=0)
            if following is not None:  # the walker of the steps is one ahead
                ports.drive(
                    move=following.move,
                    rows=following.block.rows,
                    columns=following.block.columns,
                )
                if following.block != step.block:
                    coverage.hit("the next block is another size")
            coverage.hit(("stays", "to the right", "below", "a new tile")[step.move])
            shape = (
                "one pixel"
                if rows == columns == 1
                else "one row"
                if rows == 1
                else "one column"
                if columns == 1
                else "several rows"
            )
            coverage.hit(shape, *(["padded"] if work.padding != (0, 0) else []))
            for index in range(rows * columns):
                y, x = step.top + index // columns, step.left + index % columns
                while rng.random() < 0.1:
                    coverage.hit("it waits")
                    await RisingEdge(dut.clk_i)
                await FallingEdge(dut.clk_i)
                assert ports["address"] == (layer.origin + y * down + x * right) % 2**24
                assert ports.signed("y") == y * work.stride[0] - work.padding[0]
                assert ports.signed("x") == x * work.stride[1] - work.padding[1]
                assert ports["index"] == index
                assert ports["last"] == (index == rows * columns - 1)
                ports.drive(next=1)
                await RisingEdge(dut.clk_i)
                ports.drive(next=0)
    coverage.require(5)
