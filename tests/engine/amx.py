"""A machine with AMX: this one, or this one with an emulator (`amx_emulator.c`) in."""

from __future__ import annotations

import atexit
import ctypes
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from codesign.engine._numba import features

SOURCE = Path(__file__).with_name("amx_emulator.c")
LEVEL = next(level for level in features.LEVELS if level.tiles)
#: Whether the instructions are this machine's own: nothing is emulated then.
NATIVE = LEVEL in features.levels()
_AMX = {feature for feature in LEVEL.needs if feature.startswith("amx")}


def missing() -> str:
    """Why no product by tiles can run here, not even emulated; empty where it can."""
    if NATIVE:
        return ""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "AMX is emulated on Linux and x86-64 only"
    host = features._host_features()
    if lacking := [name for name in LEVEL.needs if name not in _AMX and not host.get(name)]:
        return f"the code around AMX needs {', '.join(lacking)}"
    return "" if compiler() else "no C compiler to build the AMX emulator with"


def compiler() -> str | None:
    """The C compiler."""
    return shutil.which("cc") or shutil.which("gcc")


@lru_cache(maxsize=1)
def folder() -> Path:
    """A folder for what is built, until the process ends."""
    made = tempfile.TemporaryDirectory()
    atexit.register(made.cleanup)
    return Path(made.name)


def build(source: Path, *options: str) -> Path:
    """A shared library of a C file."""
    target = folder() / f"{source.stem}.so"
    tool = compiler()
    assert tool is not None
    subprocess.run(
        [tool, "-O3", "-Wall", "-Werror", *options, "-shared", "-fPIC", "-o", target, source],
        check=True,
    )
    return target


@lru_cache(maxsize=1)
def emulator() -> ctypes.CDLL:
    """The emulator, built once."""
    library = ctypes.CDLL(str(build(SOURCE, "-march=native")))
    library.amx_executed.restype = ctypes.c_long
    return library


@contextmanager
def instructions() -> Iterator[None]:
    """AMX instructions run: by themselves, or emulated."""
    if NATIVE:
        yield
        return
    assert emulator().amx_install() == 0
    try:
        yield
    finally:
        assert emulator().amx_remove() == 0


@contextmanager
def machine() -> Iterator[None]:
    """A machine whose first level is AMX."""
    if NATIVE:
        yield
        return
    found = features._host_features, features._tiles_are_permitted
    host = dict(features._host_features()) | dict.fromkeys(_AMX, True)
    with instructions():
        try:
            features._host_features = lambda: host  # type: ignore[assignment]
            features._tiles_are_permitted = lambda: True  # type: ignore[assignment]
            features._allowed.cache_clear()
            yield
        finally:
            features._host_features, features._tiles_are_permitted = found
            features._allowed.cache_clear()
