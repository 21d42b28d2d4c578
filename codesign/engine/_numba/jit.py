"""How kernels are compiled: without the interpreter's lock, and cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., None])


def compiled(function: _Function) -> _Function:
    """Decorator: compile `function` at its first call with each combination of types."""
    try:
        dispatcher = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder can be written: compile in each process
        dispatcher = numba.njit(nogil=True)(function)
    return cast(_Function, dispatcher)
