"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, load at the start, and the versions of what is compared."""
    import llvmlite
    import numba
    import onnxruntime
    import torch

    from codesign.engine import usable_cores
    from codesign.engine._numba.features import levels

    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "load": round(os.getloadavg()[0], 2),
        "levels": [level.name for level in levels()],
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {
            module.__name__: module.__version__ for module in (torch, numba, llvmlite, onnxruntime)
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
