"""The documentation is true: pages are fresh, and every command in them runs as printed.

A ```console block is a session: each line that begins with `$ ` is run in a folder of its own
(one a page, with `hw_configs/`, `model.onnx` and `cat.png` in it), and the lines after it are its
output, compared exactly; a line `...` stands for any lines; no line: the output is not shown.
`$?` in a comment gives the exit code: `$ codesign ...  # exit 3`.
"""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
EXIT = re.compile(r"\s+# exit (\d+)$")


def sessions(page: Path) -> list[tuple[str, int, list[str]]]:
    """Commands of a page: the line, its exit code, the printed output."""
    found: list[tuple[str, int, list[str]]] = []
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                code = EXIT.search(line)
                command = EXIT.sub("", line[2:])
                found.append((command, int(code[1]) if code else 0, []))
            else:
                assert found, f"{page.name}: output before the first command"
                found[-1][2].append(line)
    return found


def pattern(lines: list[str]) -> str:
    """The printed lines as a regular expression; `...` is any text."""
    parts = [".*?" if line.strip() == "..." else re.escape(line.rstrip()) for line in lines]
    return "\n".join(parts)


WITH_COMMANDS = [page for page in PAGES if sessions(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands(page: Path, tmp_path: Path) -> None:
    skimage = pytest.importorskip("skimage", reason="the photograph comes with scikit-image")
    (tmp_path / "hw_configs").symlink_to(ROOT / "hw_configs")
    shutil.copy(ROOT / "codesign/models/zoo/nqe_cifar10.onnx", tmp_path / "model.onnx")
    shutil.copy(Path(skimage.__file__).parent / "data" / "chelsea.png", tmp_path / "cat.png")
    for command, code, lines in sessions(page):
        words = shlex.split(command)
        assert words[0] in ("codesign", "python"), f"{page.name}: {command}: not runnable here"
        program = [sys.executable, "-m", "codesign"] if words[0] == "codesign" else [sys.executable]
        run = subprocess.run(
            [*program, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        printed = "\n".join(line.rstrip() for line in (run.stdout + run.stderr).splitlines())
        assert run.returncode == code, f"{command}: {printed}"
        if lines:
            assert re.fullmatch(pattern(lines), printed.rstrip(), re.S), f"{command}:\n{printed}"


def test_commands_are_found() -> None:
    assert len(WITH_COMMANDS) >= 3


def test_operations_page_is_fresh() -> None:
    module = runpy.run_path(str(ROOT / "docs" / "_operations.py"))
    written = (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8")
    assert written == module["page"](), "stale: run python docs/_operations.py"


def test_readme_fits_two_screens() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100
