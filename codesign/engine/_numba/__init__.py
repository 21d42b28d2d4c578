"""The compiled engine: channels-last maps, prepared weights, kernels by operation."""

from codesign.engine._numba.engine import NumbaEngine

__all__ = ["NumbaEngine"]
