"""From accumulators to codes: shifts, saturation, thresholds at zero."""

from __future__ import annotations

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import (
    MAX_WIDTH,
    Attribute,
    FunctionBuilder,
    IntArray,
    IntType,
    Operations,
    OpSpec,
    Value,
    ops,
    register,
    unsigned,
)

_LEAST, _MOST = -(1 << (MAX_WIDTH - 1)), (1 << (MAX_WIDTH - 1)) - 1
_SHIFT = Attribute("shift", "bits dropped, arithmetic shift to the right", default=0, lo=0, hi=31)


def _floor_shift(f: FunctionBuilder, x: str) -> str:
    """`x >> shift` for signed int64: ONNX shifts unsigned only, so `(x - mod(x, 2^b)) / 2^b`."""
    one = f.const(1, "uint64")
    power = f.cast(f.BitShift(one, f.attr("shift", "uint64"), direction="LEFT"), "int64")
    return f.Div(f.Sub(x, f.Mod(x, power)), power)


def _shifted(interval: IntType, shift: int) -> IntType:
    return IntType(interval.lo >> shift, interval.hi >> shift)


@register
class BitShiftNorm(OpSpec):
    """`y[c] = (x[c] + bias[c]) >> shift`: bit-shift normalization (NQE; 2-nqe.md 4.2).

    One shift for the layer, one integer bias per channel, no multiplier. The shift is
    arithmetic: it floors.
    """

    name = "bit_shift_norm"
    family = "rescale"
    inputs = ("x", "bias")
    constant_inputs = ("bias",)
    attributes = (_SHIFT,)
    unit = "bit_shift_norm"

    def infer(self, x: Value, bias: Value, *, shift: int) -> Value:
        if not x.shape or bias.shape != x.shape[:1]:
            raise CodesignError(
                f"bias has shape {bias.shape}, x is {x}; give one bias a channel of x"
            )
        total = self._sum(x, bias)
        if not total.fits_register:
            raise CodesignError(
                f"the sum x + bias has the interval {total}, {total.width} b; at most {MAX_WIDTH} "
                "signed bits are allowed; use smaller biases"
            )
        return x.like(type=_shifted(total, shift))

    @staticmethod
    def _sum(x: Value, bias: Value) -> IntType:
        assert bias.data is not None  # a constant input
        return IntType(x.type.lo + int(bias.data.min()), x.type.hi + int(bias.data.max()))

    def reference(self, x: IntArray, bias: IntArray, *, shift: int) -> IntArray:
        per_channel = bias.astype(np.int64).reshape(-1, *[1] * (x.ndim - 2))
        return (x.astype(np.int64) + per_channel) >> shift

    def onnx(self, f: FunctionBuilder, x: str, bias: str) -> str:
        # bias (C) against (N, C, ...): its shape becomes (C, 1, ...), whatever the map's rank
        ones = f.Add(f.Mul(f.Shape(x, start=2), f.const(0)), f.const(1))
        per_channel = f.Reshape(f.cast(bias, "int64"), f.Concat(f.const([-1]), ones, axis=0))
        return f.carry(_floor_shift(f, f.Add(f.cast(x, "int64"), per_channel)))

    def cost(self, x: Value, bias: Value, *, shift: int) -> Operations:
        width = self._sum(x, bias).width
        shifts = ops("shift", width, x.size) if shift else Operations()
        return ops("add", width, x.size) + shifts


@register
class Hwmsb(OpSpec):
    """`y = clip(x >> shift, 0, 2^bits - 1)`: half-wave most-significant-bit (2-nqe.md 4.1).

    Negative values give 0; of the others the `bits` bits above `shift` are kept, saturated.
    """

    name = "hwmsb"
    family = "rescale"
    inputs = ("x",)
    attributes = (Attribute("bits", "bits of a code", default=2, lo=1, hi=8), _SHIFT)
    unit = "bit_shift_norm"

    def infer(self, x: Value, *, bits: int, shift: int) -> Value:
        low, high = _shifted(x.type, shift).lo, _shifted(x.type, shift).hi
        top = unsigned(bits).hi
        return x.like(type=IntType(min(max(low, 0), top), min(max(high, 0), top)))

    def reference(self, x: IntArray, *, bits: int, shift: int) -> IntArray:
        return np.asarray(np.clip(x.astype(np.int64) >> shift, 0, (1 << bits) - 1))

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        one = f.const(1, "uint64")
        power = f.cast(f.BitShift(one, f.attr("bits", "uint64"), direction="LEFT"), "int64")
        shifted = _floor_shift(f, f.cast(x, "int64"))
        return f.carry(f.Clip(shifted, f.const(0), f.Sub(power, f.const(1))))

    def cost(self, x: Value, *, bits: int, shift: int) -> Operations:
        shifts = ops("shift", x.type.width, x.size) if shift else Operations()
        return shifts + ops("compare", _shifted(x.type, shift).width, 2 * x.size)


