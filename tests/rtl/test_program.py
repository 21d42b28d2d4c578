"""The program, executed on memory words alone, against the engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import codesign
from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.ir import Graph, GraphBuilder, IntArray, unsigned
from codesign.rtl import Image, image, pack
from codesign.rtl.interpret import Machine, maps
from tests.hw import networks
from tests.rtl.networks import MACHINES, fitting
from tests.strategies import random_codes

TINY = Hardware.load("tiny")
ASIC = Hardware.load("asic_1mb")


def check(graph: Graph, hardware: Hardware, inputs: dict[str, IntArray]) -> None:
    """Every map of the interpreter equals the engine's, for a batch of one."""
    made = image(graph, hardware)
    written = {entry.map.value for entry in made.entries}
    expected = codesign.run(graph, inputs, engine="reference", keep=written)
    single = {name: values[0] for name, values in inputs.items()}
    for entry, values in maps(made, single):
        assert np.array_equal(values, expected[entry.map.value][0]), entry.name


def frames(graph: Graph, seed: int) -> dict[str, IntArray]:
    return {
        name: random_codes((1, *graph.values[name].shape), graph.values[name].type, seed + index)
        for index, name in enumerate(graph.inputs)
    }


@pytest.mark.parametrize(
    ("graph", "hardware"),
    [(networks.nqe(), ASIC), (networks.digits(), TINY)],
    ids=["nqe", "digits"],
)
def test_the_shipped_shapes(graph: Graph, hardware: Hardware) -> None:
    check(graph, hardware, frames(graph, 1))


@pytest.mark.parametrize("hardware", MACHINES, ids=lambda machine: machine.name)
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)
@given(data=st.data())
def test_random_networks(hardware: Hardware, data: st.DataObject) -> None:
    graph = data.draw(fitting(hardware))
    check(graph, hardware, frames(graph, data.draw(st.integers(0, 1 << 20))))


def test_a_frame_that_is_too_short() -> None:
    builder = GraphBuilder("g")
    x = builder.input("x", (4, 2, 2), unsigned(2))
    builder.output(builder.node("y", "heaviside", [x]))
    made = image(builder.build(), TINY)
    stream = pack(made.inputs[0], np.zeros((4, 2, 2), np.int64))
    with pytest.raises(CodesignError) as caught:
        list(Machine(made, stream[:3]).run())
    assert str(caught.value) == ("the stream has 3 words, the program loads 4; give a whole frame")


def small() -> Image:
    builder = GraphBuilder("g")
    x = builder.input("x", (3, 1, 2), unsigned(2))
    builder.output(builder.node("y", "heaviside", [x]))
    return image(builder.build(), TINY)


def test_a_store_sends_zeros_in_idle_lanes() -> None:
    machine = Machine(small(), np.full((2, 4), 2, np.uint8))
    for bank in machine.banks:
        bank[:] = 3
    *_, sent = machine.run()
    assert sent.tolist() == [[1, 1, 1, 0], [1, 1, 1, 0]]
    assert machine.banks[1][:2].tolist() == [[1, 1, 1, 3], [1, 1, 1, 3]]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ((0,), "program word 0: operation 0 is none of 1 to 5; "
               "write one there or mark the end"),
        ((), "the program's 0 words end without a last layer; mark one as last"),
    ],
)  # fmt: skip
def test_a_program_without_an_end(program: tuple[int, ...], message: str) -> None:
    made = replace(small(), program=program)
    with pytest.raises(CodesignError) as caught:
        list(Machine(made, np.zeros((0, 4), np.uint8)).run())
    assert str(caught.value) == message


@pytest.mark.parametrize("operation", ["sum_pool", "argmax"])
def test_a_reduction_is_kept_behind_a_reshape(operation: str) -> None:
    builder = GraphBuilder("g")
    shape = (3,) if operation == "argmax" else (3, 2, 2)
    x = builder.input("x", shape, unsigned(2))
    y = builder.node("y", operation, [x])
    flat = (1,) if operation == "argmax" else (3, 1)
    builder.output(builder.node("z", "reshape", [y], shape=flat))
    graph = builder.build()
    assert image(graph, TINY).entries[1].fields["reduce"] != 0
    check(graph, TINY, frames(graph, 5))
