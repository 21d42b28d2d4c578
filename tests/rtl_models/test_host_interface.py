"""The registers, counters, interrupt and memory window, on machines of three shapes."""

from __future__ import annotations

import pytest

from tests.rtl_models.cocotb_run import run

MODULE = "tests.rtl_models.cocotb_host_interface"
#: A small machine; sixteen lanes with skip; odd widths, as many banks as there can be.
SHAPES = {
    "small": {},
    "wide": {
        "InputLanes": 16,
        "OutputLanes": 16,
        "WeightWord": 48,
        "WeightDepth": 20833,
        "ParameterDepth": 187,
        "ProgramDepth": 100,
        "BankDepth": 8192,
        "SkipDepth": 2048,
    },
    "odd": {
        "InputLanes": 32,
        "OutputLanes": 3,
        "WeightWord": 65,
        "BiasBits": 11,
        "WeightDepth": 1,
        "ParameterDepth": 2,
        "ProgramDepth": 1,
        "BankDepth": 3,
        "Banks": 7,
        "SkipDepth": 5,
    },
}


@pytest.mark.parametrize(
    ("simulator", "shape"),
    [("verilator", "small"), ("verilator", "odd"), ("icarus", "wide"), ("icarus", "odd")],
)
def test_host_interface(simulator: str, shape: str) -> None:
    run("host_interface", test_module=MODULE, parameters=SHAPES[shape], simulator=simulator)
