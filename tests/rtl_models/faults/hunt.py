"""Who catches a fault: the graded checks, then the cocotb tests of its module."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codesign.rtl.units import UNITS
from tests.rtl_models import tools
from tests.rtl_models.faults.fault import Fault, copy_models

BUILD = tools.ROOT / "build" / "faults"
LIBRARIES = BUILD / "libraries"
#: Seconds after which the checks are taken to hang: they take about 30 where all hold.
_PATIENCE = 600
#: Modules whose worst cases the checks' own host does not make: cocotb's comes first.
_BUS = ("axi_lite_slave",)
_TESTS = Path(__file__).parents[1]
#: Tests of simulated modules leave out these: lint, pages, the runner itself, and the proofs.
_OTHERS = re.compile(r"test_(lint|page|cocotb_run|formal\w*)\.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault: what caught it (empty: nothing), what that said, seconds."""

    fault: Fault
    by: str
    said: str
    seconds: float


class NotBuiltError(Exception):
    """A fault whose Verilog cannot be built is no fault of a design."""


def hunt(fault: Fault) -> Outcome:
    """Run everything on a copy of the Verilog with the fault, up to what catches it."""
    started = time.monotonic()
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="fault-") as scratch:
        folder = Path(scratch) / "rtl_models"
        copy_models(folder, fault)
        for look in _order(fault.module):
            by, said = look(fault, folder)
            if by:
                break
    return Outcome(fault, by, said, time.monotonic() - started)


def _order(module: str) -> tuple[Callable[[Fault, Path], tuple[str, str]], ...]:
    """What looks for a module's faults: machines do not see units that are no part of them."""
    if module in UNITS:
        return (_cocotb_of_unit,)
    return (_cocotb, _checks) if module in _BUS else (_checks, _cocotb)


def _checks(fault: Fault, folder: Path) -> tuple[str, str]:
    command = [sys.executable, "-m", "tests.rtl_models.faults.checks", str(folder)]
    environment = {**os.environ, "CODESIGN_CACHE": str(LIBRARIES)}
    try:
        done = subprocess.run(
            command, cwd=tools.ROOT, env=environment, capture_output=True, text=True,
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "a hang", f"more than {_PATIENCE} s"
    if done.returncode == 0:
        return "", ""
    if done.returncode == 1 and not done.stderr:
        by, _, said = done.stdout.strip().partition(": ")
        return by, said
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode < 0:  # the simulator gave up: a loop that does not settle
        return "the simulator", last
    raise NotBuiltError(f"{fault.name}: the checks do not run: {last}")


def _cocotb(fault: Fault, folder: Path) -> tuple[str, str]:
    """The tests that name the module first, then those of everything."""
    for chosen in (("-k", fault.module), ()):
        by, said = _fails(folder, chosen)
        if by:
            return by, said
    return "", ""


def _cocotb_of_unit(fault: Fault, folder: Path) -> tuple[str, str]:
    """The tests that name the module."""
    return _fails(folder, ("-k", fault.module))


def _fails(folder: Path, chosen: tuple[str, ...]) -> tuple[str, str]:
    without = [word for test in _fail_anyway(chosen) for word in ("--deselect", test)]
    for test, said in _failures(folder, "-x", *without, *chosen):
        return f"cocotb, {test.rpartition('/')[2]}", said
    return "", ""


@cache
def _fail_anyway(chosen: tuple[str, ...]) -> list[str]:
    """Tests that fail on the right Verilog say nothing about a fault."""
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="right-") as scratch:
        folder = Path(scratch) / "rtl_models"
        copy_models(folder)
        found = [test for test, _ in _failures(folder, *chosen)]
    for test in found:
        print(f"{test} fails without a fault; it is left out")
    return found


def _failures(folder: Path, *options: str) -> list[tuple[str, str]]:
    """Tests of rtl_models that fail on the Verilog of `folder`, and what each says."""
    files = [path for path in sorted(_TESTS.glob("test_*.py")) if not _OTHERS.fullmatch(path.name)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-m", "not nightly"),
            *("-p", "tests.rtl_models.faults.elsewhere", "-p", "no:cacheprovider"),
            *options,
            *(str(path.relative_to(tools.ROOT)) for path in files),
        ],
        cwd=tools.ROOT,
        env={**os.environ, "FAULTY_MODELS": str(folder), "CODESIGN_CACHE": str(LIBRARIES)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1, 5):  # all pass, some fail, none is chosen
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise NotBuiltError(f"the cocotb tests do not run: {last}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    split = [line.partition(" ")[2].partition(" - ") for line in lines]
    return [(test, said) for test, _, said in split]
