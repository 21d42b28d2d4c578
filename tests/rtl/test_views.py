"""A reshape that moves no word: what reads it sees the new rows and columns."""

from __future__ import annotations

import numpy as np
import pytest

import codesign
from codesign.hw import Hardware
from codesign.ir import GraphBuilder, IntType, code_set, unsigned
from codesign.rtl import image
from codesign.rtl.codes import Operation
from codesign.rtl.interpret import maps
from tests.strategies import random_codes

TINY = Hardware.load("tiny")


@pytest.mark.parametrize("behind", ["input", "layer", "two views"])
@pytest.mark.parametrize("reader", ["conv", "max_pool", "linear"])
def test_rows_and_columns_of_a_view(behind: str, reader: str) -> None:
    b = GraphBuilder("g")
    x = b.input("x", (3, 2, 6), unsigned(2))
    if behind == "layer":
        x = b.node("hwmsb", "hwmsb", [x], bits=1, shift=1)
    if behind == "two views":
        x = b.node("flat", "reshape", [x], shape=(3, 12))
    x = b.node("view", "reshape", [x], shape=(3, 4, 3))
    ternary = code_set(3)
    if reader == "max_pool":
        x = b.node("pool", "max_pool", [x], kernel=(2, 3), stride=(1, 1))
    elif reader == "conv":
        weight = b.constant("w", random_codes((5, 3, 2, 2), ternary, 1), ternary)
        x = b.node("conv", "conv", [x, weight], padding=(1, 0))
    else:
        x = b.node("vector", "reshape", [x], shape=(36,))
        weight = b.constant("w", random_codes((5, 36), ternary, 1), ternary)
        x = b.node("linear", "linear", [x, weight])
    b.output(x)
    graph = b.build()
    made = image(graph, TINY)
    assert [entry.operation for entry in made.entries if entry.operation is Operation.REORDER] == []
    frame = random_codes((1, 3, 2, 6), IntType(0, 3), 2)
    expected = codesign.run(graph, {"x": frame}, engine="reference", keep=set(graph.outputs))
    *_, (entry, values) = maps(made, {"x": frame[0]})
    assert entry.operation is Operation.STORE
    assert np.array_equal(values, expected[graph.outputs[0]][0])
