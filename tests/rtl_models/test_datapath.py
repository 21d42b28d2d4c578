"""The modules that values pass through, each against the op table, on machines of four shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rtl_models.cocotb_run import run

WRAPPER = Path(__file__).with_name("datapath_units.v")
GROUPS = ("values", "lanes", "products")

#: tiny; few lanes and many; one lane; eight lanes that work in quads, as wide as words can be.
SHAPES = {
    "tiny": {
        "InputLanes": 4,
        "OutputLanes": 4,
        "WeightBits": 3,
        "WeightWord": 12,
        "BiasBits": 16,
        "AccBits": 20,
        "Pixels": 16,
    },
    "odd": {
        "InputLanes": 2,
        "OutputLanes": 5,
        "WeightBits": 4,
        "WeightWord": 13,
        "BiasBits": 24,
        "AccBits": 24,
        "Pixels": 6,
    },
    "one lane": {
        "InputLanes": 1,
        "OutputLanes": 1,
        "WeightBits": 1,
        "WeightWord": 1,
        "BiasBits": 1,
        "AccBits": 9,
        "Pixels": 2,
    },
    "eight lanes": {
        "InputLanes": 8,
        "OutputLanes": 3,
        "WeightBits": 8,
        "WeightWord": 29,
        "BiasBits": 32,
        "AccBits": 32,
        "Pixels": 10,
    },
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("simulator", "shape"),
    [
        ("verilator", "tiny"),
        ("verilator", "odd"),
        ("icarus", "one lane"),
        ("icarus", "eight lanes"),
    ],
)
def test_units(simulator: str, shape: str, group: str) -> None:
    run(
        WRAPPER.stem,
        test_module=f"tests.rtl_models.cocotb_datapath_{group}",
        parameters=SHAPES[shape],
        simulator=simulator,
        sources=(WRAPPER,),
    )
