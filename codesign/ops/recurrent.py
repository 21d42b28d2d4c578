"""Recurrent layers: integer state, gates of one bit, a sequence `(T, F)` at a time.

The state comes in as a map and the results are the states of every step: the last one, sliced
out, is the state that the next run begins with, so frame by frame equals the whole sequence.
"""

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
    mac,
    ops,
    register,
)
from codesign.ops._rules import need_byte_carrier, need_rank, union

_BIPOLAR, _TERNARY = IntType(-1, 1, 2), IntType(-1, 1)
_KIND = Attribute("ternary", "1: hidden codes -1, 0, +1; 0: -1, +1", default=0, lo=0, hi=1)


def _need_gates(
    op: str, gates: int, x: Value, state: Value, weight: Value, recurrent: Value, bias: Value
) -> None:
    """Refuse shapes that do not fit: rows of all gates, one bias each."""
    need_rank("x", x, 2, "steps x features")
    need_rank("state", state, 1, "units")
    rows = gates * state.shape[0]
    for label, value, shape in (
        ("weight", weight, (rows, x.shape[1])),
        ("recurrent", recurrent, (rows, state.shape[0])),
        ("bias", bias, (rows,)),
    ):
        if value.shape != shape:
            raise CodesignError(
                f"{op}: {label} has shape {value.shape}, expected {shape}: {gates} gates of "
                f"{state.shape[0]} units, {x.shape[1]} features"
            )
    need_byte_carrier("weight", weight)
    need_byte_carrier("recurrent", recurrent)


def hidden_codes(ternary: int) -> IntType:
    """Code set of hidden codes: -1, 0, +1 where `ternary`, else -1, +1."""
    return _TERNARY if ternary else _BIPOLAR


def gate_interval(
    x: IntType, hidden: IntType, weight: Value, recurrent: Value, bias: Value
) -> IntType:
    """Proved interval of every gate's sum, with and without its recurrent part."""
    assert weight.data is not None and recurrent.data is not None and bias.data is not None
    low, high = bias.data.astype(np.int64), bias.data.astype(np.int64)
    for table, codes in ((weight.data, x), (recurrent.data, union(hidden, IntType(0, 0)))):
        wide = table.astype(np.int64)
        positive, negative = (np.where(s * wide > 0, wide, 0).sum(axis=1) for s in (1, -1))
        low = low + positive * codes.lo + negative * codes.hi
        high = high + positive * codes.hi + negative * codes.lo
    return IntType(int(low.min()), int(high.max()))


def _need_register(op: str, gates: IntType) -> None:
    if not gates.fits_register:
        raise CodesignError(
            f"{op}: the gates' sums have the interval {gates}, {gates.width} b; at most 32 signed "
            "bits are allowed; narrow the features before it"
        )


def _hidden(state: IntArray, ternary: int) -> IntArray:
    """Hidden codes of packed states `2*c + o`."""
    opened, sign = state & 1, np.where(state >> 1 >= 0, 1, -1)
    return np.where(opened == 1, sign, 0 if ternary else -1)


def _onnx_hidden(f: FunctionBuilder, state: str, ternary: str) -> str:
    one, two = f.const(1), f.const(2)
    opened = f.Mod(state, two)
    sign = _onnx_sign(f, f.Sub(state, opened))
    closed = f.Sub(ternary, one)  # the code of a closed gate: 0 or -1
    return f.Where(f.Equal(opened, one), sign, f.Mul(closed, f.Sub(one, opened)))


def _onnx_sign(f: FunctionBuilder, value: str) -> str:
    return f.Where(f.GreaterOrEqual(value, f.const(0)), f.const(1), f.const(-1))


def _onnx_step(f: FunctionBuilder, value: str) -> str:
    return f.cast(f.Greater(value, f.const(0)), "int64")


def _onnx_product(f: FunctionBuilder, x: str, transposed: str) -> str:
    return f.cast(f.MatMul(f.cast(x, "int32"), transposed), "int64")


def _onnx_feed(f: FunctionBuilder, x: str, weight: str, bias: str) -> str:
    """The gates' sums without their recurrent part, of all steps at once."""
    transposed = f.Transpose(f.cast(weight, "int32"), perm=[1, 0])
    return f.Add(_onnx_product(f, x, transposed), f.cast(bias, "int64"))


def _onnx_gates(f: FunctionBuilder, state: str, gates: int) -> list[str]:
    """Indices of each gate's rows, made before the step."""
    units = f.Squeeze(f.Shape(state, start=1, end=2))
    ends = [f.Mul(units, f.const(number)) for number in range(gates + 1)]
    return [f.Range(ends[n], ends[n + 1], f.const(1)) for n in range(gates)]


