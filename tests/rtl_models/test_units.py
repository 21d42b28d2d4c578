"""The units outside the top, each against the operations that it is for."""

from __future__ import annotations

import pytest

from tests.rtl_models.cocotb_run import run

#: Each simulator has its own sizes; together they meet the least, common and widest codes.
SIMULATED = [("verilator", 2), ("verilator", 8), ("icarus", 1), ("icarus", 3)]


@pytest.mark.parametrize(("simulator", "bits"), SIMULATED)
def test_residual_unit(simulator: str, bits: int) -> None:
    run(
        "residual_unit",
        test_module="tests.rtl_models.cocotb_residual_unit",
        parameters={"CodeBits": bits},
        simulator=simulator,
    )
