"""What generates weights and draws, and what codes the input: each against its operation."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.rtl import ca_vectors
from tests.rtl_models import tools
from tests.rtl_models.cocotb_run import run

VECTORS = tools.ROOT / "rtl_models" / "vectors" / "ca_generator.txt"


@pytest.mark.parametrize(
    ("simulator", "parameters"),
    [
        ("verilator", {"Cells": 40, "Columns": 20}),
        # one rule, one size, one ring: what a network that is never exchanged is built with
        ("verilator", {"Cells": 40, "Columns": 20, "Rule": 30, "AnySize": 0, "HasReplay": 0}),
        ("icarus", {"Cells": 12, "Columns": 9}),
    ],
)
def test_ca_generator_and_its_ca_ring_and_ca_step(
    simulator: str, parameters: dict[str, int]
) -> None:
    run(
        "ca_generator",
        test_module="tests.rtl_models.cocotb_ca_generator",
        parameters=parameters,
        simulator=simulator,
        environment={"CA_VECTORS": str(VECTORS)},
    )


@pytest.mark.parametrize(
    ("simulator", "parameters"),
    [
        ("verilator", {"Cells": 40, "Bits": 16}),
        ("icarus", {"Cells": 9, "Bits": 8, "Rule": 30, "AnySize": 0}),
    ],
)
def test_bernoulli_generator(simulator: str, parameters: dict[str, int]) -> None:
    run(
        "bernoulli_generator",
        test_module="tests.rtl_models.cocotb_bernoulli_generator",
        parameters=parameters,
        simulator=simulator,
    )


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_ycbcr(simulator: str) -> None:
    run("ycbcr", test_module="tests.rtl_models.cocotb_ycbcr", simulator=simulator)


@pytest.mark.parametrize(
    ("simulator", "parameters"),
    [
        ("verilator", {}),
        ("verilator", {"Lanes": 16, "Components": 5, "ValueBits": 17, "TagBits": 3}),
        ("icarus", {"Lanes": 1, "Components": 1, "ValueBits": 9, "TagBits": 1}),
    ],
)
def test_thermometer(simulator: str, parameters: dict[str, int]) -> None:
    run(
        "thermometer",
        test_module="tests.rtl_models.cocotb_thermometer",
        parameters=parameters,
        simulator=simulator,
    )


def test_the_vectors_that_ship_are_fresh() -> None:
    assert VECTORS.read_text(encoding="ascii") == ca_vectors.text(), (
        "stale: run python -m codesign.rtl.ca_vectors"
    )


def test_the_vectors_are_read_as_they_are_written(tmp_path: Path) -> None:
    assert ca_vectors.read(VECTORS) == list(ca_vectors.cases())
