"""What the compiled kernels must not do: leave their arrays, or need a folder for their cache."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codesign.engine import create
from codesign.engine._numba import (
    coding,
    decision,
    features,
    generated,
    linear,
    pooling,
    products,
    recurrent,
    rescale,
)
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.rows import Rows
from codesign.ir import GraphBuilder, IntArray, IntType, code_set
from tests.engine.levels import only
from tests.strategies import random_codes

KERNELS = [
    (linear, "_conv"),
    (rescale, "_rescale"),
    (rescale, "_threshold"),
    (pooling, "_max_pool"),
    (recurrent, "_lstm_step"),
    (recurrent, "_lstm_hidden"),
    (recurrent, "_gru_step"),
    (coding, "_look_up"),
    (coding, "_thermometer"),
    (coding, "_ycbcr"),
    (decision, "_argmax"),
    (decision, "_best"),
    (generated, "_ca_step"),
    (generated, "_bernoulli_sample"),
    (generated, "_advance"),
]


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels as plain Python: an index outside an array is an error, not a stray read.

    Those that multiply by vector instructions have no Python; `test_packed` fences their arrays.
    """
    monkeypatch.setenv(features.VARIABLE, only("portable"))
    monkeypatch.setattr(products, "fits_level", lambda *_: False)
    for native in (pooling.WindowsMaximum, Rows):
        monkeypatch.setattr(native, "task", lambda *_: None)
    for module, name in KERNELS:
        monkeypatch.setattr(module, name, getattr(module, name).py_func)


