"""geometry against the layouts of the model."""

from __future__ import annotations

from itertools import product as pairs
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from codesign.rtl.codes import Operation
from tests.rtl_models import layers
from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.ports import Ports


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def words_and_steps(dut: Any) -> None:
    """Each level of products is there a cycle behind READ, DECODE and START, and stays."""
    rng, ports = seeded("geometry"), Ports(dut)
    lanes = layers.Lanes.of(dut)
    coverage = Coverage("geometry", pairs((Operation.PRODUCT, Operation.VECTOR), (False, True)))
    ports.rest()
    start_clock(dut)
    await RisingEdge(dut.clk_i)
    for _ in coverage.rounds(300, 20):
        layer = rng.choice((layers.product, layers.vector))(rng, lanes)
        work = layer.work
        ports.drive(descriptor=layer.word)
        for state in ("read", "decode", "start", ""):
            ports.drive({name: int(name == state) for name in ("read", "decode", "start")})
            for _ in range(1 if state else rng.randrange(1, 4)):
                await RisingEdge(dut.clk_i)
        await FallingEdge(dut.clk_i)
        # a vector layer's input is not padded, whatever the fields say
        assert ports["words_in"] == work.source.words_per_pixel
        assert ports["words_out"] == work.target.words_per_pixel
        assert ports["row"] == layer.row
        assert (ports["row_step"], ports["column_step"]) == layer.steps
        assert ports["origin"] == layer.origin
        coverage.hit((layer.operation, work.padding != (0, 0) or work.pool != (1, 1)))
        await RisingEdge(dut.clk_i)
    coverage.require(20)
