"""Products with constant weights: convolution and fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    mac,
    register,
)
from codesign.ops._rules import (
    divisors,
    need_axes,
    need_byte,
    need_byte_carrier,
    need_map,
    need_rank,
    product_interval,
    strided,
    window_sizes,
)

#: Widest operand of `wide_conv`, signed.
_WIDE_BITS = 24
_WIDE = 1 << (_WIDE_BITS - 1)

#: Axes of a window and the sum over it, by their number.
_AXES = {1: "length", 2: "height x width", 3: "frames x height x width"}
_SUMS = {1: "nciu,ocu->noi", 2: "ncijuv,ocuv->noij", 3: "nchijtuv,octuv->nohij"}


def _unsigned_byte(f: FunctionBuilder, value: str, offset: str) -> str:
    """The int32 `value` less its offset, as uint8; ConvInteger's zero point makes up for it."""
    return f.cast(f.Sub(value, offset), "uint8")


def _convolve(f: FunctionBuilder, codes: str, weights: str, point: str, zero: str) -> str:
    """The int32 sums over unsigned bytes less their zero points."""
    groups, stride = f.ref("groups"), f.ref("stride")
    return f.ConvInteger(codes, weights, point, zero, group=groups, strides=stride)


def _with_padding(codes: IntType, pad_code: int) -> IntType:
    """The codes of a map with its padding: a layer's proof may have taken the map's zero away."""
    reach = IntType(min(codes.lo, 0), max(codes.hi, 0))
    if not reach.lo <= pad_code <= reach.hi or (pad_code - codes.lo) % codes.step:
        raise CodesignError(
            f"pad code {pad_code} is not a code of x {codes}; choose one of its codes"
        )
    return IntType(min(codes.lo, pad_code), max(codes.hi, pad_code), codes.step)


def _attributes(low: int, high: int) -> tuple[Attribute, ...]:
    """Those of a convolution whose pad code lies between these."""
    return (
        Attribute("groups", "groups of channels that do not mix", default=1, lo=1),
        Attribute("stride", "step of the window, one an axis", "ints", (1, 1), lo=1),
        Attribute("padding", "cells added on both sides, one number an axis", "ints", (0, 0), lo=0),
        Attribute("pad_code", "the code that the added cells hold", default=0, lo=low, hi=high),
    )


