"""Generated constants: weights that no memory holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import (
    Attribute,
    AttrValue,
    FunctionBuilder,
    IntArray,
    Operations,
    OpSpec,
    Value,
    code_set,
    constant,
    ops,
    register,
    unsigned,
)
from codesign.ops.automaton import (
    RULE,
    advance,
    need_ring,
    onnx_neighbours,
    onnx_step,
    onnx_table,
)

#: The mappings, and how many cells of the ring one weight of a row takes in each.
TERNARY, BALANCED, BINARY = 0, 1, 2
CELLS = {TERNARY: 2, BALANCED: 3, BINARY: 1}
#: Code of the three bits of a balanced weight, the first is the greatest.
_BALANCED = (-1, -1, -1, 0, 0, 1, 1, 1)


@register
class CaWeights(OpSpec):
    """`y[o,i] = f(row o of the automaton)`: weights from a cellular automaton (3-mognet.md 4.3).

    A ring of `cells` bits starts from `seed`, bit i in cell i and 0 beyond; a cell becomes bit
    `4*x[i-1] + 2*x[i] + x[i+1]` of `rule`. After `warm_up` steps each row of weights (an output
    channel, m weights in row-major order) takes `steps` more steps and reads the ring s:

    - mapping 0, ternary difference: `s[i] - s[i+m]`, 2m cells (1/4, 1/2, 1/4);
    - mapping 1, balanced: the bits `s[3i] s[3i+1] s[3i+2]`, 0 to 2 give -1, 3 and 4 give 0, 5 to 7
      give +1; 3m cells (3/8, 1/4, 3/8);
    - mapping 2, binary: `2*s[i] - 1`, m cells.

    The result is a weight, the same for every image; only the seed is stored. All of this is
    the specification (design choice); a warm-up of `cells` steps lets the seed reach every cell.
    """

    name = "ca_weights"
    family = "generated"
    inputs = ()
    attributes = (
        Attribute("shape", "sizes of the weight: outputs, then one row's", "ints", lo=1),
        RULE,
        Attribute("cells", "cells of the ring", lo=3, hi=1 << 20),
        Attribute("seed", "the first 32 cells at the start, not all zero", lo=1, hi=(1 << 32) - 1),
        Attribute("warm_up", "steps before the first row's", default=64, lo=0, hi=1 << 20),
        Attribute("steps", "steps for each row", default=1, lo=1, hi=1 << 10),
        Attribute("mapping", "0 ternary difference, 1 balanced, 2 binary", default=0, lo=0, hi=2),
    )
    unit = "ca_generator"

    def infer(self, **attrs: Any) -> Value:
        shape, cells, seed = attrs["shape"], attrs["cells"], attrs["seed"]
        if len(shape) < 2:
            raise CodesignError(
                f"ca_weights: attribute shape is {shape}; give outputs, then the sizes of a row"
            )
        row = int(np.prod(shape[1:], dtype=np.int64))
        need = row * CELLS[attrs["mapping"]]
        if cells < need:
            raise CodesignError(
                f"ca_weights: a row of {row} weights takes {need} cells, the ring has {cells}; "
                f"use {need} cells or more"
            )
        if seed >> cells:
            raise CodesignError(
                f"ca_weights: seed {seed} has {seed.bit_length()} bits, the ring has {cells} "
                f"cells; use a seed below {1 << cells}"
            )
        return constant(_weights(**attrs), code_set(2 if attrs["mapping"] == BINARY else 3))

    def reference(self, **attrs: Any) -> IntArray:
        return _weights(**attrs).astype(np.int64)

    def onnx_attributes(
        self, arguments: tuple[Value, ...], attrs: Mapping[str, Any]
    ) -> dict[str, AttrValue]:
        return {"row": int(np.prod(attrs["shape"][1:], dtype=np.int64))}

    def onnx(self, f: FunctionBuilder) -> str:
        one, zero, two = f.const(1), f.const(0), f.const(2)
        cells, steps, warm_up = f.attr("cells"), f.attr("steps"), f.attr("warm_up")
        table, neighbours = onnx_table(f), onnx_neighbours(f, cells)
        places = f.cast(f.Range(zero, f.Min(cells, f.const(32)), one), "uint64")
        bits = f.BitShift(f.attr("seed", "uint64"), places, direction="RIGHT")
        seed = f.cast(f.BitwiseAnd(bits, f.const(1, "uint64")), "int64")
        beyond = f.Reshape(f.Max(f.Sub(cells, f.const(32)), zero), f.const([1]))
        state = f.Concat(seed, f.Expand(zero, beyond), axis=0)
        outputs = f.Gather(f.attr("shape"), zero, axis=0)
        count = f.Add(warm_up, f.Mul(outputs, steps))

        def step(ring: str, number: str) -> tuple[list[str], list[str]]:
            following = onnx_step(f, ring, table, neighbours, 0)
            return [following], [f.Identity(following)]

        turns = f.Range(zero, count, one)
        _, (rings,) = f.scan(step, [(state, 1)], [(turns, 1)])
        first = f.Sub(f.Add(warm_up, steps), one)
        rows = f.Gather(rings, f.Range(first, count, steps), axis=0)
        row, mapping = f.attr("row"), f.attr("mapping")
        # three bits of every weight: which cells they are depends on the mapping
        index = f.Range(zero, row, one)
        balanced, binary = f.Equal(mapping, one), f.Equal(mapping, two)
        start = f.Where(balanced, f.Mul(index, f.const(3)), index)
        apart = f.Where(balanced, one, f.Where(binary, zero, row))
        a = f.Gather(rows, start, axis=1)
        b = f.Gather(rows, f.Add(start, apart), axis=1)
        c = f.Gather(rows, f.Where(balanced, f.Add(start, two), start), axis=1)
        pattern = f.Add(f.Mul(a, f.const(4)), f.Add(f.Mul(b, two), c))
        looked = f.Gather(f.const(list(_BALANCED)), pattern, axis=0)
        plain = f.Where(binary, f.Sub(f.Mul(a, two), one), f.Sub(a, b))
        weights = f.Where(balanced, looked, plain)
        return f.carry(f.Reshape(weights, f.attr("shape")))

    def cost(self, **attrs: Any) -> Operations:
        turns = attrs["warm_up"] + attrs["shape"][0] * attrs["steps"]
        size = int(np.prod(attrs["shape"], dtype=np.int64))
        mapped = Operations() if attrs["mapping"] == BINARY else ops("logic", 2, size)
        return ops("logic", 1, attrs["cells"] * turns) + mapped


@register
class CaStep(OpSpec):
    """`y = x` after `steps` steps of the automaton: the state that a generator carries on.

    A ring of bits, any number of cells; a cell becomes bit `4*x[i-1] + 2*x[i] + x[i+1]` of `rule`.
    """

    name = "ca_step"
    family = "generated"
    inputs = ("x",)
    attributes = (RULE, Attribute("steps", "steps to advance", default=1, lo=1, hi=1 << 20))
    unit = "ca_generator"

    def infer(self, x: Value, *, rule: int, steps: int) -> Value:
        need_ring("x", x, 3)
        return x.like(type=unsigned(1))

    def reference(self, x: IntArray, *, rule: int, steps: int) -> IntArray:
        return advance(x.astype(np.int64), rule, steps)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        cells = f.Squeeze(f.Shape(x, start=1, end=2))
        table, neighbours = onnx_table(f), onnx_neighbours(f, cells)

        def step(ring: str, number: str) -> tuple[list[str], list[str]]:
            return [onnx_step(f, ring, table, neighbours, 1)], []

        turns = f.Range(f.const(0), f.attr("steps"), f.const(1))
        (last,), _ = f.scan(step, [(f.cast(x, "int64"), 2)], [(turns, 1)])
        return f.carry(last)

    def cost(self, x: Value, *, rule: int, steps: int) -> Operations:
        return ops("logic", 1, x.size * steps)


def row_of(ring: IntArray, m: int, mapping: int) -> IntArray:
    """The row of m weights that `mapping` reads from a ring (last axis, bits)."""
    if mapping == TERNARY:
        return ring[..., :m] - ring[..., m : 2 * m]
    if mapping == BALANCED:
        bits = ring[..., : 3 * m].reshape(*ring.shape[:-1], m, 3)
        codes: IntArray = np.array(_BALANCED)[bits @ [4, 2, 1]]
        return codes
    return 2 * ring[..., :m] - 1


@lru_cache(maxsize=64)
def _weights(
    *,
    shape: tuple[int, ...],
    rule: int,
    cells: int,
    seed: int,
    warm_up: int,
    steps: int,
    mapping: int,
) -> IntArray:
    """The weights, int8, read-only; remembered, for every reader of a graph asks for them."""
    state = np.array([seed >> i & 1 for i in range(cells)])
    state = advance(state, rule, warm_up)
    m = int(np.prod(shape[1:], dtype=np.int64))
    weights = np.empty((shape[0], m), np.int8)
    for row in weights:
        state = advance(state, rule, steps)
        row[:] = row_of(state, m, mapping)
    weights.setflags(write=False)
    return weights.reshape(shape)
