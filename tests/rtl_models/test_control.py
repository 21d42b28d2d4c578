"""The control modules, each alone: random layers against codesign.hw and the pages.

A module runs in Icarus where that is installed: it is built at once and knows X. The whole machine
runs in both simulators, see test_top.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.rtl_models import tools
from tests.rtl_models.cocotb_run import run

SIMULATOR = "verilator" if tools.missing_icarus() else "icarus"
#: As the smallest machine is built; more output lanes, and an odd number, than a word has lanes;
#: words of many codes.
SQUARE = {"InputLanes": 4, "OutputLanes": 4}
NARROW = {"InputLanes": 2, "OutputLanes": 5}
WIDE = {"InputLanes": 16, "OutputLanes": 3}


def check(module: str, parameters: Mapping[str, int] | None = None) -> None:
    """Run the module's cocotb tests."""
    test = f"tests.rtl_models.cocotb_{module}"
    run(module, test_module=test, parameters=parameters, simulator=SIMULATOR)


def test_sequencer() -> None:
    check("sequencer", {"ProgramDepth": 5})


@pytest.mark.parametrize(
    "built",
    [
        {},
        {"InputLanes": 2, "WeightBits": 4, "Pixels": 6, "AllBanks": 9},
        {"HasThreshold": 0, "HasPool": 0, "HasArgmax": 0},
    ],
    ids=["tiny", "narrow", "bare"],
)
def test_descriptor_check(built: dict[str, int]) -> None:
    check("descriptor_check", built)


@pytest.mark.parametrize("lanes", [2, 16])
def test_geometry(lanes: int) -> None:
    check("geometry", {"InputLanes": lanes})


@pytest.mark.parametrize("lanes", [SQUARE, NARROW], ids=["square", "narrow"])
def test_step_walker(lanes: dict[str, int]) -> None:
    check("step_walker", lanes)


def test_pixel_walker() -> None:
    check("pixel_walker")


def test_weight_fetch() -> None:
    check("weight_fetch", {"WeightBits": 4, "WeightWord": 13})


def test_product_control() -> None:
    check("product_control")


def test_drain_control() -> None:
    check("drain_control")


@pytest.mark.parametrize("lanes", [NARROW, WIDE], ids=["narrow", "wide"])
def test_vector_control(lanes: dict[str, int]) -> None:
    check("vector_control", lanes)


def test_reorder_unit() -> None:
    check("reorder_unit")


def test_stream_in() -> None:
    check("stream_in")


def test_stream_out() -> None:
    check("stream_out")


def test_word_memory() -> None:
    check("word_memory", {"Width": 80, "Depth": 16})


@pytest.mark.parametrize(
    "shape",
    [{"BankDepth": 9}, {"InputLanes": 32, "Banks": 3, "BankDepth": 16, "SkipDepth": 5}],
    ids=["two", "with skip"],
)
def test_bank_switch(shape: dict[str, int]) -> None:
    check("bank_switch", shape)
