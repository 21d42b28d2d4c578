"""What tests of the Verilated machine share: skips, frames, a spoilt copy of the Verilog."""

from __future__ import annotations

import shutil
from pathlib import Path

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.rtl import sources, tools
from tests.rtl_models.tools import need
from tests.strategies import random_codes


def need_verilated() -> None:
    """Skip (fail in CI) where the machine cannot be built."""
    try:
        tools.verilator()
        tools.compiler()
    except CodesignError as error:
        need(str(error))


def frames(graph: Graph, seed: int, count: int = 1) -> dict[str, IntArray]:
    """Random inputs of a graph, the inputs first."""
    return {
        name: random_codes(
            (count, *graph.values[name].shape), graph.values[name].type, seed + index
        )
        for index, name in enumerate(graph.inputs)
    }


def frame(graph: Graph, seed: int) -> dict[str, IntArray]:
    """One random input, without the batch axis."""
    return {name: array[0] for name, array in frames(graph, seed).items()}


def spoilt(folder: Path, module: str, good: str, bad: str) -> Path:
    """A copy of the Verilog in which one text of one module is another."""
    models = folder / "rtl_models"
    shutil.copytree(sources.folder(), models)
    file = models / f"{module}.v"
    text = file.read_text(encoding="utf-8")
    assert text.count(good) == 1, f"{module}: {text.count(good)} times {good}"
    file.write_text(text.replace(good, bad), encoding="utf-8")
    return models
