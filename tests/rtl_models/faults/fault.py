"""One wrong edit of a Verilog file, and a folder of Verilog with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.rtl_models import tools


@dataclass(frozen=True, slots=True)
class Fault:
    """A small wrong edit.

    Attributes:
        name: unique; the module's name, a slash, and what is wrong in a word or two.
        old, new: the text that is replaced, which the file holds exactly once.
        what: what the design does wrong with it.
    """

    name: str
    old: str
    new: str
    what: str

    @property
    def module(self) -> str:
        """The module it is in; its file has its name."""
        return self.name.partition("/")[0]

    @property
    def file(self) -> Path:
        """The right file."""
        return tools.RTL / f"{self.module}.v"

    def problem(self) -> str:
        """Why the edit cannot be made, in one line; empty where it can."""
        count = self.file.read_text(encoding="utf-8").count(self.old) if self.file.exists() else 0
        if count == 1:
            return ""
        return (
            f"{self.name}: its old text is {count} times in {self.module}.v, expected once; "
            "fit it to the file"
        )

    def text(self) -> str:
        """The wrong file."""
        return self.file.read_text(encoding="utf-8").replace(self.old, self.new)


def copy_models(target: Path, fault: Fault | None = None) -> None:
    """Write the Verilog into the folder `target`, with the fault if there is one."""
    target.mkdir(parents=True)
    for path in sorted([*tools.RTL.glob("*.v"), *tools.RTL.glob("*.vh")]):
        (target / path.name).write_bytes(path.read_bytes())
    if fault is not None:
        (target / fault.file.name).write_text(fault.text(), encoding="utf-8")
