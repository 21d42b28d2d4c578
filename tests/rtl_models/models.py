"""Built models of Verilog modules, kept by the content of what they are made of."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.rtl_models import tools

BUILD = tools.ROOT / "build" / "cocotb"
MODELS = BUILD / "models"

_TIMESCALE = ("1ns", "1ps")
#: Registers start with random bits where Verilog leaves them open: what forgets its reset is seen.
_BUILD_ARGS = {
    "verilator": ("--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal"),
    "icarus": (),
}
#: A model that no test has used for so long is removed when another one is built.
_KEEP_SECONDS = 7 * 24 * 3600.0
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def digest(content: object) -> str:
    """A short name for any JSON content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def runner(simulator: str) -> Any:
    """cocotb's runner; silent, its output is in logs."""
    from cocotb_tools.runner import get_runner

    found = get_runner(simulator)
    found.log.setLevel(logging.CRITICAL + 1)
    return found


def waves() -> bool:
    """Whether the user asks for waveforms."""
    return os.environ.get("WAVES", "0") not in ("", "0")


def sources_of(top: str, extra: Sequence[Path] = ()) -> list[Path]:
    """The files of rtl_models that module `top` is made of, `extra` files first."""
    known = {path.stem: path for path in tools.RTL.glob("*.v")}
    found = list(extra)
    if not any(path.stem == top for path in extra):
        if top not in known:
            pytest.fail(f"{tools.RTL.name} has no module {top}.v", pytrace=False)
        found.append(known[top])
    for path in found:  # grows while it is walked
        words = set(re.findall(r"\w+", _COMMENT.sub(" ", path.read_text(encoding="utf-8"))))
        names = sorted(words & known.keys())
        found += [known[name] for name in names if known[name] not in found]
    return found


def model(
    top: str, parameters: Mapping[str, int | str], simulator: str, extra: Sequence[Path]
) -> Path:
    """The folder of the built model; built if there is none of the same content."""
    __tracebackhide__ = True
    sources = sources_of(top, extra)
    headers = sorted(tools.RTL.glob("*.vh"))
    tool = [tools.identity(simulator), _BUILD_ARGS[simulator], waves()]
    files = [(path.name, path.read_text(encoding="utf-8")) for path in (*sources, *headers)]
    target = MODELS / f"{top}-{simulator}-{digest([tool, top, dict(parameters), files])}"
    if target.is_dir():
        os.utime(target)
        return target
    MODELS.mkdir(parents=True, exist_ok=True)
    _forget_old_models()
    runtime = MODELS / f"runtime-{digest(tool)}"
    scratch = Path(tempfile.mkdtemp(dir=MODELS, prefix=f".{top}-"))
    try:
        if runtime.is_dir():
            os.utime(runtime)
            _use_runtime(runtime, scratch)
        _build(top, parameters, simulator, sources, scratch)
        if simulator == "verilator" and not runtime.is_dir():
            _keep_runtime(scratch, runtime)
        _move(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _build(
    top: str,
    parameters: Mapping[str, int | str],
    simulator: str,
    sources: Sequence[Path],
    folder: Path,
) -> None:
    __tracebackhide__ = True
    log = folder / "build.log"
    done = False
    # The wheel's makefile does not know how this compiler is told of a precompiled header.
    variables = {**tools.environment(), "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include"}
    with patch.dict(os.environ, variables), suppress(RuntimeError, SystemExit):
        runner(simulator).build(
            sources=sources,
            includes=[tools.RTL],
            hdl_toplevel=top,
            parameters={name: _literal(value) for name, value in parameters.items()},
            build_args=_BUILD_ARGS[simulator],
            build_dir=folder,
            timescale=_TIMESCALE,
            always=True,
            waves=waves(),
            log_file=log,
        )
        done = True
    if not done:
        text = log.read_text(encoding="utf-8", errors="replace")
        pytest.fail(f"{top} cannot be built with {simulator}:\n{tail(text)}", pytrace=False)


def _use_runtime(kept: Path, build: Path) -> None:
    """Put Verilator's own objects into a build, newer than the makefile that is still to come."""
    soon = time.time() + 120
    for path in kept.iterdir():
        os.utime(shutil.copy(path, build), (soon, soon))


def _keep_runtime(built: Path, target: Path) -> None:
    """Keep Verilator's own objects, the same for every model: most of a small model's time."""
    scratch = Path(tempfile.mkdtemp(dir=MODELS, prefix=".runtime-"))
    for path in built.glob("verilated*.o"):
        shutil.copy(path, scratch)
    _move(scratch, target)


def _move(scratch: Path, target: Path) -> None:
    try:
        scratch.rename(target)
    except OSError:  # another process has built the same
        shutil.rmtree(scratch, ignore_errors=True)


def _forget_old_models() -> None:
    for old in MODELS.iterdir():
        if time.time() - old.stat().st_mtime > _KEEP_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _literal(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def tail(text: str, lines: int = 25) -> str:
    """The last lines of a log."""
    return "\n".join(text.splitlines()[-lines:])
