"""The Verilog is free of warnings, for many machines and for two readers of Verilog."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from codesign.hw import Hardware, shipped
from codesign.rtl.parameters import parameters
from codesign.rtl.sources import files
from codesign.rtl.tools import verilator
from codesign.rtl.units import UNITS
from tests.rtl.networks import MACHINES

MODELS = Path(__file__).parents[2] / "rtl_models"
TOP = "codesign_accelerator"

#: Corners that no configuration of ours has: one lane, the widest of everything, no units.
CORNERS = {
    "least": {
        **{"InputLanes": 1, "OutputLanes": 1, "WeightBits": 1, "WeightWord": 7, "Pixels": 2},
        **{"AccBits": 9, "BiasBits": 5, "HasPool": 0, "HasThreshold": 0, "HasArgmax": 0},
        **{"BankDepth": 1, "WeightDepth": 1, "ParameterDepth": 1, "ProgramDepth": 1},
    },
    "most": {
        **{"InputLanes": 32, "OutputLanes": 24, "WeightBits": 8, "WeightWord": 64},
        **{"AccBits": 32, "BiasBits": 32, "Banks": 8, "Pixels": 256},
    },
}
SETS = {name: parameters(Hardware.load(name)) for name in shipped()}
SETS |= {machine.name: parameters(machine) for machine in MACHINES}
SETS |= CORNERS

#: Further corners of the units outside the top, which the table of areas need not show.
UNIT_CORNERS: dict[str, list[dict[str, int]]] = {
    "gate_unit": [{"Lanes": 1, "SumBits": 3}, {"Lanes": 5, "SumBits": 8}],
    "lstm_unit": [
        {"Units": 1, "CellBits": 2, "SumBits": 3},
        {"Units": 5, "CellBits": 8, "SumBits": 32},
    ],
    "residual_unit": [{"CodeBits": 3}],
    "ca_ring": [{"Cells": 3}, {"Cells": 32, "HasReplay": 0}],
    "ca_generator": [{"Cells": 3, "Columns": 1}, {"Cells": 40, "Columns": 40}],
    "bernoulli_generator": [{"Cells": 3, "Bits": 1}, {"Cells": 16, "Bits": 16}],
    "thermometer": [
        {"Lanes": 1, "Components": 1, "TagBits": 1},
        {"Lanes": 5, "Components": 7, "ValueBits": 17, "TagBits": 3},
    ],
    "tgap_counter": [
        {"Channels": 1, "CodeBits": 8, "SumBits": 8, "Delays": 1},
        {"Channels": 3, "CodeBits": 1, "SumBits": 31, "Delays": 4},
    ],
    "threshold_unit": [
        {"ValueBits": 16, "ThresholdBits": 16, "CodeBits": 3},
        {"ValueBits": 34, "ThresholdBits": 2, "CodeBits": 2},
    ],
}
#: Top module and parameters, by what it is.
LINTED = {name: (TOP, SETS[name]) for name in SETS}
LINTED |= {
    f"{module}, {what}": (module, dict(given))
    for module, sets in UNITS.items()
    for what, given in sets.items()
}
LINTED |= {
    f"{module}, corner {number}": (module, given)
    for module, corners in UNIT_CORNERS.items()
    for number, given in enumerate(corners)
}


@pytest.mark.parametrize("name", LINTED)
def test_verilator_has_no_warning(name: str) -> None:
    top, given = LINTED[name]
    tool = verilator()
    done = subprocess.run(
        [
            *(str(tool.program), "--lint-only", "-Wall", f"-I{MODELS}", "--top-module", top),
            *(f"-G{parameter}={value}" for parameter, value in given.items()),
            *(str(MODELS / "waivers.vlt"), str(MODELS / f"{top}.v")),
        ],
        env=tool.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if line.startswith("%")] == []
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("name", LINTED)
def test_icarus_has_no_warning(name: str) -> None:
    top, given = LINTED[name]
    sources = [str(path) for path in files(MODELS, top) if path.suffix == ".v"]
    done = subprocess.run(
        [
            *("iverilog", "-g2005", "-Wall", "-t", "null", f"-I{MODELS}", "-s", top),
            *(f"-P{top}.{parameter}={value}" for parameter, value in given.items()),
            *sources,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_every_waiver_has_a_reason() -> None:
    reason = ""
    for line in (MODELS / "waivers.vlt").read_text(encoding="utf-8").splitlines():
        if line.startswith("lint_off"):
            assert reason, line
        else:
            reason = line.removeprefix("//").strip() if line.startswith("//") else ""
