"""Sessions printed in the documentation: found, run, compared, and written again.

A ```console block is a session. A line that begins with `$ ` is a command, run in a folder of its
own (one a page) that holds `hw_configs/`, `model.onnx` (the shipped network) and `cat.png` (the
photograph of scikit-image); the lines after it are its output. A line `...` stands for any lines,
`...` within a line for any text; no lines mean that the output is not shown. `# exit 3` after a
command is its exit code.

`python docs/_sessions.py` runs all pages and writes the outputs that hold no `...` again.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
_EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass
class Step:
    """One command of a session and the output that the page shows."""

    line: str
    shown: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """The command's words, without the remark about its exit code."""
        return shlex.split(_EXIT.sub("", self.line))

    @property
    def code(self) -> int:
        """The exit code that the page promises."""
        found = _EXIT.search(self.line)
        return int(found[1]) if found else 0

    @property
    def abridged(self) -> bool:
        """Whether the page leaves lines out."""
        return not self.shown or any("..." in line for line in self.shown)

    def shows(self, printed: str) -> bool:
        """Whether the page's output is what was printed."""
        if not self.shown:
            return True
        parts = [
            r"[^\n]*?".join(map(re.escape, line.rstrip().split("...")))
            if line != "..."
            else "(?s:.*?)"
            for line in self.shown
        ]
        return re.fullmatch("\n".join(parts), printed) is not None


def steps(page: Path) -> list[Step]:
    """All commands of a page, in order."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [step for block in blocks for step in _block_steps(block, page.name)]


def _block_steps(block: str, page: str) -> list[Step]:
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:]))
        elif found:
            found[-1].shown.append(line)
        else:
            raise ValueError(f"{page}: output before the first command")
    for step in found:
        while step.shown and not step.shown[-1]:
            step.shown.pop()  # the blank line before the next command
    return found


def furnish(folder: Path) -> None:
    """Put into `folder` what the pages' commands read."""
    import skimage

    (folder / "hw_configs").symlink_to(ROOT / "hw_configs")
    shutil.copy(ROOT / "codesign" / "models" / "zoo" / "nqe_cifar10.onnx", folder / "model.onnx")
    shutil.copy(Path(skimage.__file__).parent / "data" / "chelsea.png", folder / "cat.png")


def run(step: Step, folder: Path) -> tuple[int, str]:
    """Exit code and output (errors after it) of a command, run in `folder`."""
    program, *rest = step.words
    starts = {"codesign": [sys.executable, "-m", "codesign"], "python": [sys.executable]}
    done = subprocess.run(
        [*starts[program], *rest],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, "\n".join(line.rstrip() for line in lines).rstrip()


def refresh(page: Path) -> None:
    """Run a page's commands and write their outputs again."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        furnish(Path(name))
        printed = {step.line: run(step, Path(name)) for step in steps(page)}
    blocks = []
    for block in _BLOCK.findall(text):
        part = []
        for step in _block_steps(block, page.name):
            part.append(f"$ {step.line}")
            code, output = printed[step.line]
            if code != step.code:
                raise SystemExit(f"{page.name}: {step.line}: exit {code}\n{output}")
            part.extend(step.shown if step.abridged else output.splitlines())
        blocks.append("\n".join(part) + "\n")
    replaced = iter(blocks)
    page.write_text(
        _BLOCK.sub(lambda _: f"```console\n{next(replaced)}```", text), encoding="utf-8"
    )


if __name__ == "__main__":
    for each in PAGES:
        if steps(each):
            refresh(each)
