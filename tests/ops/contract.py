"""What every operation must show; a test class adds its cases and its plain-Python definition.

For each case: at least 10,000 elements with the extremes among them; the plain definition, the
reference and every engine give equal integers; the proved interval holds, and is reached where the
rule is exact; the operation counts are those of the plain definition; wrong use is refused with a
pinned message. `test_table.py` demands a class for each operation of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from codesign.engine import ENGINES, create
from codesign.engine._numba.features import VARIABLE
from codesign.errors import CodesignError
from codesign.ir import KINDS, Graph, GraphBuilder, IntArray, IntType, Value, check, lookup
from tests.engine.levels import HERE, only

#: Elements of the map that a case draws, at least.
ELEMENTS = 10_000

#: Elements that the plain-Python definition is run on, at most.
PLAIN_ELEMENTS = 3_000


@dataclass(frozen=True)
class Map:
    """A drawn input: its shape without the batch, and its codes."""

    shape: tuple[int, ...]
    type: IntType


@dataclass(frozen=True)
class Const:
    """A constant input: drawn from its codes, extremes included, or given."""

    shape: tuple[int, ...]
    type: IntType
    codes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Case:
    """One node: its inputs in order and its attributes.

    `tight` says that the interval rule claims to be exact here.
    """

    inputs: tuple[Map | Const, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    tight: bool = True

    def __str__(self) -> str:
        parts = [f"{'x'.join(map(str, item.shape))}{item.type}" for item in self.inputs]
        parts += [f"{key}={value}" for key, value in self.attrs.items()]
        return " ".join(parts).replace(", ", ",")


@dataclass(frozen=True)
class Refusal:
    """A wrong use, and the whole message."""

    inputs: tuple[Map | Const, ...]
    attrs: Mapping[str, Any]
    message: str


def case(*inputs: Map | Const, tight: bool = True, **attrs: Any) -> Case:
    """A case, briefly."""
    return Case(inputs, attrs, tight)


def refuse(message: str, *inputs: Map | Const, **attrs: Any) -> Refusal:
    """A refusal, briefly."""
    return Refusal(inputs, attrs, message)


def draw(shape: Sequence[int], code_type: IntType, seed: int) -> IntArray:
    """Random codes; one in eight is an extreme."""
    random = np.random.default_rng(seed)
    codes = code_type.lo + code_type.step * random.integers(0, code_type.count, shape)
    extremes = np.where(random.random(shape) < 0.5, code_type.lo, code_type.hi)
    return np.where(random.random(shape) < 0.125, extremes, codes)


def build(inputs: Sequence[Map | Const], op: str, attrs: Mapping[str, Any]) -> Graph:
    """A graph of one node, `y`, on inputs `x0`, `x1`, ...

    Generated weights are the node `w`, read by the convolution `y` of `x0`, a map of their window.
    """
    builder = GraphBuilder(op)
    if not inputs:
        weight = builder.value(builder.node("w", op, [], **attrs))
        x = builder.input("x0", weight.shape[1:], IntType(0, 1))
        if len(weight.shape) == 2:
            builder.output(builder.node("y", "linear", [x, "w"]))
        else:
            zeros = (0,) * (len(weight.shape) - 2)
            y = builder.node("y", "conv", [x, "w"], stride=(1,) * len(zeros), padding=zeros)
            builder.output(y)
        return builder.build()
    names = []
    for index, item in enumerate(inputs):
        name = f"x{index}"
        if isinstance(item, Map):
            builder.input(name, item.shape, item.type)
        elif item.codes is not None:
            given = np.array(item.codes, dtype=np.int64).reshape(item.shape)
            builder.constant(name, given, item.type)
        else:
            codes = draw(item.shape, item.type, index)
            codes.flat[0], codes.flat[-1] = item.type.lo, item.type.hi
            builder.constant(name, codes, item.type)
        names.append(name)
    builder.output(builder.node("y", op, names, **attrs))
    return builder.build()


class Tally:
    """Counts operations while a plain definition computes.

    Attributes:
        inputs: the node's arguments, for definitions whose unit depends on the code set.
    """

    def __init__(self, inputs: tuple[Value, ...]) -> None:
        self.inputs = inputs
        self.counts: Counter[str] = Counter()

    def __call__(self, kind: str, count: int = 1) -> None:
        self.counts[kind] += count


class OpContract:
    """The tests of one operation; a subclass gives `op`, `cases`, `refusals`, `plain`, `costs`."""

    op: ClassVar[str]
    cases: ClassVar[Sequence[Case]]
    refusals: ClassVar[Sequence[Refusal]]
    #: One case, and every line of its cost, by hand: kind, widths and count.
    cost: ClassVar[tuple[Case, dict[str, int]]]

    #: `plain(tally, *arguments, **attributes)`: the result of one image (no batch axis) by loops
    #: over Python integers.
    plain: Callable[..., IntArray]

    def worst(self, graph: Graph) -> Iterator[Mapping[str, IntArray]]:
        """Images (no batch axis) that reach the bounds where all-lo and all-hi do not."""
        yield from ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, items in (("case", self.cases), ("refusal", self.refusals)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, items, ids=str if name == "case" else None)

    def images(self, graph: Graph) -> dict[str, IntArray]:
        """A batch with at least ELEMENTS elements: extremes, worst cases, random codes."""
        special = list(self.worst(graph))
        size = min(graph.values[name].size for name in graph.inputs)
        count = max(8 + len(special), -(-ELEMENTS // size))
        batch = {}
        for index, name in enumerate(graph.inputs):
            value = graph.values[name]
            codes = draw((count, *value.shape), value.type, 100 + index)
            parity = np.arange(value.size).reshape(value.shape) % 2 == 0
            codes[0], codes[1] = value.type.lo, value.type.hi
            codes[2] = np.where(parity, value.type.lo, value.type.hi)
            codes[3] = np.where(parity, value.type.hi, value.type.lo)
            for position, image in enumerate(special):
                codes[4 + position] = image[name]
            batch[name] = codes.astype(value.type.dtype)
        return batch

    def arguments(self, graph: Graph, batch: Mapping[str, IntArray], image: int) -> list[IntArray]:
        """The node's arguments for one image."""
        return [
            batch[name][image] if value.data is None else value.data
            for name, value in zip(
                graph.nodes[0].inputs, graph.arguments(graph.nodes[0]), strict=True
            )
        ]

    def test_engines_are_equal(self, case: Case) -> None:
        graph = build(case.inputs, self.op, case.attrs)
        check(graph)
        batch = self.images(graph)
        result = graph.values["y"]
        reference = create("reference", graph, threads=1).run(batch)["y"]
        assert reference.shape[1:] == result.shape
        assert result.type.contains(reference)
        if case.tight:
            assert (reference.min(), reference.max()) == (result.type.lo, result.type.hi)
        for engine in ENGINES:
            found = create(engine, graph, threads=1).run(batch)["y"]
            assert found.dtype == result.type.dtype, engine
            assert np.array_equal(found, reference), engine
        if lookup(self.op).unit == "mac_array":  # a product has a kernel for each level
            for level in HERE[1:]:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv(VARIABLE, only(level.name))
                    found = create("numba", graph, threads=1).run(batch)["y"]
                assert np.array_equal(found, reference), level.name

    def test_plain_definition_agrees(self, case: Case) -> None:
        graph = build(case.inputs, self.op, case.attrs)
        batch = self.images(graph)
        reference = create("reference", graph, threads=1).run(batch)["y"]
        size = max(graph.values[name].size for name in ("y", *graph.inputs))
        spec, node = lookup(self.op), graph.nodes[0]
        for image in range(max(1, min(6, PLAIN_ELEMENTS // size))):
            tally = Tally(graph.arguments(node))
            arguments = [
                np.asarray(array).astype(object) for array in self.arguments(graph, batch, image)
            ]
            found = self.plain(tally, *arguments, **node.attrs)
            assert found.tolist() == reference[image].tolist()
            cost = spec.cost(*graph.arguments(node), **node.attrs)
            assert {kind: cost.total(kind) for kind in KINDS if cost.total(kind)} == {
                kind: count for kind, count in tally.counts.items() if count
            }

    def test_cost_is_as_counted_by_hand(self) -> None:
        example, expected = self.cost
        graph = build(example.inputs, self.op, example.attrs)
        node = graph.nodes[0]
        cost = lookup(self.op).cost(*graph.arguments(node), **node.attrs)
        assert {str(operation): count for operation, count in cost} == expected

    def test_wrong_use_is_refused(self, refusal: Refusal) -> None:
        with pytest.raises(CodesignError) as caught:
            build(refusal.inputs, self.op, refusal.attrs)
        assert str(caught.value) == refusal.message
        assert caught.value.exit_code == 2


def elements(array: IntArray) -> Iterator[tuple[int, ...]]:
    """The indices of an array, one after the other."""
    yield from np.ndindex(array.shape)


def types(*intervals: tuple[int, ...]) -> list[IntType]:
    """Code sets from (lo, hi) or (lo, hi, step)."""
    return [IntType(*interval) for interval in intervals]


#: Every carrier and every shape of code set that the papers use.
CODES = types((0, 1), (0, 3), (0, 255), (-1, 1, 2), (-1, 1), (-2, 2), (-3, 3, 2), (-128, 127))
#: Registers: narrow, at a carrier's edge, 16-bit edges, the widest.
REGISTERS = types(
    (-9, 6), (3, 12), (-20, -5), (-128, 128), (-32768, 32767), (-40000, 32768),
    (-(1 << 31), (1 << 31) - 1), (0, (1 << 31) - 1),
)  # fmt: skip
