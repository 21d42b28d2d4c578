"""Parts of a task, called straight from its address."""

from __future__ import annotations

import ctypes

from codesign.engine._numba.tasks import Task, address

_FUNCTION = ctypes.CFUNCTYPE(*[ctypes.c_int64] * 4)


def call(task: Task, part: int, parts: int) -> int:
    """One part; what the code returns, 1 where it is done."""
    return int(_FUNCTION(task.function)(address(task.record), part, parts))