@register
class Lstm(OpSpec):
    """`y[t] = 2*c + o` with `c = clip(f*c + i*g, -C, C)`: LSTM of one-bit gates, integer cell.

    With `A = weight x[t] + recurrent h + bias` for the gates i, f, g, o in this order:
    `i, f, o = 1[A > 0]`, `g = sign(A)`, `sign(0) = +1`, `C = 2^(bits-1) - 1`; the hidden code is
    `h = o ? sign(c) : -1`, or `o*sign(c)` where `ternary`. f, i and o are AND gates: c is a
    saturating up and down counter (4-billnet.md 4.3, design choice).

    The state, and each step's result, is cell and output gate packed, `2*c + o`: 0 before a
    sequence. `lstm_hidden` gives h. The last result is the state of the next run.
    """

    name = "lstm"
    family = "recurrent"
    inputs = ("x", "state", "weight", "recurrent", "bias")
    constant_inputs = ("weight", "recurrent", "bias")
    attributes = (Attribute("bits", "bits of the cell", default=4, lo=1, hi=8), _KIND)
    unit = "lstm_unit"

    def infer(
        self,
        x: Value,
        state: Value,
        weight: Value,
        recurrent: Value,
        bias: Value,
        *,
        bits: int,
        ternary: int,
    ) -> Value:
        _need_gates("lstm", 4, x, state, weight, recurrent, bias)
        top = (1 << (bits - 1)) - 1
        packed = IntType(-2 * top, 2 * top + 1)
        if not packed.holds(state.type):
            raise CodesignError(
                f"lstm: state has codes {state.type}; a cell of {bits} b and its output gate are "
                f"{packed}"
            )
        hidden = hidden_codes(ternary)
        _need_register("lstm", gate_interval(x.type, hidden, weight, recurrent, bias))
        return x.like(shape=(x.shape[0], state.shape[0]), type=packed)

    def reference(
        self,
        x: IntArray,
        state: IntArray,
        weight: IntArray,
        recurrent: IntArray,
        bias: IntArray,
        *,
        bits: int,
        ternary: int,
    ) -> IntArray:
        top = (1 << (bits - 1)) - 1
        feed = x.astype(np.int64) @ weight.astype(np.int64).T + bias
        back = recurrent.astype(np.int64).T
        states = np.empty((*x.shape[:2], state.shape[1]), np.int64)
        current = state.astype(np.int64)
        for t in range(x.shape[1]):
            sums = feed[:, t] + _hidden(current, ternary) @ back
            i, f, g, o = np.split(sums, 4, axis=1)
            cell = (f > 0) * (current >> 1) + (i > 0) * np.where(g >= 0, 1, -1)
            current = 2 * np.clip(cell, -top, top) + (o > 0)
            states[:, t] = current
        return states

    def onnx(
        self, f: FunctionBuilder, x: str, state: str, weight: str, recurrent: str, bias: str
    ) -> str:
        one, two, ternary = f.const(1), f.const(2), f.attr("ternary")
        feed = _onnx_feed(f, x, weight, bias)
        back = f.Transpose(f.cast(recurrent, "int32"), perm=[1, 0])
        rows = _onnx_gates(f, state, 4)
        exponent = f.cast(f.Sub(f.attr("bits"), one), "uint64")
        power = f.cast(f.BitShift(f.const(1, "uint64"), exponent, direction="LEFT"), "int64")
        top = f.Sub(power, one)
        bottom = f.Neg(top)

        def step(packed: str, fed: str) -> tuple[list[str], list[str]]:
            hidden = _onnx_hidden(f, packed, ternary)
            sums = f.Add(fed, _onnx_product(f, hidden, back))
            i, keep, g, o = (f.Gather(sums, row, axis=1) for row in rows)
            old = f.Div(f.Sub(packed, f.Mod(packed, two)), two)
            change = f.Mul(_onnx_step(f, i), _onnx_sign(f, g))
            cell = f.Clip(f.Add(f.Mul(_onnx_step(f, keep), old), change), bottom, top)
            following = f.Add(f.Mul(cell, two), _onnx_step(f, o))
            return [following], [f.Identity(following)]

        _, (states,) = f.scan(step, [(f.cast(state, "int64"), 2)], [(feed, 3)], axis=1)
        return f.carry(states)

    def cost(
        self,
        x: Value,
        state: Value,
        weight: Value,
        recurrent: Value,
        bias: Value,
        *,
        bits: int,
        ternary: int,
    ) -> Operations:
        steps, units = x.shape[0], state.shape[0]
        hidden = hidden_codes(ternary)
        width = gate_interval(x.type, hidden, weight, recurrent, bias).width
        return (
            _products(steps, x.type, hidden, weight, recurrent)
            + ops("add", width, 4 * steps * units)
            + ops("compare", width, 4 * steps * units)
            + ops("add", bits + 1, steps * units)
            + ops("compare", bits + 1, 2 * steps * units)
            + ops("logic", bits, 2 * steps * units)
        )


def _products(
    steps: int, x: IntType, hidden: IntType, weight: Value, recurrent: Value
) -> Operations:
    fed = mac(weight.type.storage_bits, x.storage_bits, steps * weight.size)
    return fed + mac(recurrent.type.storage_bits, hidden.storage_bits, steps * recurrent.size)


