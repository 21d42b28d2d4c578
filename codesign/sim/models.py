"""Exported networks: by path, or by name where they ship with the package."""

from __future__ import annotations

from pathlib import Path

from codesign.ir import Graph

#: Where the shipped networks are.
ZOO = Path(__file__).parents[1] / "models" / "zoo"


def shipped() -> list[str]:
    """Names of the networks that ship with the package."""
    return sorted(path.stem for path in ZOO.glob("*.onnx"))


def load_model(path_or_name: str | Path) -> Graph:
    """The program in a model file, or the shipped one of that name (such as `nqe_cifar10`).

    An existing file goes before a shipped name. Raises CodesignError, one line.
    """
    from codesign.convert import load

    path = Path(path_or_name)
    if not path.exists() and str(path_or_name) in shipped():
        path = ZOO / f"{path_or_name}.onnx"
    return load(path)
