"""Proof and execution agree on random programs, on every engine and every value."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesign.engine import ENGINES, create
from codesign.ir import Graph, GraphBuilder, check, table
from tests.strategies import OPERATIONS, batches, graphs

_SETTINGS = settings(
    max_examples=250,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_every_operation_is_drawn() -> None:
    assert set(table()) == OPERATIONS


@_SETTINGS
@given(st.data())
def test_every_value_is_in_its_type_and_equal_on_every_engine(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    check(graph)
    batch = data.draw(batches(graph))
    keep = (*graph.results, *graph.inputs)
    expected = create("reference", graph, threads=1).run(batch, keep)
    for name, codes in expected.items():
        value = graph.values[name]
        assert codes.shape[1:] == value.shape, name
        assert value.type.contains(codes), name
    for engine in ENGINES[1:]:
        found = create(engine, graph, threads=1).run(batch, keep)
        assert list(found) == list(expected)
        for name, codes in expected.items():
            assert found[name].dtype == codes.dtype == graph.values[name].type.dtype
            assert np.array_equal(found[name], codes), (engine, name)


@_SETTINGS
@given(graphs())
def test_a_graph_built_again_is_equal_in_text_and_hash(graph: Graph) -> None:
    builder = GraphBuilder(graph.name, graph.metadata)
    for name, value in graph.values.items():
        if name in graph.constants:
            assert value.data is not None
            builder.constant(name, value.data, value.type)
        elif name in graph.inputs:
            builder.input(name, value.shape, value.type)
        else:
            node = graph.node(name)
            builder.node(name, node.op, list(node.inputs), **node.attrs)
    for name in graph.outputs:
        builder.output(name)
    again = builder.build()
    assert again == graph
    assert str(again) == str(graph)
    assert again.hash == graph.hash


def test_random_programs_reach_every_operation() -> None:
    seen: Counter[str] = Counter()
    lengths: Counter[int] = Counter()

    @settings(_SETTINGS, database=None)
    @given(graphs())
    def collect(graph: Graph) -> None:
        seen.update(node.op for node in graph.nodes)
        lengths[len(graph.nodes)] += 1

    collect()
    assert set(seen) == OPERATIONS
    assert max(lengths) >= 6
