"""Pooling: the maximum of a window, the sum of a map."""

from __future__ import annotations

import numpy as np

from codesign.ir import (
    Attribute,
    FunctionBuilder,
    IntArray,
    IntType,
    Operations,
    OpSpec,
    Value,
    ops,
    register,
)
from codesign.ops._rules import need_axes, need_byte_carrier, need_rank, window_sizes


@register
class MaxPool(OpSpec):
    """`y[c,i,j] = max_{u,v} x[c, i*stride + u, j*stride + v]`; OR on one bit. No padding."""

    name = "max_pool"
    family = "pooling"
    inputs = ("x",)
    attributes = (
        Attribute("kernel", "window, rows and columns", "ints", (2, 2), lo=1),
        Attribute("stride", "step of the window, rows and columns", "ints", (2, 2), lo=1),
    )
    unit = "pool_unit"

    def infer(self, x: Value, *, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Value:
        need_rank("x", x, 3, "channels x height x width")
        need_byte_carrier("x", x)
        need_axes("max_pool", "kernel", kernel, 2)
        need_axes("max_pool", "stride", stride, 2)
        sizes = window_sizes("max_pool", x.shape[1:], kernel, stride)
        return x.like(shape=(x.shape[0], *sizes))

    def reference(
        self, x: IntArray, *, kernel: tuple[int, ...], stride: tuple[int, ...]
    ) -> IntArray:
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
        strided = windows[:, :, :: stride[0], :: stride[1]]
        return np.asarray(strided.max(axis=(4, 5)), dtype=np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.MaxPool(x, kernel_shape=f.ref("kernel"), strides=f.ref("stride"))

    def cost(self, x: Value, *, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Operations:
        size = self.infer(x, kernel=kernel, stride=stride).size
        compares = size * (int(np.prod(kernel)) - 1)
        if x.type.storage_bits == 1:
            return ops("logic", 1, compares)  # the maximum of bits is their OR
        return ops("compare", x.type.storage_bits, compares)


@register
class SumPool(OpSpec):
    """`y[c] = sum_{i,j} x[c,i,j]`: global sum of each channel's map (no division)."""

    name = "sum_pool"
    family = "pooling"
    inputs = ("x",)
    unit = "pool_unit"

    def infer(self, x: Value) -> Value:
        need_rank("x", x, 3, "channels x height x width")
        area = x.shape[1] * x.shape[2]
        # all codes differ by multiples of the step, and so do their sums
        interval = IntType(x.type.lo * area, x.type.hi * area, x.type.step)
        return x.like(shape=x.shape[:1], type=interval)

    def reference(self, x: IntArray) -> IntArray:
        return np.asarray(x.astype(np.int64).sum(axis=(2, 3)))

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        total = f.ReduceSum(f.cast(x, "int64"), f.const([2, 3]), keepdims=0)
        return f.carry(total)

    def cost(self, x: Value) -> Operations:
        return ops("add", self.infer(x).type.width, x.size - x.shape[0])
