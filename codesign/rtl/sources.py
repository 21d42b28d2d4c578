"""Where the Verilog lies: `rtl_models/`, beside a checkout's package or inside an installed one."""

from __future__ import annotations

import re
from pathlib import Path

from codesign.errors import CodesignError

#: The top module; its file has its name.
TOP = "codesign_accelerator"

_COMMENT = re.compile(r"//[^\n]*")
_WORD = re.compile(r"\w+")

_HERE = Path(__file__).resolve().parent
#: An installed package carries the folder in itself, a checkout beside itself.
_FOLDERS = (_HERE.parent / "rtl_models", _HERE.parents[1] / "rtl_models")


def folder() -> Path:
    """The folder `rtl_models`; CodesignError where the installation lacks it."""
    for path in _FOLDERS:
        if path.is_dir():
            return path
    raise CodesignError(
        f"{_FOLDERS[0]}: the Verilog is not installed there; install codesign again"
    )


def files(models: Path | None = None, top: str = TOP) -> tuple[Path, ...]:
    """What module `top` is made of: its files in `models` (default: `folder()`), and the headers.

    A file is one module of its name. Units that the machine has no place for yet are left out of
    the machine. Sorted by name; CodesignError where the folder has no such module.
    """
    where = models or folder()
    known = {path.stem: path for path in where.glob("*.v")}
    if top not in known:
        what = "accelerator" if top == TOP else f"module {top}"
        raise CodesignError(f"{where}: holds no {top}.v; give the folder of the {what}")
    found = [known[top]]
    for path in found:  # grows while it is walked
        words = set(_WORD.findall(_COMMENT.sub("", path.read_text(encoding="utf-8"))))
        found += [known[name] for name in words & known.keys() if known[name] not in found]
    return tuple(sorted([*found, *where.glob("*.vh")]))
