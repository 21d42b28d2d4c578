"""codesign: from a quantized PyTorch network to a bit-exact hardware report.

    graph = codesign.export(module, "model.onnx")       # torch network to integer program
    graph = codesign.load("model.onnx")
    values = codesign.run(graph, images)                 # every bit, by name
    report = codesign.simulate(graph, codesign.Hardware.load("asic_1mb"), "cat.png")

Nothing heavy is imported before it is used; only `export` and `models.create` need torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codesign import models
    from codesign.convert import export
    from codesign.errors import CodesignError
    from codesign.hw import Hardware
    from codesign.ir import Graph
    from codesign.report import Report
    from codesign.sim import load_model as load
    from codesign.sim import run, simulate

__version__ = "0.1.0"

__all__ = [
    "CodesignError",
    "Graph",
    "Hardware",
    "Report",
    "__version__",
    "export",
    "load",
    "models",
    "run",
    "simulate",
]

#: Public names: the module that each one comes from, and its name there.
_HOMES = {
    "CodesignError": ("codesign.errors", "CodesignError"),
    "Graph": ("codesign.ir", "Graph"),
    "Hardware": ("codesign.hw", "Hardware"),
    "Report": ("codesign.report", "Report"),
    "export": ("codesign.convert", "export"),
    "load": ("codesign.sim", "load_model"),
    "run": ("codesign.sim", "run"),
    "simulate": ("codesign.sim", "simulate"),
}


def __getattr__(name: str) -> Any:
    if name == "models":
        return importlib.import_module("codesign.models")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
