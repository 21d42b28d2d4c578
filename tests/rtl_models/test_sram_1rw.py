"""The memory model, in every shape that the machine builds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.rtl_models.cocotb_run import SIMULATORS, run

MODULE = "tests.rtl_models.cocotb_sram_1rw"
SHAPES = {
    "lanes": {"Width": 32, "Depth": 100, "MaskBits": 2},
    "ragged": {"Width": 48, "Depth": 17, "MaskBits": 32},
    "narrow": {"Width": 12, "Depth": 64, "MaskBits": 32},
    "one word": {"Width": 448, "Depth": 1, "MaskBits": 32},
}


@pytest.mark.parametrize(
    ("simulator", "shape"),
    [("verilator", "lanes"), ("verilator", "ragged"), *(("icarus", shape) for shape in SHAPES)],
)
def test_accesses(simulator: str, shape: str) -> None:
    run("sram_1rw", test_module=MODULE, parameters=SHAPES[shape], simulator=simulator)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_contents_of_a_file(simulator: str, tmp_path: Path) -> None:
    image = tmp_path / "image.hex"
    rng = random.Random(0)
    image.write_text("".join(f"{rng.getrandbits(40):x}\n" for _ in range(30)), encoding="utf-8")
    outcome = run(
        "sram_1rw",
        test_module=MODULE,
        parameters={"Width": 40, "Depth": 30, "InitFile": str(image)},
        simulator=simulator,
        testcase="contents_of_the_file",
        environment={"INIT_FILE": str(image)},
    )
    assert outcome.passed == ("contents_of_the_file",)