@register
class Heaviside(OpSpec):
    """`y = 1 if x > 0 else 0`: the strict step (1-heq.md 4.4)."""

    name = "heaviside"
    family = "rescale"
    inputs = ("x",)
    unit = "threshold_unit"

    def infer(self, x: Value) -> Value:
        return x.like(type=IntType(int(x.type.lo > 0), int(x.type.hi > 0)))

    def reference(self, x: IntArray) -> IntArray:
        return (x > 0).astype(np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.carry(f.Greater(f.cast(x, "int64"), f.const(0)))

    def cost(self, x: Value) -> Operations:
        return ops("compare", x.type.width, x.size)


@register
class Sign(OpSpec):
    """`y = 1 if x >= 0 else -1`: bipolar codes, `sign(0) = +1`."""

    name = "sign"
    family = "rescale"
    inputs = ("x",)
    unit = "threshold_unit"

    def infer(self, x: Value) -> Value:
        low, high = 2 * (x.type.lo >= 0) - 1, 2 * (x.type.hi >= 0) - 1
        return x.like(type=IntType(low, high, 2))

    def reference(self, x: IntArray) -> IntArray:
        return np.where(x >= 0, np.int64(1), np.int64(-1))

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        positive = f.GreaterOrEqual(f.cast(x, "int64"), f.const(0))
        return f.carry(f.Where(positive, f.const(1), f.const(-1)))

    def cost(self, x: Value) -> Operations:
        return ops("compare", x.type.width, x.size)


@register
class Threshold(OpSpec):
    """`y[c] = #{j : x[c] >= thresholds[c,j]}`, with `<=` for `>=` where `flip[c]` is 1.

    A quantized activation by folded integer thresholds: QReLU of k bits has `2^k - 1` a channel
    (3-mognet.md 4.1), a binary layer with batch normalization one (1-heq.md 4.6); a negative
    factor of the normalization is the channel's flip. The thresholds of a channel ascend.
    """

    name = "threshold"
    family = "rescale"
    inputs = ("x", "thresholds", "flip")
    constant_inputs = ("thresholds", "flip")
    unit = "threshold_unit"

    def infer(self, x: Value, thresholds: Value, flip: Value) -> Value:
        if not x.shape or len(thresholds.shape) != 2 or thresholds.shape[:1] != x.shape[:1]:
            raise CodesignError(
                f"thresholds have shape {thresholds.shape}, x is {x}; give channels of x x count"
            )
        if flip.shape != x.shape[:1] or not unsigned(1).holds(flip.type):
            raise CodesignError(
                f"flip is {flip}, x is {x}; give one bit [0..1] for each channel of x"
            )
        assert thresholds.data is not None and flip.data is not None  # constant inputs
        falls = np.diff(thresholds.data.astype(np.int64), axis=1) < 0
        if falls.any():
            channel = int(falls.any(axis=1).argmax())
            raise CodesignError(
                f"the thresholds of channel {channel} do not ascend: "
                f"{thresholds.data[channel].tolist()}; sort them"
            )
        ends = np.array([x.type.lo, x.type.hi])
        codes = self.reference(np.tile(ends[:, None], x.shape[0]), thresholds.data, flip.data)
        return x.like(type=IntType(int(codes.min()), int(codes.max())))

    def reference(self, x: IntArray, thresholds: IntArray, flip: IntArray) -> IntArray:
        levels = thresholds.reshape(thresholds.shape[0], *[1] * (x.ndim - 2), -1)
        flipped = flip.reshape(-1, *[1] * (x.ndim - 2), 1) == 1
        passed = np.where(flipped, x[..., None] <= levels, x[..., None] >= levels)
        return np.asarray(passed.sum(axis=-1, dtype=np.int64))

    def onnx(self, f: FunctionBuilder, x: str, thresholds: str, flip: str) -> str:
        # flipped channels compare the negated numbers; thresholds (C, J) become (C, 1, ..., J)
        ones = f.Add(f.Mul(f.Shape(x, start=2), f.const(0)), f.const(1))
        side = f.Sub(f.const(1), f.Mul(f.cast(flip, "int64"), f.const(2)))
        side = f.Reshape(side, f.Concat(f.const([-1]), ones, f.const([1]), axis=0))
        count = f.Shape(thresholds, start=1)
        levels = f.Reshape(
            f.cast(thresholds, "int64"), f.Concat(f.Shape(flip), ones, count, axis=0)
        )
        value = f.Unsqueeze(f.cast(x, "int64"), f.const([-1]))
        passed = f.GreaterOrEqual(f.Mul(value, side), f.Mul(levels, side))
        return f.carry(f.ReduceSum(f.cast(passed, "int64"), f.const([-1]), keepdims=0))

    def cost(self, x: Value, thresholds: Value, flip: Value) -> Operations:
        return ops("compare", x.type.width, x.size * thresholds.shape[1])


@register
class Clip(OpSpec):
    """`y = min(max(x, lo), hi)`: saturation to an interval."""

    name = "clip"
    family = "rescale"
    inputs = ("x",)
    attributes = (
        Attribute("lo", "least value", lo=_LEAST, hi=_MOST),
        Attribute("hi", "greatest value", lo=_LEAST, hi=_MOST),
    )
    unit = "threshold_unit"

    def infer(self, x: Value, *, lo: int, hi: int) -> Value:
        if lo > hi:
            raise CodesignError(f"clip: lo {lo} is above hi {hi}; give lo <= hi")
        inside = x.type.lo >= lo and x.type.hi <= hi
        if inside:
            return x.like()
        low, high = min(max(x.type.lo, lo), hi), min(max(x.type.hi, lo), hi)
        return x.like(type=IntType(low, high))

    def reference(self, x: IntArray, *, lo: int, hi: int) -> IntArray:
        return np.clip(x.astype(np.int64), lo, hi)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.carry(f.Clip(f.cast(x, "int64"), f.attr("lo"), f.attr("hi")))

    def cost(self, x: Value, *, lo: int, hi: int) -> Operations:
        return ops("compare", x.type.width, 2 * x.size)
