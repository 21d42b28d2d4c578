"""The registers, counters, interrupt and memory window, on machines of three shapes."""

from __future__ import annotations

import pytest

from tests.rtl_models.cocotb_run import run

MODULE = "tests.rtl_models.cocotb_host_interface"
#: A small machine; sixteen lanes and skip; odd widths, words of 32 chunks, the most banks.
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
        "OutputLanes": 33,
        "WeightWord": 65,
        "BiasBits": 31,
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
    [("verilator", "odd"), ("verilator", "small"), ("icarus", "wide")],
)
def test_host_interface(simulator: str, shape: str) -> None:
    run("host_interface", test_module=MODULE, parameters=SHAPES[shape], simulator=simulator)
