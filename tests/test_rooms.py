"""The import rule: which room of the package may use which, and who may import what is heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import codesign

PACKAGE = Path(codesign.__file__).parent

#: room -> rooms that it may use besides itself, `errors` and `files`.
MAY_IMPORT: dict[str, set[str]] = {
    "ir": set(),
    "ops": {"ir"},
    "quant": set(),
    "nn": {"quant", "ir"},
    "models": {"nn"},
    "train": {"models", "nn", "quant", "convert", "engine", "ir"},
    "convert": {"ir", "ops"},
    "engine": {"ir", "ops"},
    "hw": {"ir", "ops"},
    "report": set(),
    "quality": {"ir", "ops"},
    "sim": {"ir", "engine", "hw", "report", "convert"},
    # the Verilog is compared with an engine there, like any other executor
    "verify": {"ir", "engine", "hw", "convert", "rtl"},
    "rtl": {"ir", "hw"},
    "cli": {"ir", "ops", "models", "train", "convert", "engine", "hw", "report", "sim", "verify"}
    | {"rtl", "quality"},
}
#: (module, room): what only a function body may import, and why the module needs it.
ONLY_INSIDE = {
    ("ir.opspec", "ops"),  # the table fills itself at its first look-up
    ("engine.onnx_runtime", "convert"),  # the oracle runs the file that is handed out
}
#: The bridges: the one module of its room that may use another.
BRIDGE = {
    ("convert.torch", "nn"),  # from torch: the layers
    ("engine.rtl", "rtl"),  # to the machine: the engine that runs on described hardware
    ("engine.rtl", "hw"),
}
#: heavy package -> module prefixes that may import it at their top level.
OWNERS: dict[str, tuple[str, ...]] = {
    "torch": ("nn.", "train.", "models.", "convert.torch"),
    "numba": ("engine._numba.", "nn._kernels", "train."),
    "onnx": ("convert.",),
    "onnxruntime": (),
    "sklearn": (),
    "skimage": (),
}


@dataclass(frozen=True)
class Import:
    """One imported module, by whom, and whether when the importing module is loaded."""

    module: str
    target: str
    line: int
    at_top: bool


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[Import]:
    module = _name(path)
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), module, at_top=True)


def _walk(tree: ast.AST, module: str, *, at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, alias.name, child.lineno, at_top)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module}:{child.lineno}: write imports from the root"
            origin = child.module or ""
            for alias in child.names:
                target = f"{origin}.{alias.name}" if origin == "codesign" else origin
                yield Import(module, target, child.lineno, at_top)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from _walk(ast.Module(child.orelse, []), module, at_top=at_top)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, module, at_top=at_top and not inside)


MODULES = sorted(PACKAGE.rglob("*.py"))
IMPORTS = [item for path in MODULES for item in _imports(path)]
ROOMS = {path.relative_to(PACKAGE).parts[0] for path in MODULES if path.parent != PACKAGE}


def test_every_room_has_a_rule() -> None:
    assert set(MAY_IMPORT) == ROOMS


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_rooms_use_only_their_neighbours(room: str) -> None:
    allowed = {room, "errors", "files", "__version__", *MAY_IMPORT[room]}
    wrong = []
    for item in IMPORTS:
        if item.module.split(".")[0] != room or not item.target.startswith("codesign."):
            continue
        target = item.target.split(".")[1]
        lazily = not item.at_top and (item.module, target) in ONLY_INSIDE
        if target not in allowed and not lazily and (item.module, target) not in BRIDGE:
            wrong.append(f"{item.module}:{item.line} imports {item.target}")
    assert wrong == []


@pytest.mark.parametrize("module", ["errors", "files"])
def test_what_all_rooms_use_uses_no_room(module: str) -> None:
    used = {item.target for item in IMPORTS if item.module == module}
    assert {target for target in used if target.startswith("codesign.")} <= {"codesign.errors"}


@pytest.mark.parametrize("package", sorted(OWNERS))
def test_heavy_packages_are_imported_where_they_are_owned(package: str) -> None:
    wrong = [
        f"{item.module}:{item.line} imports {item.target}"
        for item in IMPORTS
        if item.target.split(".")[0] == package
        and item.at_top
        and not f"{item.module}.".startswith(OWNERS[package])
    ]
    assert wrong == []


def test_torch_stays_left_of_the_program() -> None:
    """Not even a function right of the lowering imports torch."""
    left = ("quant.", "nn.", "models.", "train.", "convert.torch.")
    wrong = [
        f"{item.module}:{item.line} imports {item.target}"
        for item in IMPORTS
        if item.target.split(".")[0] == "torch" and not f"{item.module}.".startswith(left)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        (
            "import codesign, codesign.ir, codesign.engine, codesign.hw, codesign.cli",
            ("torch", "numba", "onnxruntime", "sklearn"),
        ),
        (
            "from codesign.ir import *; import codesign.ir as ir; from codesign.engine import "
            "create; b = ir.GraphBuilder('g'); x = b.input('x', (2,), ir.IntType(0, 3)); "
            "b.output(b.node('y', 'sign', [x])); import numpy as np; "
            "create('numba', b.build()).run({'x': np.zeros((1, 2), np.uint8)})",
            ("torch", "onnx", "onnxruntime", "sklearn"),
        ),
    ],
    ids=["import", "run"],
)
def test_a_process_loads_no_more_than_it_needs(statement: str, absent: tuple[str, ...]) -> None:
    code = f"import sys\n{statement}\nprint([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
