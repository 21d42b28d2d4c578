"""Conversion: torch network to program, program to and from the ONNX file.

Nothing heavy is imported before a function is used; `lower` and `export` alone need torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codesign.convert.onnx_read import from_onnx, load
    from codesign.convert.onnx_write import save, to_onnx
    from codesign.convert.torch import export, lower

__all__ = ["export", "from_onnx", "load", "lower", "save", "to_onnx"]

_HOMES = {
    "export": "torch",
    "from_onnx": "onnx_read",
    "load": "onnx_read",
    "lower": "torch",
    "save": "onnx_write",
    "to_onnx": "onnx_write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
