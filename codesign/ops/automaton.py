"""The elementary cellular automaton on a ring, in NumPy and in ONNX."""

from __future__ import annotations

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Attribute, FunctionBuilder, IntArray, Value, unsigned

RULE = Attribute("rule", "Wolfram's number of the elementary rule", default=30, lo=0, hi=255)


def advance(state: IntArray, rule: int, steps: int = 1) -> IntArray:
    """The ring (last axis, bits) after `steps` steps.

    A cell becomes bit `4*x[i-1] + 2*x[i] + x[i+1]` of the rule: rule 30 is
    `x[i-1] ^ (x[i] | x[i+1])`.
    """
    table = rule >> np.arange(8) & 1
    for _ in range(steps):
        left, right = np.roll(state, 1, axis=-1), np.roll(state, -1, axis=-1)
        state = table[4 * left + 2 * state + right]
    return state


def normal_form(rule: int) -> tuple[int, ...]:
    """Coefficients (8) of the rule as a sum modulo 2 of products of left, own and right cell.

    Coefficient `4*l + 2*c + r` belongs to the product of the cells whose bits are set: the sum
    modulo 2 of the rule's table over all subsets of them. Rule 30 is `l + c + r + c*r`.
    """
    table = [rule >> pattern & 1 for pattern in range(8)]
    return tuple(
        sum(table[subset] for subset in range(8) if subset & pattern == subset) % 2
        for pattern in range(8)
    )


def need_ring(label: str, value: Value, cells: int) -> None:
    """Refuse a state that is not a ring of at least `cells` bits."""
    if len(value.shape) != 1 or value.shape[0] < cells or not unsigned(1).holds(value.type):
        raise CodesignError(f"{label} is {value}; give a ring of {cells} or more bits [0..1]")


def onnx_table(f: FunctionBuilder) -> str:
    """The eight bits of the attribute `rule`, int64."""
    places = f.const(list(range(8)), "uint64")
    shifted = f.BitShift(f.attr("rule", "uint64"), places, direction="RIGHT")
    return f.cast(f.BitwiseAnd(shifted, f.const(1, "uint64")), "int64")


def onnx_neighbours(f: FunctionBuilder, cells: str) -> tuple[str, str]:
    """Indices of each cell's left and right neighbour on a ring of `cells` (a scalar)."""
    places = f.Range(f.const(0), cells, f.const(1))
    left = f.Mod(f.Add(places, f.Sub(cells, f.const(1))), cells)
    return left, f.Mod(f.Add(places, f.const(1)), cells)


def onnx_step(
    f: FunctionBuilder, state: str, table: str, neighbours: tuple[str, str], axis: int
) -> str:
    """One step of the ring along `axis`."""
    left, right = (f.Gather(state, place, axis=axis) for place in neighbours)
    double = f.Add(f.Add(left, left), state)
    return f.Gather(table, f.Add(f.Add(double, double), right), axis=0)