def test_every_kernel_is_listed() -> None:
    modules: set[ModuleType] = {module for module, _ in KERNELS}
    found = {
        (module, name)
        for module in modules
        for name, item in vars(module).items()
        if hasattr(item, "py_func")
    }
    assert found == set(KERNELS)


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("height", [3, 4, 5])
@pytest.mark.parametrize("width", [3, 4, 6])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (1, 2), (3, 3)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 0), (0, 1), (2, 2)])
def test_kernels_stay_within_their_arrays(
    height: int, width: int, stride: tuple[int, int], padding: tuple[int, int]
) -> None:
    builder = GraphBuilder("g")
    image = builder.input("image", (4, height, width), IntType(0, 3))
    kinds = code_set(3)
    weight = builder.constant("w", random_codes((6, 2, 3, 3), kinds, 1), kinds)
    bias = builder.constant("b", random_codes((6,), IntType(-4, 4), 2), IntType(-4, 4))
    conv = builder.node(
        "conv", "conv", [image, weight], groups=2, stride=stride, padding=padding, pad_code=2
    )
    norm = builder.node("norm", "bit_shift_norm", [conv, bias], shift=1)
    codes = builder.node("codes", "hwmsb", [norm], bits=2, shift=0)
    levels = builder.constant("levels", np.array([[-9, 0, 9]] * 6), IntType(-9, 9))
    flip = builder.constant("flip", np.array([0, 1] * 3), IntType(0, 1))
    builder.node("passed", "threshold", [norm, levels, flip])
    rows, columns = builder.value(codes).shape[1:]
    kernel = (min(rows, 2), min(columns, 3))
    pool = builder.node("pool", "max_pool", [codes], kernel=kernel, stride=(2, 1))
    total = builder.node("sum", "sum_pool", [pool])
    table = builder.constant("t", random_codes((3, 6), kinds, 3), kinds)
    builder.output(builder.node("scores", "linear", [total, table]))
    graph = builder.build()
    batch = {"image": random_codes((3, 4, height, width), IntType(0, 3), 4)}
    expected = create("reference", graph).run(batch, graph.results)
    found = create("numba", graph, threads=1).run(batch, graph.results)
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("sizes", [(3,), (4,), (2, 3, 3), (3, 2, 4)])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("border", [0, 1, 2])
def test_kernels_of_sequences_and_clips_stay_within_their_arrays(
    sizes: tuple[int, ...], step: int, border: int
) -> None:
    builder = GraphBuilder("g")
    clip = builder.input("clip", (4, *sizes), IntType(0, 3))
    kinds, rank = code_set(3), len(sizes)
    kernel = (2, 1, 3) if rank == 3 else (3,)
    weight = builder.constant("w", random_codes((6, 2, *kernel), kinds, 1), kinds)
    builder.node(
        "conv", "conv", [clip, weight],
        groups=2, stride=(step,) * rank, padding=(border,) * rank, pad_code=2,
    )  # fmt: skip
    builder.node("pool", "max_pool", [clip], kernel=(2,) * rank, stride=(step,) * rank)
    theta = builder.constant("theta", np.array([0, 2, 4, 6]), IntType(0, 6))
    builder.node("late", "tgap", [clip, theta], frames=1, delay=1)
    for name in ("conv", "pool", "late"):
        builder.output(name)
    graph = builder.build()
    batch = {"clip": random_codes((3, 4, *sizes), IntType(0, 3), 4)}
    expected = create("reference", graph).run(batch)
    found = create("numba", graph, threads=1).run(batch)
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("images", [1, 2, 3])
@pytest.mark.parametrize("cells", [3, 4, 9])
def test_kernels_of_states_and_codings_stay_within_their_arrays(images: int, cells: int) -> None:
    builder = GraphBuilder("g")
    kinds, bipolar, bit, byte = code_set(3), code_set(2), IntType(0, 1), IntType(0, 255)

    def codes(name: str, shape: tuple[int, ...], kind: IntType) -> str:
        return builder.constant(name, random_codes(shape, kind, len(name)), kind)

    steps = builder.input("steps", (3, cells), bipolar)
    for op, gates, kind in (("lstm", 4, IntType(-14, 15)), ("gru", 3, bipolar)):
        state = builder.input(f"{op}.state", (2,), kind)
        weight = codes(f"{op}.weight", (gates * 2, cells), kinds)
        recurrent = codes(f"{op}.recurrent", (gates * 2, 2), kinds)
        bias = codes(f"{op}.bias", (gates * 2,), kinds)
        builder.output(builder.node(op, op, [steps, state, weight, recurrent, bias]))
    builder.output(builder.node("hidden", "lstm_hidden", ["lstm"]))
    image = builder.input("image", (3, 2, cells), byte)
    colours = builder.node("ycbcr", "ycbcr", [image])
    levels = builder.constant("levels", np.array([0, 100, 9, 9, 30, 255]), byte)
    builder.output(builder.node("bits", "thermometer", [colours, levels], counts=(2, 3, 1)))
    ring = builder.input("ring", (cells,), bit)
    draw = builder.input("means", (5,), IntType(0, 8))
    bits = builder.node("drawn", "bernoulli_sample", [draw, ring], steps=2, bits=3)
    builder.output(builder.node("ring_after", "ca_step", [ring], steps=10))
    means, prior = codes("m", (2, 3, 5), IntType(1, 3)), codes("p", (2, 3), IntType(-9, 0))
    logs = codes("logs", (2, 4), IntType(-9, 0))
    builder.output(builder.node("score", "bmm_score", [bits, means, prior, logs]))
    graph = builder.build()
    batch = {
        name: random_codes((images, *graph.values[name].shape), graph.values[name].type, 7)
        for name in graph.inputs
    }
    expected = create("reference", graph).run(batch, graph.results)
    found = create("numba", graph, threads=1).run(batch, graph.results)
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


def test_a_kernel_without_a_file_is_compiled_all_the_same() -> None:
    """As in an installation whose folders cannot be written: nothing is cached."""
    scope: dict[str, Any] = {}
    exec("def double(x, y):\n    for i in range(len(x)):\n        y[i] = 2 * x[i]\n", scope)
    kernel = compiled(scope["double"])
    x: IntArray = np.arange(4)
    y = np.zeros_like(x)
    kernel(x, y)
    assert y.tolist() == [0, 2, 4, 6]
