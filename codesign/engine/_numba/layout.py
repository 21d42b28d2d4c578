"""Layout of maps inside the compiled engine, and what a kernel is prepared from.

A map is an array (N, ..., C): channels last, so that the inner loop of every kernel runs over
neighbours in memory. A result may travel in int16, which no file knows: products of few bits
fit it, and twice as many fit a register.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from codesign.ir import IntArray, IntType, Node, Value

#: A prepared kernel: the node's maps (channels last) to its result (channels last).
Kernel = Callable[..., IntArray]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a kernel stands: the node, the values it reads and the value it computes."""

    node: Node
    arguments: tuple[Value, ...]
    result: Value

    def constant(self, position: int) -> IntArray:
        """Codes of the constant argument at `position`."""
        data = self.arguments[position].data
        assert data is not None  # the checker demands a constant there
        return data

    def integer(self, attribute: str) -> int:
        """An attribute that is one integer."""
        value = self.node.attrs[attribute]
        assert isinstance(value, int)
        return value

    def integers(self, attribute: str) -> tuple[int, ...]:
        """An attribute that is a tuple of integers."""
        value = self.node.attrs[attribute]
        assert isinstance(value, tuple)
        return value


Prepare = Callable[[Site], Kernel]


def channels_last(array: IntArray) -> IntArray:
    """(N, C, ...) to (N, ..., C), contiguous."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim > 2 else array


def channels_first(array: IntArray) -> IntArray:
    """(N, ..., C) to a view (N, C, ...)."""
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def storage(code_type: IntType) -> np.dtype[Any]:
    """The narrowest type that carries a map inside the engine."""
    for carrier in (np.uint8, np.int8, np.int16):
        info = np.iinfo(carrier)
        if info.min <= code_type.lo and code_type.hi <= info.max:
            return np.dtype(carrier)
    return np.dtype(np.int32)


def arithmetic(code_type: IntType) -> np.dtype[Any]:
    """int16 where it carries every code, else int32: the two types that kernels compute in."""
    fits = code_type.lo >= -(1 << 15) and code_type.hi < 1 << 15
    return np.dtype(np.int16 if fits else np.int32)
