"""Decisions: from scores to a class."""

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
    unsigned,
)
from codesign.ops._rules import need_rank
from codesign.ops.automaton import (
    RULE,
    advance,
    need_ring,
    onnx_neighbours,
    onnx_step,
    onnx_table,
)


@register
class ArgMax(OpSpec):
    """`y = min {c : x[c] = max x}`: index of the greatest score, the first where several tie."""

    name = "argmax"
    family = "decision"
    inputs = ("x",)
    unit = "argmax"

    def infer(self, x: Value) -> Value:
        need_rank("x", x, 1, "scores")
        return x.like(shape=(), type=IntType(0, x.shape[0] - 1))

    def reference(self, x: IntArray) -> IntArray:
        return np.asarray(np.argmax(x, axis=1), dtype=np.int64)

    def onnx(self, f: FunctionBuilder, x: str) -> str:
        return f.carry(f.ArgMax(f.cast(x, "int32"), axis=1, keepdims=0))

    def cost(self, x: Value) -> Operations:
        return ops("compare", x.type.width, x.size - 1)


@register
class BmmScore(OpSpec):
    """`y[c] = max_k (prior[c,k] + sum_i logs[x[i], means[c,k,i]])`: Bernoulli mixtures in integers.

    The log-likelihood of the bits x under the best component of each class (6-gbm.md 4.5, design
    choice): `means` are codes m of the probabilities `m / 2^b`, `logs` two tables of 2^b rounded
    logarithms, row 0 of `1 - m/2^b` and row 1 of `m/2^b`, `prior` those of the components. A class
    with fewer components repeats one.
    """

    name = "bmm_score"
    family = "decision"
    inputs = ("x", "means", "prior", "logs")
    constant_inputs = ("means", "prior", "logs")
    unit = "host"

    def infer(self, x: Value, means: Value, prior: Value, logs: Value) -> Value:
        need_rank("x", x, 1, "bits")
        if not unsigned(1).holds(x.type):
            raise CodesignError(f"bmm_score: x has codes {x.type}; give bits [0..1]")
        need_rank("means", means, 3, "classes x components x bits")
        if means.shape[2] != x.shape[0] or prior.shape != means.shape[:2]:
            raise CodesignError(
                f"bmm_score: means are {means}, prior is {prior}, x is {x}; give classes x "
                "components x bits of x, and one prior a component"
            )
        if logs.shape[:1] != (2,) or len(logs.shape) != 2:
            raise CodesignError(f"logs are {logs}; give two tables, of 1 - m and of m")
        if means.type.lo < 0 or means.type.hi >= logs.shape[1]:
            raise CodesignError(
                f"means have codes {means.type}, the tables of logs have {logs.shape[1]} entries; "
                f"give codes [0..{logs.shape[1] - 1}]"
            )
        low, high = self._components(x, means, prior, logs)
        total = IntType(int(low.min()), int(high.max()))
        if not total.fits_register:
            raise CodesignError(
                f"bmm_score: the sums have the interval {total}, {total.width} b; at most 32 "
                "signed bits are allowed; use smaller logarithms"
            )
        best = IntType(int(low.max(axis=1).min()), int(high.max()))
        return x.like(shape=means.shape[:1], type=best)

    @staticmethod
    def _components(x: Value, means: Value, prior: Value, logs: Value) -> tuple[IntArray, IntArray]:
        """Least and greatest sum of each component."""
        assert means.data is not None and prior.data is not None and logs.data is not None
        taken = logs.data.astype(np.int64)[x.type.lo : x.type.hi + 1][:, means.data]
        start = prior.data.astype(np.int64)
        return start + taken.min(axis=0).sum(axis=2), start + taken.max(axis=0).sum(axis=2)

    def reference(self, x: IntArray, means: IntArray, prior: IntArray, logs: IntArray) -> IntArray:
        clear, plus = logs[0][means], (logs[1].astype(np.int64) - logs[0])[means]
        sums = np.einsum("ni,cki->nck", x.astype(np.int64), plus) + clear.sum(axis=2) + prior
        return np.asarray(sums.max(axis=2))

    def onnx(self, f: FunctionBuilder, x: str, means: str, prior: str, logs: str) -> str:
        wide, last = f.cast(logs, "int64"), f.const([-1])
        places = f.cast(means, "int64")
        clear, full = (
            f.Gather(f.Gather(wide, f.const(row), axis=0), places, axis=0) for row in (0, 1)
        )
        start = f.Add(f.ReduceSum(clear, last, keepdims=0), f.cast(prior, "int64"))
        # x (N, D) against (C, K, D): one product of matrices, (N, C*K)
        bits = f.Shape(x, start=1, end=2)
        plus = f.Reshape(f.cast(f.Sub(full, clear), "int32"), f.Concat(last, bits, axis=0))
        sums = f.MatMul(f.cast(x, "int32"), f.Transpose(plus, perm=[1, 0]))
        apart = f.Reshape(sums, f.Concat(f.const([0]), f.Shape(prior), axis=0))
        return f.carry(f.ReduceMax(f.Add(f.cast(apart, "int64"), start), last, keepdims=0))

    def cost(self, x: Value, means: Value, prior: Value, logs: Value) -> Operations:
        low, high = self._components(x, means, prior, logs)
        width = IntType(int(low.min()), int(high.max())).width
        classes, components = prior.shape
        return ops("add", width, means.size) + ops("compare", width, classes * (components - 1))


