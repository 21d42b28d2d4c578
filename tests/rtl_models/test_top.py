"""The whole machine, driven by bus models that others wrote: all of it in Verilator, a part of it,
on another machine, in Icarus, which knows X."""

from __future__ import annotations

from codesign.rtl.parameters import parameters
from tests.rtl_models.cocotb_run import run
from tests.rtl_models.top_machines import MACHINES

TOP = "codesign_accelerator"


def check(tests: str, machine: str, simulator: str, **environment: str) -> None:
    """Run the cocotb tests of a module on a machine."""
    run(
        TOP,
        test_module=f"tests.rtl_models.cocotb_top_{tests}",
        parameters=parameters(MACHINES[machine]),
        simulator=simulator,
        environment={"MACHINE": machine, **environment},
    )


def test_frames() -> None:
    check("frames", "square", "verilator")


def test_frames_narrow() -> None:
    check("frames", "narrow", "icarus", NETWORKS="10")


def test_errors() -> None:
    check("errors", "square", "verilator")


def test_errors_narrow() -> None:
    check("errors", "narrow", "icarus", CORRUPTIONS="20")


def test_stops() -> None:
    check("stops", "square", "verilator")


def test_stops_narrow() -> None:
    check("stops", "narrow", "icarus", STOPS="12")
