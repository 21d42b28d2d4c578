"""The first divergence is found, counted and replayed, whichever side is at fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pytest

from codesign.engine import Engine, create
from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray
from codesign.sim.inputs import from_random
from codesign.verify import compare as module
from codesign.verify import compare_engines, compare_models, layer_graph
from codesign.verify.compare import Batch
from tests.small import small

GRAPH = small()


def batches(graph: Graph = GRAPH, count: int = 6, size: int = 4) -> Iterator[Batch]:
    for batch in from_random(graph, 0, count).batches(size):
        yield batch.names, batch.arrays


class Faulty:
    """An engine that adds 1 to one code of one layer, in inputs of one batch size."""

    name = "faulty"

    def __init__(self, graph: Graph, layer: str, index: tuple[int, ...], images: int) -> None:
        self._true = create("reference", graph, threads=1)
        self._layer, self._index, self._images = layer, index, images

    def run(
        self, inputs: Mapping[str, IntArray], keep: Collection[str] = ()
    ) -> dict[str, IntArray]:
        values = self._true.run(inputs, keep)
        if self._layer in values and len(values[self._layer]) == self._images:
            values[self._layer][self._index] += 1
        return values


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """`numba` miscounts conv2 in the second batch, which has two inputs."""

    def make(name: str, graph: Graph, *, threads: int | None = None) -> Engine:
        if name == "numba":
            return Faulty(graph, "conv2", (1, 3, 0, 2), 2)
        return create(name, graph, threads=threads)

    monkeypatch.setattr(module, "create", make)


def test_engines_agree() -> None:
    for pair in (("reference", "numba"), ("numba", "onnxruntime")):
        result = compare_engines(GRAPH, pair, batches())
        assert result.divergence is None
        assert (result.inputs, result.layers) == (6, GRAPH.results)
        assert compare_engines(GRAPH, pair, batches(), layer="fc").divergence is None


@pytest.mark.usefixtures("faulty")
def test_a_faulty_engine() -> None:
    result = compare_engines(GRAPH, ("reference", "numba"), batches())
    found = result.divergence
    assert found is not None
    assert found.actual is not None
    assert found.expected is not None
    assert (found.layer, found.op, found.input) == ("conv2", "conv", "random seed 0[5]")
    assert found.index == (3, 0, 2)
    assert found.actual == found.expected + 1
    assert (found.wrong, found.size) == (1, 2 * 8 * 4 * 4)
    assert str(found) == (
        f"layer conv2 (conv) of random seed 0[5]: element [3, 0, 2] is {found.actual}, "
        f"expected {found.expected}; 1 of 256 codes differ"
    )
    alone = compare_engines(GRAPH, ("reference", "numba"), batches(), layer="conv2")
    assert alone.divergence == found
    assert compare_engines(GRAPH, ("reference", "numba"), batches(), layer="fc").divergence is None


def test_models_with_another_bias() -> None:
    other = small(bias=5)
    found = compare_models(GRAPH, other, batches()).divergence
    assert found is not None
    assert (found.layer, found.op) == ("norm2", "bit_shift_norm")
    (names, arrays), *_ = batches()
    before = create("reference", GRAPH).run(arrays, ["norm2"])["norm2"]
    after = create("reference", other).run(arrays, ["norm2"])["norm2"]
    assert found.wrong == int((before != after).sum())
    place = tuple(int(axis[0]) for axis in np.nonzero(before != after))
    assert (names[place[0]], place[1:]) == (found.input, found.index)
    assert (found.expected, found.actual) == (before[place], after[place])
    alone = compare_models(GRAPH, other, batches(), layer="norm2").divergence
    assert alone == found
    assert compare_models(GRAPH, other, batches(), layer="conv2").divergence is None


def test_equal_models() -> None:
    result = compare_models(GRAPH, small(name="again"), batches())
    assert (result.divergence, result.unmatched) == (None, ())


def decided(name: str) -> Graph:
    builder = GraphBuilder("other")
    x = builder.input("image", (3, 8, 8), GRAPH.values["image"].type)
    total = builder.node("total", "sum_pool", [x])
    builder.output(builder.node(name, "argmax", [total]))
    return builder.build()


def test_outputs_are_paired_by_position_where_names_differ() -> None:
    result = compare_models(decided("a"), decided("b"), batches())
    assert result.divergence is None
    assert result.layers == ("total", "a")
    shorter = compare_models(GRAPH, decided("class"), batches())
    assert shorter.layers == ("class",)
    assert "other: total" in shorter.unmatched
    assert "small: conv1" in shorter.unmatched


def message(*arguments: object, **options: object) -> str:
    compare = compare_models if isinstance(arguments[1], Graph) else compare_engines
    with pytest.raises(CodesignError) as error:
        compare(*arguments, **options)  # type: ignore[arg-type]
    return str(error.value)


def test_refused() -> None:
    assert message(GRAPH, ("numba", "numba"), batches()) == (
        "engine numba is compared with itself; name two engines"
    )
    assert message(GRAPH, small(1), batches()) == (
        "small takes image 1x8x8 [0..255], small takes image 3x8x8 [0..255]; "
        "compare networks with the same inputs"
    )
    assert message(GRAPH, ("reference", "numba"), batches(), layer="conv9") == (
        "small: no node is called 'conv9'; 'codesign inspect' lists the nodes"
    )
    assert message(GRAPH, decided("class"), batches(), layer="class") == (
        "layer class: other computes scalar [0..2] from 3 [0..16320], small scalar [0..3] from "
        "4 [-346..336]; replay a layer that both have alike"
    )
    assert message(small(decide=False), decided("x"), batches()) == (
        "small and other have no value of the same name and shape, nor outputs of the same shape; "
        "compare networks of the same kind"
    )


def test_a_layer_alone_is_a_graph() -> None:
    part = layer_graph(GRAPH, "conv2")
    assert (part.inputs, part.results, part.outputs) == (("pool1",), ("conv2",), ("conv2",))
    assert part.values["conv2"] == GRAPH.values["conv2"]
    assert part.node("conv2") == GRAPH.node("conv2")
