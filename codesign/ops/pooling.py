"""Pooling: the maximum of a window, the sum of a map."""

from __future__ import annotations

import numpy as np

from codesign.errors import CodesignError
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
from codesign.ops._rules import (
    need_axes,
    need_byte_carrier,
    need_map,
    need_rank,
    strided,
    window_sizes,
)


@register
class MaxPool(OpSpec):
    """`y[c,i,j] = max_{u,v} x[c, i*stride + u, j*stride + v]`; OR on one bit. No padding.

    The window has one size for each axis behind the channels: rows and columns; length for a
    sequence; frames, rows and columns for a clip.
    """

    name = "max_pool"
    family = "pooling"
    inputs = ("x",)
    attributes = (
        Attribute("kernel", "window, one size an axis", "ints", (2, 2), lo=1),
        Attribute("stride", "step of the window, one an axis", "ints", (2, 2), lo=1),
    )
    unit = "pool_unit"

    def infer(self, x: Value, *, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Value:
        rank = need_map("x", x)
        need_byte_carrier("x", x)
        need_axes("max_pool", "kernel", kernel, rank)
        need_axes("max_pool", "stride", stride, rank)
        sizes = window_sizes("max_pool", x.shape[1:], kernel, stride)
        return x.like(shape=(x.shape[0], *sizes))

    def reference(
        self, x: IntArray, *, kernel: tuple[int, ...], stride: tuple[int, ...]
    ) -> IntArray:
        axes = tuple(range(2, 2 + len(kernel)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=axes)
        best = windows.max(axis=tuple(range(-len(kernel), 0)))
        return np.asarray(best[strided(stride)], dtype=np.int64)

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


@register
class Tgap(OpSpec):
    """`y[c] = 1 if sum x[c,...] > theta[c] else 0`: thresholded global sum, one bit a channel.

    On bits the sum is a count; it selects for a MUX (3-mognet.md 4.4, 4-billnet.md 4.1). A sum
    equal to the threshold gives 0 (design choice). The modes of a clip `(C, T, ...)` are

    - clip: `frames=0`, one bit from the whole map (the map waits in a buffer);
    - frame: `frames=1`, one bit `y[c,t]` from each frame;
    - causal: `frames=1, delay=1`, `y[c,t]` from frame `t - 1`, which streams; `y[c,0] = 0`.
    """

    name = "tgap"
    family = "pooling"
    inputs = ("x", "theta")
    constant_inputs = ("theta",)
    attributes = (
        Attribute("frames", "1: a bit for each index of the second axis", default=0, lo=0, hi=1),
        Attribute("delay", "frames by which the bits come later", default=0, lo=0),
    )
    unit = "tgap_counter"

    def infer(self, x: Value, theta: Value, *, frames: int, delay: int) -> Value:
        need_map("x", x)
        if theta.shape != x.shape[:1]:
            raise CodesignError(
                f"theta has shape {theta.shape}, x is {x}; give one threshold a channel of x"
            )
        if delay and not frames:
            raise CodesignError(
                "tgap: a whole clip has one bit a channel, which no later frame can wait for; "
                "use frames=1 to stream, or delay=0"
            )
        if delay and delay >= x.shape[1]:
            raise CodesignError(
                f"tgap: delay {delay} leaves none of the {x.shape[1]} frames of x; give less"
            )
        total = self._sum(x, frames)
        if not total.fits_register:
            raise CodesignError(
                f"tgap: the sums have the interval {total}, {total.width} b; at most 32 signed "
                "bits are allowed; narrow the codes before it"
            )
        assert theta.data is not None  # a constant input
        low = 0 if delay else int(total.lo > int(theta.data.max()))
        high = int(total.hi > int(theta.data.min()))
        return x.like(shape=x.shape[: 1 + frames], type=IntType(low, high))

    @staticmethod
    def _sum(x: Value, frames: int) -> IntType:
        count = x.size // int(np.prod(x.shape[: 1 + frames]))
        return IntType(x.type.lo * count, x.type.hi * count, x.type.step)

    def reference(self, x: IntArray, theta: IntArray, *, frames: int, delay: int) -> IntArray:
        total = x.astype(np.int64).sum(axis=tuple(range(2 + frames, x.ndim)))
        bits = (total > theta.reshape(-1, *[1] * frames)).astype(np.int64)
        if delay:
            bits = np.pad(bits[:, :, :-delay], ((0, 0), (0, 0), (delay, 0)))
        return np.asarray(bits)

    def onnx(self, f: FunctionBuilder, x: str, theta: str) -> str:
        # x becomes (N, C, frames or 1, all the rest), whatever its rank
        one, frames = f.const([1]), f.Reshape(f.attr("frames"), f.const([1]))
        kept = f.Slice(f.Shape(x), f.const([0]), f.Add(frames, f.const([2])))
        each = f.Slice(f.Concat(kept, one, axis=0), f.const([2]), f.const([3]))
        flat = f.Reshape(f.cast(x, "int64"), f.Concat(f.const([0, 0]), each, f.const([-1]), axis=0))
        total = f.ReduceSum(flat, f.const([-1]), keepdims=0)
        level = f.Reshape(f.cast(theta, "int64"), f.const([-1, 1]))
        bits = f.cast(f.Greater(total, level), "int64")
        delay = f.Reshape(f.attr("delay"), one)
        late = f.Pad(bits, f.Concat(f.const([0, 0]), delay, f.const([0, 0, 0]), axis=0))
        return f.carry(f.Reshape(f.Slice(late, f.const([0]), each, f.const([2])), kept))

    def cost(self, x: Value, theta: Value, *, frames: int, delay: int) -> Operations:
        sums = int(np.prod(x.shape[: 1 + frames]))
        width = self._sum(x, frames).width
        compared = sums - delay * x.shape[0]
        return ops("add", width, x.size - sums) + ops("compare", width, compared)
