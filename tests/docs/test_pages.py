"""The documentation is true: made pages are fresh, and every command prints what a page shows."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.rtl.verilog import need_verilated

ROOT = Path(__file__).parents[2]


def _module(name: str) -> ModuleType:
    """One of the scripts beside the pages."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


sessions = _module("_sessions")
WITH_COMMANDS = [page for page in sessions.PAGES if sessions.steps(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands(page: Path, tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="the photograph comes with scikit-image")
    if any("cosim" in step.words for step in sessions.steps(page)):
        need_verilated()
    sessions.furnish(tmp_path)
    for step in sessions.steps(page):
        code, printed = sessions.run(step, tmp_path)
        assert code == step.code, f"{step.line}\n{printed}"
        assert step.shows(printed), f"{step.line}\n{printed}"


def test_python_examples_compile() -> None:
    """Python blocks parse; those of the API page are run by tests/test_api.py."""
    found = 0
    for page in sessions.PAGES:
        for part in page.read_text(encoding="utf-8").split("```python\n")[1:]:
            compile(part.split("```")[0], str(page), "exec")
            found += 1
    assert found >= 3


def test_commands_are_found() -> None:
    assert len(WITH_COMMANDS) >= 3


def test_operations_page_is_fresh() -> None:
    written = (ROOT / "docs" / "reference" / "operations.md").read_text(encoding="utf-8")
    assert written == _module("_operations").page(), "stale: run python docs/_operations.py"


def test_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 110
