"""The engine `rtl`: a machine's Verilog behind the interface of the others."""

from __future__ import annotations

import numpy as np
import pytest

import codesign
from codesign.engine import create
from codesign.errors import CodesignError, OverBudgetError
from codesign.hw import Hardware
from tests.hw import networks
from tests.rtl.verilog import frames, need_verilated
from tests.small import small

TINY = Hardware.load("tiny")
GRAPH = networks.digits()
#: What the machine writes, one a layer.
MAPS = ("image", "conv1.pool", "conv2.shuffle", "sum", "scores", "class")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("keep", [(), ("scores",), MAPS], ids=["none", "output", "all"])
def test_gives_what_the_definition_gives(threads: int, keep: tuple[str, ...]) -> None:
    need_verilated()
    inputs = frames(GRAPH, 4, 5)
    engine = create("rtl", GRAPH, threads=threads, hardware=TINY)
    assert engine.name == "rtl"
    for _ in range(2):
        found = engine.run(inputs, keep)
        wanted = create("reference", GRAPH).run(inputs, keep)
        assert list(found) == list(wanted)
        for name, codes in wanted.items():
            assert np.array_equal(found[name], codes), name
            assert found[name].dtype == codes.dtype


def test_by_the_public_call() -> None:
    need_verilated()
    inputs = frames(GRAPH, 5, 2)
    found = codesign.run(GRAPH, inputs, engine="rtl", hardware="tiny")
    assert np.array_equal(found["scores"], codesign.run(GRAPH, inputs)["scores"])
    report = codesign.simulate(GRAPH, TINY, inputs, engine="rtl")
    assert report.results is not None
    assert report.results.engine == "rtl"


def test_no_image_gives_empty_results() -> None:
    found = create("rtl", GRAPH, hardware=TINY).run(frames(GRAPH, 1, 0))
    assert [codes.shape for codes in found.values()] == [(0, 10), (0,)]


def test_a_value_within_a_layer() -> None:
    engine = create("rtl", GRAPH, hardware=TINY)
    with pytest.raises(CodesignError) as caught:
        engine.run(frames(GRAPH, 1), ("conv1.norm",))
    assert str(caught.value) == (
        "keep: tiny writes no map of conv1.norm, it is computed within a layer; keep one of "
        f"{', '.join(MAPS)}, or use another engine"
    )


def test_without_a_machine() -> None:
    with pytest.raises(CodesignError) as caught:
        create("rtl", small())
    assert str(caught.value) == (
        "engine rtl runs on a machine, which is not known here; use it with "
        "codesign simulate --hw, or give hardware"
    )
    with pytest.raises(CodesignError, match=r"; choose reference, numba, onnxruntime, rtl$"):
        create("gpu", small(), hardware=TINY)


def test_a_network_that_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(OverBudgetError, match=r"^nqe: weights need "):
        create("rtl", networks.nqe(), hardware=TINY)
