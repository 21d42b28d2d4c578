"""Rearrangements: no arithmetic, wiring or addressing in hardware."""

from __future__ import annotations

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import (
    Attribute,
    FunctionBuilder,
    IntArray,
    Operations,
    OpSpec,
    Value,
    register,
)
from codesign.ops._rules import divisors


@register
class ChannelShuffle(OpSpec):
    """`y[j*groups + g] = x[g*C/groups + j]`: interleaves the channels of the groups.

    Mixes grouped convolutions; free wiring between two layers (2-nqe.md 4.3).
    """

    name = "channel_shuffle"
    family = "shape"
    inputs = ("x",)
    attributes = (Attribute("groups", "groups to interleave", lo=1),)
    unit = "wiring"

    def infer(self, x: Value, *, groups: int) -> Value:
        if not x.shape:
            raise CodesignError(f"x is {x}; its shape must be channels, then any other axes")
        channels = x.shape[0]
        if channels % groups:
            raise CodesignError(
                f"{groups} groups do not divide {channels} channels; "
                f"use a divisor of {channels} ({divisors(channels)})"
            )
        return x.like()

    def reference(self, x: IntArray, *, groups: int) -> IntArray:
        batch, channels, *rest = x.shape
        parts = x.reshape(batch, groups, channels // groups, *rest)
        return np.swapaxes(parts, 1, 2).reshape(x.shape).astype(np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        channels = f.Squeeze(f.Shape(x, start=1, end=2))
        order = f.Range(f.const(0), channels, f.const(1))
        groups = f.Reshape(f.attr("groups"), f.const([1]))
        table = f.Reshape(order, f.Concat(groups, f.const([-1]), axis=0))
        shuffled = f.Reshape(f.Transpose(table, perm=[1, 0]), f.const([-1]))
        return f.Gather(x, shuffled, axis=1)

    def cost(self, x: Value, *, groups: int) -> Operations:
        return Operations()


@register
class Reshape(OpSpec):
    """`y = x` in another shape, elements in row-major order; the batch axis stays."""

    name = "reshape"
    family = "shape"
    inputs = ("x",)
    attributes = (Attribute("shape", "sizes of the result, without the batch", "ints", lo=1),)
    unit = "wiring"

    def infer(self, x: Value, *, shape: tuple[int, ...]) -> Value:
        size = int(np.prod(shape, dtype=np.int64))
        if size != x.size:
            raise CodesignError(
                f"shape {shape} has {size} elements, x has {x.size}; make them equal"
            )
        return x.like(shape=shape)

    def reference(self, x: IntArray, *, shape: tuple[int, ...]) -> IntArray:
        return x.reshape(x.shape[0], *shape).astype(np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.Reshape(x, f.Concat(f.const([0]), f.attr("shape"), axis=0))

    def cost(self, x: Value, *, shape: tuple[int, ...]) -> Operations:
        return Operations()
