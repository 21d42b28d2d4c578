"""How kernels are compiled: without the interpreter's lock, and kept on disk.

numba keeps what it compiles by the function's own file, the processor and its features. Here a
kernel is put together from several files, so its name on disk also has the digest of all of them:
a new version of any never runs the old machine code.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event

_Function = TypeVar("_Function", bound=Callable[..., object])

#: Tells, at level INFO, that kernels are being compiled: it takes seconds.
LOG = logging.getLogger("codesign.engine")


def compiled(function: _Function) -> _Function:
    """Decorator: compile `function` at its first call with each combination of types."""
    try:
        dispatcher = numba.njit(nogil=True, cache=True)(named(function))
    except RuntimeError:  # no folder can be written: compile in each process
        dispatcher = numba.njit(nogil=True)(function)
    return cast(_Function, dispatcher)


def named(function: _Function) -> _Function:
    """The function, its name on disk with the digest of all sources."""
    function.__qualname__ = f"{function.__qualname__}_{sources()}"
    return function


@lru_cache(maxsize=1)
def sources() -> str:
    """Digest of every file that kernels are made from."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


class _Notice(event.Listener):
    """Logs the first compilation of a process."""

    told = False

    def on_start(self, event: Any) -> None:
        function = event.data["dispatcher"].py_func
        module = function.__module__ or ""  # none, if it came from no file
        if not self.told and module.startswith(__package__ or ""):
            self.told = True
            LOG.info("compiling kernels for this processor; later starts find them on disk")

    def on_end(self, event: Any) -> None:
        """Nothing to tell."""


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]