class _Convolution(OpSpec):
    """What convolutions share, whatever the width of their operand."""

    family = "linear"
    inputs = ("x", "weight")
    constant_inputs = ("weight",)

    def _need_operand(self, x: Value) -> None:
        """Refuse a map of other codes than the operation takes."""
        raise NotImplementedError

    def _products(self, f: FunctionBuilder, padded: str, weight: str) -> str:
        """The convolution of the int32 map, by `_convolve` of unsigned bytes."""
        raise NotImplementedError

    def infer(
        self,
        x: Value,
        weight: Value,
        *,
        groups: int,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        pad_code: int,
    ) -> Value:
        rank = need_map("x", x)
        need_rank("weight", weight, rank + 2, f"outputs x inputs/groups x {_AXES[rank]}")
        self._need_operand(x)
        need_byte_carrier("weight", weight)
        need_axes(self.name, "stride", stride, rank)
        need_axes(self.name, "padding", padding, rank)
        channels, (outputs, depth, *_) = x.shape[0], weight.shape
        if channels % groups:
            raise CodesignError(
                f"{groups} groups do not divide {channels} input channels; "
                f"use a divisor of {channels} ({divisors(channels)})"
            )
        if outputs % groups:
            raise CodesignError(
                f"{groups} groups do not divide {outputs} output channels; "
                f"use a divisor of {outputs} ({divisors(outputs)})"
            )
        if depth != channels // groups:
            raise CodesignError(
                f"weight has {depth} input channels a group, x has {channels} channels in "
                f"{groups} groups; give weights with {channels // groups}"
            )
        operand = _with_padding(x.type, pad_code) if any(padding) else x.type
        sizes = self._sizes(x, weight, stride, padding)
        assert weight.data is not None  # a constant input
        interval = product_interval(weight.data.reshape(outputs, -1), operand)
        return x.like(shape=(outputs, *sizes), type=interval)

    def _sizes(
        self, x: Value, weight: Value, stride: tuple[int, ...], padding: tuple[int, ...]
    ) -> tuple[int, ...]:
        padded = tuple(s + 2 * p for s, p in zip(x.shape[1:], padding, strict=True))
        return window_sizes(self.name, padded, weight.shape[2:], stride)

    def reference(
        self,
        x: IntArray,
        weight: IntArray,
        *,
        groups: int,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        pad_code: int,
    ) -> IntArray:
        kernel = weight.shape[2:]
        border = [(0, 0), (0, 0), *((p, p) for p in padding)]
        x = np.pad(x.astype(np.int64), border, constant_values=pad_code)
        axes = tuple(range(2, 2 + len(kernel)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=axes)[strided(stride)]
        results = [
            np.einsum(_SUMS[len(kernel)], part, taps, dtype=np.int64, optimize=True)
            for part, taps in zip(
                np.split(windows, groups, axis=1), np.split(weight, groups), strict=True
            )
        ]
        return np.concatenate(results, axis=1)

    def onnx(self, f: FunctionBuilder, x: str, weight: str) -> str:
        zeros = f.const([0, 0])
        padding = f.attr("padding")
        pads = f.Concat(zeros, padding, zeros, padding, axis=0)
        padded = f.Pad(f.cast(x, "int32"), pads, f.attr("pad_code", "int32"))
        return f.carry(self._products(f, padded, weight))

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        """ConvInteger gets unsigned bytes: the body subtracts the least weight."""
        return {"weight_offset": min(arguments[1].type.lo, 0)}

    def cost(
        self,
        x: Value,
        weight: Value,
        *,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        **_: object,
    ) -> Operations:
        pixels = int(np.prod(self._sizes(x, weight, stride, padding)))
        return mac(weight.type.storage_bits, x.type.storage_bits, pixels * weight.size)


@register
class Conv(_Convolution):
    """`y[o,i,j] = sum_{c,u,v} weight[o,c,u,v] * x[g(o)*C/groups + c, i*stride + u - padding, ...]`.

    Convolution (cross-correlation) of codes with constant weight codes, exact accumulators. The
    weight has one axis for each of the map's behind its channels: rows and columns; length for a
    sequence; frames, rows and columns for a clip. `groups = C` is depth-wise. Taps that fall
    outside the map read `pad_code`, a code of `x` or a step between its codes and zero: a bipolar
    map has no zero. Group `g(o) = o // (O/groups)`.
    """

    name = "conv"
    attributes = _attributes(-128, 255)
    unit = "mac_array"

    def _need_operand(self, x: Value) -> None:
        need_byte("x", x)

    def _products(self, f: FunctionBuilder, padded: str, weight: str) -> str:
        # unsigned weights too: kernels for unsigned times signed bytes may saturate at 16 bits
        x_offset, weight_offset = f.attr("x_offset", "int32"), f.attr("weight_offset", "int32")
        codes = _unsigned_byte(f, padded, x_offset)
        weights = _unsigned_byte(f, f.cast(weight, "int32"), weight_offset)
        point = f.cast(f.Neg(x_offset), "uint8")
        return _convolve(f, codes, weights, point, f.cast(f.Neg(weight_offset), "uint8"))

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        """The least code of the map too."""
        shared = super().onnx_attributes(arguments, attrs)
        return {"x_offset": min(arguments[0].type.lo, 0), **shared}


@register
class WideConv(_Convolution):
    """`y = conv(x, weight)` where `x` is a map of sums, at most 24 signed bits.

    The same sums over the same taps, exact: convolutions that follow one another without a
    rescale (3-mognet.md 4.2, `requant="none"`). 24 bits are three byte digits (design choice).
    """

    name = "wide_conv"
    attributes = _attributes(-_WIDE, _WIDE - 1)
    unit = "host"

    def _need_operand(self, x: Value) -> None:
        if x.type.lo < -_WIDE or x.type.hi >= _WIDE:
            raise CodesignError(
                f"x has codes {x.type}; wide_conv takes at most {_WIDE_BITS} signed bits; "
                "rescale before it"
            )

    def _products(self, f: FunctionBuilder, padded: str, weight: str) -> str:
        offset = f.attr("weight_offset", "int32")
        weights = _unsigned_byte(f, f.cast(weight, "int32"), offset)
        zero = f.cast(f.Neg(offset), "uint8")

        def product(digit: str, point: int) -> str:
            codes = f.cast(digit, "uint8")
            total = _convolve(f, codes, weights, f.const(point, "uint8"), zero)
            return f.cast(total, "int64")

        # x + 2^23 has three digits of base 256; the zero point of the top one takes 2^23 back
        base, wide = f.const(256, "int32"), f.const(256)
        rest = f.Add(padded, f.const(_WIDE, "int32"))
        above = f.Div(rest, base)
        low, middle, top = f.Mod(rest, base), f.Mod(above, base), f.Div(above, base)
        total = product(top, 128)
        for digit in (middle, low):
            total = f.Add(f.Mul(total, wide), product(digit, 0))
        return total


@register
class Linear(OpSpec):
    """`y[o] = sum_i weight[o,i] * x[i]`: fully connected layer, exact accumulators."""

    name = "linear"
    family = "linear"
    inputs = ("x", "weight")
    constant_inputs = ("weight",)
    unit = "mac_array"

    def infer(self, x: Value, weight: Value) -> Value:
        need_rank("x", x, 1, "features")
        need_rank("weight", weight, 2, "outputs x features")
        need_byte_carrier("weight", weight)
        if weight.shape[1] != x.shape[0]:
            raise CodesignError(
                f"weight takes {weight.shape[1]} features, x has {x.shape[0]}; make them equal"
            )
        assert weight.data is not None  # a constant input
        return x.like(shape=weight.shape[:1], type=product_interval(weight.data, x.type))

    def reference(self, x: IntArray, weight: IntArray) -> IntArray:
        return x.astype(np.int64) @ weight.astype(np.int64).T

    def onnx(self, f: FunctionBuilder, x: str, weight: str) -> str:
        # int32 throughout: features may be sums, wider than MatMulInteger's bytes
        transposed = f.Transpose(f.cast(weight, "int32"), perm=[1, 0])
        return f.carry(f.MatMul(f.cast(x, "int32"), transposed))

    def cost(self, x: Value, weight: Value) -> Operations:
        return mac(weight.type.storage_bits, x.type.storage_bits, weight.size)
