"""Decisions: from scores to a class."""

from __future__ import annotations

import numpy as np

from codesign.ir import FunctionBuilder, IntArray, IntType, Operations, OpSpec, Value, ops, register
from codesign.ops._rules import need_rank


@register
class ArgMax(OpSpec):
    """`y = min {c : x[c] = max x}`: index of the greatest score, the first where several tie."""

    name = "argmax"
    family = "decision"
    inputs = ("x",)
    unit = "argmax"

    def infer(self, x: Value) -> Value:
        need_rank("x", x, 1, "scores")
        return x.like(shape=(), type=IntType(0, x.shape[0] - 1))

    def reference(self, x: IntArray) -> IntArray:
        return np.asarray(np.argmax(x, axis=1), dtype=np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.carry(f.ArgMax(f.cast(x, "int32"), axis=1, keepdims=0))

    def cost(self, x: Value) -> Operations:
        return ops("compare", x.type.width, x.size - 1)
