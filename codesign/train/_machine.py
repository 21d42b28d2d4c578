"""How a run uses the machine: threads, and memory that is kept between steps."""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import torch

#: Names of glibc's malloc.h for `mallopt`.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def use_threads(count: int | None = None) -> None:
    """Compute with `count` threads (default: torch's choice), in torch and the compiled passes.

    The passes use Numba's own pool: a second OpenMP pool beside torch's spins against it.
    """
    count = count or torch.get_num_threads()
    torch.set_num_threads(count)
    settings: Any = numba.config  # its names are made at run time
    settings.THREADING_LAYER = "workqueue"
    numba.set_num_threads(min(count, settings.NUMBA_NUM_THREADS))


def keep_memory() -> None:
    """Have glibc keep freed maps for the next step: fresh pages cost 15 % of a step."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
