"""Rearrangements: no arithmetic, wiring or addressing in hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import (
    Attribute,
    AttrValue,
    FunctionBuilder,
    IntArray,
    IntType,
    Operations,
    OpSpec,
    Value,
    register,
)
from codesign.ops._rules import divisors, need_axes, union

_AXIS = Attribute("axis", "the axis, 0 is the first after the batch", default=0, lo=0, hi=7)
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1


def _need_axis(op: str, x: Value, axis: int) -> None:
    if axis >= len(x.shape):
        raise CodesignError(f"{op}: axis {axis} is not one of x {x}; give 0 to {len(x.shape) - 1}")


def _resized(x: Value, axis: int, size: int) -> tuple[int, ...]:
    return (*x.shape[:axis], size, *x.shape[axis + 1 :])


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


@register
class Transpose(OpSpec):
    """`y[i_axes[0], i_axes[1], ...] = x[i_0, i_1, ...]`: reorders the axes; the batch stays first.

    Brings a clip's `(C, T)` to the sequence `(T, C)` that a recurrent layer reads.
    """

    name = "transpose"
    family = "shape"
    inputs = ("x",)
    attributes = (Attribute("axes", "axes of x in the order of the result", "ints", lo=0),)
    unit = "wiring"
    onnx_kinds: ClassVar[Mapping[str, str]] = {"perm": "ints"}

    def infer(self, x: Value, *, axes: tuple[int, ...]) -> Value:
        if sorted(axes) != list(range(len(x.shape))):
            raise CodesignError(
                f"transpose: axes {axes} are not those of x {x}; give each of 0 to "
                f"{len(x.shape) - 1} once"
            )
        return x.like(shape=tuple(x.shape[axis] for axis in axes))

    def reference(self, x: IntArray, *, axes: tuple[int, ...]) -> IntArray:
        return np.transpose(x, (0, *(axis + 1 for axis in axes))).astype(np.int64)

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        return {"perm": (0, *(axis + 1 for axis in attrs["axes"]))}

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.Transpose(x, perm=f.ref("perm"))

    def cost(self, x: Value, *, axes: tuple[int, ...]) -> Operations:
        return Operations()


@register
class Concat(OpSpec):
    """`y = [a, b]`: two maps one after the other along an axis; channels double with `a = b`."""

    name = "concat"
    family = "shape"
    inputs = ("a", "b")
    attributes = (_AXIS,)
    unit = "wiring"

    def infer(self, a: Value, b: Value, *, axis: int) -> Value:
        _need_axis("concat", a, axis)
        if len(a.shape) != len(b.shape) or _resized(a, axis, 1) != _resized(b, axis, 1):
            raise CodesignError(
                f"concat: a is {a}, b is {b}; their shapes may differ in axis {axis} only"
            )
        shape = _resized(a, axis, a.shape[axis] + b.shape[axis])
        return a.like(shape=shape, type=union(a.type, b.type))

    def reference(self, a: IntArray, b: IntArray, *, axis: int) -> IntArray:
        return np.concatenate([a, b], axis=axis + 1).astype(np.int64)

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        return {"batch_axis": attrs["axis"] + 1}

    def onnx(self, f: FunctionBuilder, a: str, b: str) -> str:
        return f.Concat(f.carry(a), f.carry(b), axis=f.ref("batch_axis"))

    def cost(self, a: Value, b: Value, *, axis: int) -> Operations:
        return Operations()


@register
class Slice(OpSpec):
    """`y[..., i, ...] = x[..., start + i*step, ...]` for `start + i*step < stop`: part of an axis.

    The last state of a sequence, a frame of a clip, some channels.
    """

    name = "slice"
    family = "shape"
    inputs = ("x",)
    attributes = (
        _AXIS,
        Attribute("start", "the first index", default=0, lo=0),
        Attribute("stop", "the index after the last", lo=1),
        Attribute("step", "distance of two indices", default=1, lo=1),
    )
    unit = "wiring"

    def infer(self, x: Value, *, axis: int, start: int, stop: int, step: int) -> Value:
        _need_axis("slice", x, axis)
        if not start < stop <= x.shape[axis]:
            raise CodesignError(
                f"slice: [{start}..{stop}) is not a part of axis {axis} of x {x}; give "
                f"start < stop <= {x.shape[axis]}"
            )
        return x.like(shape=_resized(x, axis, -(-(stop - start) // step)))

    def reference(self, x: IntArray, *, axis: int, start: int, stop: int, step: int) -> IntArray:
        return np.take(x, range(start, stop, step), axis=axis + 1).astype(np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        one = f.const([1])
        start, stop, step, axis = (
            f.Reshape(f.attr(name), one) for name in ("start", "stop", "step", "axis")
        )
        return f.Slice(x, start, stop, f.Add(axis, one), step)

    def cost(self, x: Value, **_: int) -> Operations:
        return Operations()


@register
class Repeat(OpSpec):
    """`y[..., k*S + i, ...] = x[..., i, ...]`, k < times: copies one after the other on an axis.

    Duplicates channels (1-heq.md 4.5): `repeat` twice is `concat` of a map with itself.
    """

    name = "repeat"
    family = "shape"
    inputs = ("x",)
    attributes = (_AXIS, Attribute("times", "number of copies", default=2, lo=1))
    unit = "wiring"

    def infer(self, x: Value, *, axis: int, times: int) -> Value:
        _need_axis("repeat", x, axis)
        return x.like(shape=_resized(x, axis, x.shape[axis] * times))

    def reference(self, x: IntArray, *, axis: int, times: int) -> IntArray:
        return np.concatenate([x] * times, axis=axis + 1).astype(np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        # the number of copies of each axis: `times` on the named one, 1 on the others
        number = f.Range(f.const(0), f.Size(f.Shape(x)), f.const(1))
        named = f.cast(f.Equal(number, f.Add(f.attr("axis"), f.const(1))), "int64")
        copies = f.Add(f.Mul(named, f.Sub(f.attr("times"), f.const(1))), f.const(1))
        return f.Tile(x, copies)

    def cost(self, x: Value, *, axis: int, times: int) -> Operations:
        return Operations()


@register
class Pad(OpSpec):
    """`y = x` with `before` and `after` cells of the code `code` around it on every axis."""

    name = "pad"
    family = "shape"
    inputs = ("x",)
    attributes = (
        Attribute("before", "cells before the map, one number an axis", "ints", lo=0),
        Attribute("after", "cells behind the map, one number an axis", "ints", lo=0),
        Attribute("code", "the code that the added cells hold", default=0, lo=_LEAST, hi=_MOST),
    )
    unit = "wiring"

    def infer(
        self, x: Value, *, before: tuple[int, ...], after: tuple[int, ...], code: int
    ) -> Value:
        need_axes("pad", "before", before, len(x.shape))
        need_axes("pad", "after", after, len(x.shape))
        shape = tuple(b + s + a for b, s, a in zip(before, x.shape, after, strict=True))
        added = any(before) or any(after)
        return x.like(shape=shape, type=union(x.type, IntType(code, code)) if added else x.type)

    def reference(
        self, x: IntArray, *, before: tuple[int, ...], after: tuple[int, ...], code: int
    ) -> IntArray:
        border = [(0, 0), *zip(before, after, strict=True)]
        return np.pad(x.astype(np.int64), border, constant_values=code)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        zero = f.const([0])
        pads = f.Concat(zero, f.attr("before"), zero, f.attr("after"), axis=0)
        return f.carry(f.Pad(f.cast(x, "int64"), pads, f.attr("code")))

    def cost(self, x: Value, **_: object) -> Operations:
        return Operations()


@register
class Fill(OpSpec):
    """`y = code` in the given shape, one such map for each of x: the state before a sequence.

    A graph that carries its state from run to run has an input in its place.
    """

    name = "fill"
    family = "shape"
    inputs = ("x",)
    attributes = (
        Attribute("shape", "sizes of the result, without the batch", "ints", lo=1),
        Attribute("code", "the code of every element", default=0, lo=_LEAST, hi=_MOST),
    )
    unit = "wiring"

    def infer(self, x: Value, *, shape: tuple[int, ...], code: int) -> Value:
        return x.like(shape=shape, type=IntType(code, code))

    def reference(self, x: IntArray, *, shape: tuple[int, ...], code: int) -> IntArray:
        return np.full((len(x), *shape), code, np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        sizes = f.Concat(f.Shape(x, start=0, end=1), f.attr("shape"), axis=0)
        return f.carry(f.Expand(f.attr("code"), sizes))

    def cost(self, x: Value, **_: object) -> Operations:
        return Operations()