@register
class LstmHidden(OpSpec):
    """`y = sign(x >> 1) if x & 1 else -1`: hidden codes of the packed states of `lstm`.

    `x = 2*c + o`; where `ternary` a closed output gate gives 0 instead of -1.
    """

    name = "lstm_hidden"
    family = "recurrent"
    inputs = ("x",)
    attributes = (_KIND,)
    unit = "lstm_unit"

    def infer(self, x: Value, *, ternary: int) -> Value:
        # the code depends on sign and parity: the two codes at each end show all there are
        ends = {x.type.lo, x.type.lo + x.type.step, x.type.hi - x.type.step, x.type.hi}
        codes = _hidden(np.array([end for end in ends if x.type.lo <= end <= x.type.hi]), ternary)
        step = 1 if ternary else 2
        return x.like(type=IntType(int(codes.min()), int(codes.max()), step))

    def reference(self, x: IntArray, *, ternary: int) -> IntArray:
        return _hidden(x.astype(np.int64), ternary)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.carry(_onnx_hidden(f, f.cast(x, "int64"), f.attr("ternary")))

    def cost(self, x: Value, *, ternary: int) -> Operations:
        return ops("logic", 1, x.size)


@register
class Gru(OpSpec):
    """`y[t] = z ? h : n`: binarized gated recurrent unit, hidden codes -1, +1 (design choice).

    With the rows r, z, n in this order: `r = 1[W x + U h + b > 0]`, `z` likewise,
    `n = sign(W x + b + (r ? U h : 0))`, `sign(0) = +1`; h is the step's result. -1 before a
    sequence. The last result is the state of the next run.
    """

    name = "gru"
    family = "recurrent"
    inputs = ("x", "state", "weight", "recurrent", "bias")
    constant_inputs = ("weight", "recurrent", "bias")
    unit = "lstm_unit"

    def infer(self, x: Value, state: Value, weight: Value, recurrent: Value, bias: Value) -> Value:
        _need_gates("gru", 3, x, state, weight, recurrent, bias)
        if not _BIPOLAR.holds(state.type):
            raise CodesignError(f"gru: state has codes {state.type}; give -1 and +1, [-1..1/2]")
        _need_register("gru", gate_interval(x.type, _BIPOLAR, weight, recurrent, bias))
        return x.like(shape=(x.shape[0], state.shape[0]), type=_BIPOLAR)

    def reference(
        self, x: IntArray, state: IntArray, weight: IntArray, recurrent: IntArray, bias: IntArray
    ) -> IntArray:
        feed = x.astype(np.int64) @ weight.astype(np.int64).T + bias
        back = recurrent.astype(np.int64).T
        states = np.empty((*x.shape[:2], state.shape[1]), np.int64)
        current = state.astype(np.int64)
        for t in range(x.shape[1]):
            fed_r, fed_z, fed_n = np.split(feed[:, t], 3, axis=1)
            back_r, back_z, back_n = np.split(current @ back, 3, axis=1)
            new = np.where(fed_n + (fed_r + back_r > 0) * back_n >= 0, 1, -1)
            current = np.where(fed_z + back_z > 0, current, new)
            states[:, t] = current
        return states

    def onnx(
        self, f: FunctionBuilder, x: str, state: str, weight: str, recurrent: str, bias: str
    ) -> str:
        feed = _onnx_feed(f, x, weight, bias)
        back = f.Transpose(f.cast(recurrent, "int32"), perm=[1, 0])
        rows = _onnx_gates(f, state, 3)

        def step(hidden: str, fed: str) -> tuple[list[str], list[str]]:
            returned = _onnx_product(f, hidden, back)
            fed_r, fed_z, fed_n = (f.Gather(fed, row, axis=1) for row in rows)
            back_r, back_z, back_n = (f.Gather(returned, row, axis=1) for row in rows)
            reset = _onnx_step(f, f.Add(fed_r, back_r))
            new = _onnx_sign(f, f.Add(fed_n, f.Mul(reset, back_n)))
            kept = f.Greater(f.Add(fed_z, back_z), f.const(0))
            following = f.Where(kept, hidden, new)
            return [following], [f.Identity(following)]

        _, (states,) = f.scan(step, [(f.cast(state, "int64"), 2)], [(feed, 3)], axis=1)
        return f.carry(states)

    def cost(
        self, x: Value, state: Value, weight: Value, recurrent: Value, bias: Value
    ) -> Operations:
        steps, units = x.shape[0], state.shape[0]
        width = gate_interval(x.type, _BIPOLAR, weight, recurrent, bias).width
        return (
            _products(steps, x.type, _BIPOLAR, weight, recurrent)
            + ops("add", width, 3 * steps * units)
            + ops("compare", width, 3 * steps * units)
            + ops("logic", 1, 2 * steps * units)
        )
