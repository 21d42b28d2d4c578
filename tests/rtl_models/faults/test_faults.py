"""The checks hold on the right Verilog; the list of faults fits it; a sample is caught."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from codesign.rtl.tools import compiler, verilator
from tests.rtl_models import tools
from tests.rtl_models.faults import page
from tests.rtl_models.faults.__main__ import main
from tests.rtl_models.faults.checks import CHECKS
from tests.rtl_models.faults.fault import Fault
from tests.rtl_models.faults.hunt import Outcome
from tests.rtl_models.faults.networks import BARE, NARROW, NETWORKS, SMALL, networks
from tests.rtl_models.faults.seeded import FAULTS, SURVIVORS

MODULES = {path.stem for path in tools.RTL.glob("*.v")}


@pytest.fixture
def _built() -> None:
    verilator()
    compiler()


@pytest.mark.parametrize("name", CHECKS)
def test_the_right_verilog(name: str) -> None:
    CHECKS[name](None)


def test_every_row_runs_somewhere() -> None:
    run = {name for machine in (SMALL, NARROW, BARE) for name, _ in networks(machine)}
    assert {"digits", *(network.name for network in NETWORKS)} <= run


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_edit_applies(fault: Fault) -> None:
    assert fault.problem() == ""
    assert fault.text() != fault.file.read_text(encoding="utf-8")


def test_the_list() -> None:
    assert [
        name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1
    ] == []
    assert {fault.module for fault in FAULTS} == MODULES
    assert SURVIVORS.keys() <= {fault.name for fault in FAULTS}
    assert len(SURVIVORS) <= 0.05 * len(FAULTS)


def test_the_page_lists_every_fault() -> None:
    assert page.PAGE.read_text(encoding="utf-8").startswith(page.HEAD), "stale: as below"
    assert page.listed() == [(fault.name, fault.what) for fault in FAULTS], (
        "stale: run python -m tests.rtl_models.faults --write"
    )
    caught, total = re.findall(r"^(\d+) of (\d+) faults", page.PAGE.read_text("utf-8"), re.M)[0]
    assert int(total) == len(FAULTS)
    assert int(caught) >= len(FAULTS) - len(SURVIVORS)


def test_a_stale_edit_is_told() -> None:
    fault = Fault("sequencer/gone", "no such text", "", "")
    assert fault.problem() == (
        "sequencer/gone: its old text is 0 times in sequencer.v, expected once; fit it to the file"
    )


def test_a_partial_run_keeps_the_other_rows() -> None:
    """New outcomes replace a row; rows of faults that are gone or mean something else go."""
    first, second, third = FAULTS[:3]
    text = page.render([Outcome(first, "networks, small", "", 0.0), Outcome(second, "", "", 0.0)])
    text += f"| `{third.name}` | something else | host, small |\n| `gone/fault` | gone | host |\n"
    again = Outcome(second, "host, small", "", 0.0)
    assert page.merged([again], text) == [Outcome(first, "networks, small", "", 0.0), again]
    left = page.merged([], text)
    assert [(outcome.fault.name, outcome.by) for outcome in left] == [
        (first.name, "networks, small"),
        (second.name, ""),
    ]


#: One that networks see, one of an error's path, one of the smallest machine's edge.
SAMPLE = ("step_unit/sign", "stream_in/wrong-beat", "host_interface/window-depth")


def test_a_sample_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SAMPLE]) == 0
    printed = capsys.readouterr().out
    assert f"{len(SAMPLE)} of {len(SAMPLE)} faults are caught" in printed


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 1
    assert capsys.readouterr().out == "no fault is named nothing\n"


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
def test_all_are_caught() -> None:
    assert main([]) == 0
