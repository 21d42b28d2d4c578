"""A test that passes and one that fails: what the runner makes of them."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.rtl_models.coverage import Coverage


@cocotb.test()
async def good(dut: Any) -> None:
    assert len(dut.rdata_o) == 8


@cocotb.test()
async def faulty(dut: Any) -> None:
    Coverage("modes", ["a", "b"]).require()
