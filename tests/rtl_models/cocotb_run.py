"""Run cocotb tests of a Verilog module from pytest.

    @pytest.mark.parametrize("simulator", SIMULATORS)
    def test_host_interface(simulator: str) -> None:
        run(
            "host_interface",
            test_module="tests.rtl_models.cocotb_host_interface",
            parameters={"Banks": 3},
            simulator=simulator,
        )

The module's sources are found in rtl_models/ by name. A built model is kept in build/cocotb/models
by the content of its sources, parameters and tools; logs and JUnit files are in
build/cocotb/results. Where a tool is missing the test is skipped, see `tools.need`.

    COCOTB_RANDOM_SEED=7 pytest ...     other random numbers; a failure prints its seed
    WAVES=1 pytest ...                  waveforms beside the log
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import pytest

from tests.rtl_models import models, tools

SIMULATORS = ("verilator", "icarus")
RESULTS = models.BUILD / "results"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left: the tests that passed, JUnit file, log, seconds of build and simulation."""

    passed: tuple[str, ...]
    junit: Path
    log: Path
    build_seconds: float
    seconds: float


def run(
    top: str,
    *,
    test_module: str,
    parameters: Mapping[str, int | str] | None = None,
    simulator: str = "verilator",
    testcase: str | Sequence[str] | None = None,
    sources: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Build module `top` with its `parameters`, run the cocotb tests of `test_module` on it.

    Fails the pytest test with one line for each cocotb test that failed. `testcase` names the tests
    to run, all without it; `sources` are files beside those of rtl_models (a wrapper, say);
    `environment` reaches the cocotb tests as variables.
    """
    __tracebackhide__ = True
    tools.need_simulator(simulator)
    started = time.monotonic()
    built = models.model(
        top, parameters or {}, simulator, [Path(source).resolve() for source in sources]
    )
    build_seconds = time.monotonic() - started
    seed = os.environ.get("COCOTB_RANDOM_SEED", "1")
    name = _name(test_module, simulator)
    junit, log = RESULTS / f"{name}.xml", RESULTS / f"{name}.log"
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix=f".{name}-") as folder:
        scratch = Path(folder)
        variables = {"COCOTB_RESULTS_ATTACHMENTS": str(log), **(environment or {})}
        _simulate(top, built, simulator, test_module, testcase, seed, variables, scratch)
        for path, target in ((scratch / "results.xml", junit), (scratch / "log.txt", log)):
            target.unlink(missing_ok=True)
            if path.exists():
                path.replace(target)
        for wave in (*scratch.glob("*.vcd"), *scratch.glob("*.fst")):
            wave.replace(RESULTS / f"{name}{wave.suffix}")
    passed, failed = _results(junit)
    if failed or not passed:
        _fail(f"{top} ({simulator}, seed {seed})", passed, failed, log)
    return Outcome(passed, junit, log, build_seconds, time.monotonic() - started - build_seconds)


def _simulate(
    top: str,
    built: Path,
    simulator: str,
    test_module: str,
    testcase: str | Sequence[str] | None,
    seed: str,
    environment: Mapping[str, str],
    scratch: Path,
) -> None:
    """Run the simulation in the scratch folder, which then holds results.xml and log.txt."""
    plusargs = {
        # Registers that no reset has reached hold random bits.
        "verilator": [f"+verilator+seed+{int(seed) % 2**31 or 1}", "+verilator+rand+reset+2"],
        "icarus": [f"+dumpfile_path={scratch / 'waves.fst'}"],
    }
    variables = {
        "COCOTB_LOG_LEVEL": "WARNING",
        "COCOTB_ANSI_OUTPUT": "0",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",  # cocotbext-axi's, at every reset
        **environment,
    }
    paths = {**tools.environment(), "PYTHONPATH": str(tools.ROOT)}
    # What failed is in the results; where there are none, the log is shown.
    with patch.dict(os.environ, paths), suppress(RuntimeError, SystemExit):
        models.runner(simulator).test(
            test_module=test_module,
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            testcase=testcase,
            seed=seed,
            build_dir=built,
            test_dir=scratch,
            results_xml=str(scratch / "results.xml"),
            log_file=scratch / "log.txt",
            plusargs=plusargs[simulator],
            extra_env=variables,
        )


def _name(test_module: str, simulator: str) -> str:
    """The files' name: the cocotb module, the simulator and the test that runs it."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].rpartition(" (")[0]
    name = f"{test_module.rpartition('.')[2]}-{test}"
    return re.sub(r"\W+", "-", name if simulator in name else f"{name}-{simulator}").strip("-")


def _results(junit: Path) -> tuple[tuple[str, ...], list[str]]:
    """Names of the tests that passed; name and message of those that did not."""
    passed: list[str] = []
    failed: list[str] = []
    if junit.exists():
        for case in ElementTree.parse(junit).getroot().iter("testcase"):
            problem = case.find("failure")
            problem = case.find("error") if problem is None else problem
            name = str(case.get("name"))
            if problem is not None:
                text = problem.get("error_msg") or problem.get("message") or problem.text or ""
                failed.append(f"{name}: {' '.join(text.split())}")
            elif case.find("skipped") is None:
                passed.append(name)
    return tuple(passed), failed


def _fail(what: str, passed: tuple[str, ...], failed: list[str], log: Path) -> None:
    __tracebackhide__ = True
    place = log.relative_to(tools.ROOT)
    if failed:
        count = f"{len(failed)} of {len(failed) + len(passed)} cocotb tests failed"
        lines = [f"{what}: {count}; the log is {place}", *(f"  {line}" for line in failed)]
    else:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        lines = [f"{what}: no cocotb test ran; the log is {place}", models.tail(text)]
    pytest.fail("\n".join(lines), pytrace=False)
