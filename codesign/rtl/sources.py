"""Where the Verilog lies: `rtl_models/`, beside a checkout's package or inside an installed one."""

from __future__ import annotations

from pathlib import Path

from codesign.errors import CodesignError

#: The top module; its file has its name.
TOP = "codesign_accelerator"

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


def files(models: Path | None = None) -> tuple[Path, ...]:
    """The Verilog files of `models` (default: `folder()`), the headers among them, by name."""
    where = models or folder()
    found = tuple(sorted([*where.glob("*.v"), *where.glob("*.vh")]))
    if where / f"{TOP}.v" not in found:
        raise CodesignError(f"{where}: holds no {TOP}.v; give the folder of the accelerator")
    return found
