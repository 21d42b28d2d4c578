"""What writes a layer's map: write_unit, and result_unit with all that it is made of."""

from __future__ import annotations

import pytest

from tests.rtl_models.cocotb_run import run
from tests.rtl_models.test_datapath import SHAPES

SIMULATED = [
    ("verilator", "tiny"),
    ("verilator", "odd"),
    ("icarus", "one lane"),
    ("icarus", "eight lanes"),
]


@pytest.mark.parametrize(("simulator", "shape"), SIMULATED)
def test_write_unit(simulator: str, shape: str) -> None:
    sizes = SHAPES[shape]
    parameters = {name: sizes[name] for name in ("InputLanes", "OutputLanes")}
    parameters["ValueBits"] = max(sizes["AccBits"] + 2, 17)
    run(
        "write_unit",
        test_module="tests.rtl_models.cocotb_write_unit",
        parameters=parameters,
        simulator=simulator,
    )


@pytest.mark.parametrize(("simulator", "shape"), SIMULATED)
def test_result_unit(simulator: str, shape: str) -> None:
    sizes = SHAPES[shape]
    parameters = {
        name: sizes[name] for name in ("InputLanes", "OutputLanes", "AccBits", "BiasBits")
    }
    if shape == "one lane":  # the smallest machine has none of the optional units
        parameters |= {"HasThreshold": 0, "HasPool": 0, "HasArgmax": 0}
    run(
        "result_unit",
        test_module="tests.rtl_models.cocotb_result_unit",
        parameters=parameters,
        simulator=simulator,
    )
