"""ONNX Runtime computes every operation's bits from the file alone."""

from __future__ import annotations

import onnx
import pytest
from hypothesis import HealthCheck, given, settings

from codesign.convert import from_onnx, to_onnx
from codesign.ir import Graph, table
from tests.convert.onnx_graphs import CASES, need_equal, nqe_sized, sample
from tests.strategies import graphs


def test_every_operation_of_the_table_has_cases() -> None:
    assert sorted(CASES) == sorted(table())


@pytest.mark.parametrize("op", sorted(CASES))
def test_operation_equals_its_definition(op: str) -> None:
    need_equal(CASES[op](), 4, 1)


@pytest.mark.parametrize("op", sorted(CASES))
def test_operation_passes_the_checker_and_comes_back(op: str) -> None:
    graph = CASES[op]()
    data = to_onnx(graph)
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    assert from_onnx(data, op) == graph


def test_network_equals_at_any_batch() -> None:
    need_equal(sample(), 5, 1, 0)


def test_large_network_equals() -> None:
    need_equal(nqe_sized(), 2)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(graph=graphs())
def test_random_graphs_equal_and_come_back(graph: Graph) -> None:
    data = to_onnx(graph)
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    back = from_onnx(data, "random")
    assert back == graph
    assert back.hash == graph.hash
    assert to_onnx(back) == data
    need_equal(graph, 3)