@register
class BernoulliSample(OpSpec):
    """`y[i] = 1 if r_i < means[i] else 0`: a draw of bits from probabilities `means[i] / 2^bits`.

    `r_i` is the number in the first `bits` cells of a ring (cell j has weight 2^j) that advances
    `steps` steps of `rule` before each draw, from `state`. One step leaves the draws of a bit
    correlated, four do not (6-gbm.md 4.4, 4.5, design choice). `ca_step` of `state` by `steps`
    times the number of bits is the state after all draws.
    """

    name = "bernoulli_sample"
    family = "decision"
    inputs = ("means", "state")
    attributes = (
        RULE,
        Attribute("steps", "steps of the ring before each draw", default=4, lo=1, hi=1 << 10),
        Attribute("bits", "bits of a random number", default=8, lo=1, hi=16),
    )
    unit = "bernoulli_generator"

    def infer(self, means: Value, state: Value, *, rule: int, steps: int, bits: int) -> Value:
        need_rank("means", means, 1, "bits")
        need_ring("state", state, max(bits, 3))
        if means.type.lo < 0 or means.type.hi > 1 << bits:
            raise CodesignError(
                f"bernoulli_sample: means have codes {means.type}; give [0..{1 << bits}], "
                f"probabilities times 2^{bits}"
            )
        return means.like(type=IntType(int(means.type.lo == 1 << bits), int(means.type.hi > 0)))

    def reference(
        self, means: IntArray, state: IntArray, *, rule: int, steps: int, bits: int
    ) -> IntArray:
        ring: IntArray = state.astype(np.int64)
        weights = 1 << np.arange(bits)
        drawn = np.empty(means.shape, np.int64)
        for i in range(means.shape[1]):
            ring = advance(ring, rule, steps)
            drawn[:, i] = ring[:, :bits] @ weights
        return (drawn < means).astype(np.int64)

    def onnx(self, f: FunctionBuilder, means: str, state: str) -> str:
        zero, one, steps = f.const(0), f.const(1), f.attr("steps")
        cells = f.Squeeze(f.Shape(state, start=1, end=2))
        table, neighbours = onnx_table(f), onnx_neighbours(f, cells)
        places = f.Range(zero, f.attr("bits"), one)
        powers = f.BitShift(f.const(1, "uint64"), f.cast(places, "uint64"), direction="LEFT")
        weights, last = f.cast(powers, "int64"), f.const([1])

        def step(ring: str, number: str) -> tuple[list[str], list[str]]:
            following = onnx_step(f, ring, table, neighbours, 1)
            read = f.Mul(f.Gather(following, places, axis=1), weights)
            return [following], [f.ReduceSum(read, last, keepdims=0)]

        count = f.Mul(f.Squeeze(f.Shape(means, start=1, end=2)), steps)
        turns = f.Range(zero, count, one)
        _, (drawn,) = f.scan(step, [(f.cast(state, "int64"), 2)], [(turns, 1)])
        picked = f.Gather(drawn, f.Range(f.Sub(steps, one), count, steps), axis=0)
        less = f.Less(f.Transpose(picked, perm=[1, 0]), f.cast(means, "int64"))
        return f.carry(less)

    def cost(self, means: Value, state: Value, *, rule: int, steps: int, bits: int) -> Operations:
        return ops("compare", bits, means.size) + ops("logic", 1, means.size * steps * state.size)
