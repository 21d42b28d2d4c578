"""Residual and logic: two maps merge into one, element by element."""

from __future__ import annotations

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import FunctionBuilder, IntArray, IntType, Operations, OpSpec, Value, ops, register
from codesign.ops._rules import need_same_shape, union

_BIT, _BIPOLAR = IntType(0, 1), IntType(-1, 1, 2)


def _need_bits(a: Value, b: Value) -> None:
    """Refuse all but two maps of {0, 1} or two of {-1, +1}."""
    need_same_shape(a, b)
    if not any(kind.holds(a.type) and kind.holds(b.type) for kind in (_BIT, _BIPOLAR)):
        raise CodesignError(
            f"a has codes {a.type}, b {b.type}; both must be [0..1], or both [-1..1/2]; "
            "use maximum for wider codes"
        )


def _between(low: int, high: int, a: Value, b: Value) -> IntType:
    """`[low..high]` on the grid that both code sets lie on."""
    return IntType(low, high, union(a.type, b.type).step)


@register
class BitOr(OpSpec):
    """`y = a | b` on one-bit codes {0, 1} or {-1, +1}: the OR residual (1-heq.md 4.5).

    The logic gate that merges two branches in ORNet; in the code it is the greater of the two.
    """

    name = "bit_or"
    family = "residual"
    inputs = ("a", "b")
    unit = "residual_unit"

    def infer(self, a: Value, b: Value) -> Value:
        _need_bits(a, b)
        low, high = max(a.type.lo, b.type.lo), max(a.type.hi, b.type.hi)
        return a.like(type=_between(low, high, a, b))

    def reference(self, a: IntArray, b: IntArray) -> IntArray:
        return np.where((a > 0) | (b > 0), np.int64(1), np.minimum(a, b))

    def onnx(self, f: FunctionBuilder, a: str, b: str) -> str:
        return f.carry(f.Max(f.cast(a, "int64"), f.cast(b, "int64")))

    def cost(self, a: Value, b: Value) -> Operations:
        return ops("logic", 1, a.size)


@register
class BitAnd(OpSpec):
    """`y = a & b` on one-bit codes {0, 1} or {-1, +1}: opens or closes a skip (1-heq.md 4.5)."""

    name = "bit_and"
    family = "residual"
    inputs = ("a", "b")
    unit = "residual_unit"

    def infer(self, a: Value, b: Value) -> Value:
        _need_bits(a, b)
        low, high = min(a.type.lo, b.type.lo), min(a.type.hi, b.type.hi)
        return a.like(type=_between(low, high, a, b))

    def reference(self, a: IntArray, b: IntArray) -> IntArray:
        return np.where((a > 0) & (b > 0), np.int64(1), np.minimum(a, b))

    def onnx(self, f: FunctionBuilder, a: str, b: str) -> str:
        return f.carry(f.Min(f.cast(a, "int64"), f.cast(b, "int64")))

    def cost(self, a: Value, b: Value) -> Operations:
        return ops("logic", 1, a.size)


@register
class Maximum(OpSpec):
    """`y = max(a, b)`: the OR residual of k-bit codes (1-heq.md 4.5, design choice).

    Bitwise OR is not monotone in a code of several bits; the greater of the two is.
    """

    name = "maximum"
    family = "residual"
    inputs = ("a", "b")
    unit = "residual_unit"

    def infer(self, a: Value, b: Value) -> Value:
        need_same_shape(a, b)
        low, high = max(a.type.lo, b.type.lo), max(a.type.hi, b.type.hi)
        return a.like(type=_between(low, high, a, b))

    def reference(self, a: IntArray, b: IntArray) -> IntArray:
        return np.maximum(a, b).astype(np.int64)

    def onnx(self, f: FunctionBuilder, a: str, b: str) -> str:
        return f.carry(f.Max(f.cast(a, "int64"), f.cast(b, "int64")))

    def cost(self, a: Value, b: Value) -> Operations:
        return ops("compare", union(a.type, b.type).width, a.size)


@register
class ShiftAdd(OpSpec):
    """`y = (a + b) >> 1`: average of two maps, floor; k-bit codes stay k bits (3-mognet.md 4.4)."""

    name = "shift_add"
    family = "residual"
    inputs = ("a", "b")
    unit = "residual_unit"

    def infer(self, a: Value, b: Value) -> Value:
        need_same_shape(a, b)
        return a.like(type=IntType((a.type.lo + b.type.lo) >> 1, (a.type.hi + b.type.hi) >> 1))

    def reference(self, a: IntArray, b: IntArray) -> IntArray:
        return (a.astype(np.int64) + b) >> 1

    def onnx(self, f: FunctionBuilder, a: str, b: str) -> str:
        total, two = f.Add(f.cast(a, "int64"), f.cast(b, "int64")), f.const(2)
        return f.carry(f.Div(f.Sub(total, f.Mod(total, two)), two))

    def cost(self, a: Value, b: Value) -> Operations:
        total = IntType(a.type.lo + b.type.lo, a.type.hi + b.type.hi)
        return ops("add", total.width, a.size)


@register
class Mux(OpSpec):
    """`y[c,...] = a[c,...] if select[c] else b[c,...]`: channel-wise choice of two maps.

    One bit a channel (1-heq.md 4.5, 3-mognet.md 4.4), or one a channel and frame: the shape of
    `select` is the first axes of `a` and `b`. MUX-OR is `mux(bit_or(f, x), f, select)`.
    """

    name = "mux"
    family = "residual"
    inputs = ("a", "b", "select")
    unit = "residual_unit"

    def infer(self, a: Value, b: Value, select: Value) -> Value:
        need_same_shape(a, b)
        if not select.shape or select.shape != a.shape[: len(select.shape)]:
            raise CodesignError(
                f"select has shape {select.shape}, a is {a}; give one bit a channel of a, or one "
                "for each index of its first axes"
            )
        if not _BIT.holds(select.type):
            raise CodesignError(f"select has codes {select.type}; give bits [0..1]")
        return a.like(type=union(a.type, b.type))

    def reference(self, a: IntArray, b: IntArray, select: IntArray) -> IntArray:
        each = select.reshape(*select.shape, *[1] * (a.ndim - select.ndim))
        return np.where(each == 1, a, b).astype(np.int64)

    def onnx(self, f: FunctionBuilder, a: str, b: str, select: str) -> str:
        # select (N, C) against (N, C, ...): its shape becomes (N, C, 1, ...), whatever the ranks
        missing = f.Sub(f.Size(f.Shape(a)), f.Size(f.Shape(select)))
        ones = f.Expand(f.const([1]), f.Reshape(missing, f.const([1])))
        each = f.Reshape(select, f.Concat(f.Shape(select), ones, axis=0))
        chosen = f.Greater(f.cast(each, "int64"), f.const(0))
        return f.carry(f.Where(chosen, f.cast(a, "int64"), f.cast(b, "int64")))

    def cost(self, a: Value, b: Value, select: Value) -> Operations:
        return ops("logic", union(a.type, b.type).storage_bits, a.size)
