"""Whole networks on the Verilog: every code, every counter, and what is said where one differs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import codesign
from codesign.hw import Hardware
from codesign.hw.descriptor import pack_descriptor
from codesign.ir import Graph, IntArray
from codesign.rtl import image
from codesign.verify.compare import Batch
from codesign.verify.cosim import Cosimulation, Miscount, Stop, cosimulate, wave_of
from codesign.verify.difference import Divergence
from tests.hw import networks
from tests.rtl.fst import hierarchy
from tests.rtl.networks import MACHINES, fitting
from tests.rtl.verilog import frames, need_verilated, spoilt

TINY = Hardware.load("tiny")
ASIC = Hardware.load("asic_1mb")
#: How often the ordinary numbers of inputs and networks; the second is `make nightly`'s.
TIMES = (
    pytest.param(1, id="ordinary"),
    pytest.param(100, id="nightly", marks=[pytest.mark.nightly, pytest.mark.timeout(24 * 3600)]),
)


@pytest.fixture(scope="module", autouse=True)
def _verilated() -> None:
    need_verilated()


def batches(graph: Graph, seed: int, count: int) -> list[Batch]:
    return [(tuple(f"random {at}" for at in range(count)), frames(graph, seed, count))]


def equal(result: Cosimulation, inputs: int) -> None:
    assert result.finding is None, str(result.finding)
    assert result.inputs == inputs
    assert len(result.counts) == len(result.image.entries)
    assert result.cycles == inputs * result.image.plan.cycles.total


def digits(count: int) -> IntArray:
    """Scanned digits, then random ones."""
    found = [np.zeros((0, 1, 8, 8), np.uint8)]
    datasets = pytest.importorskip("sklearn.datasets")
    found.append(datasets.load_digits().images[:, None].astype(np.uint8))
    random = np.random.default_rng(1).integers(0, 17, (max(0, count - 1797), 1, 8, 8), np.uint8)
    return np.concatenate([*found, random])[:count]


def photographs(count: int) -> IntArray:
    """CIFAR-10's test images where they are at hand, else random ones."""
    folder = os.environ.get("CODESIGN_DATA")
    if folder:
        from codesign.train.cifar import load_cifar10

        return np.moveaxis(load_cifar10(folder).x_test[:count], -1, 1)
    return np.random.default_rng(2).integers(0, 256, (count, 3, 32, 32), np.uint8)


class TestNetworks:
    @pytest.mark.parametrize("times", TIMES)
    def test_digits(self, times: int) -> None:
        graph, count = networks.digits(), 200 * times
        names = tuple(f"digit {at}" for at in range(count))
        given = [(names, {"image": digits(count)})]
        equal(cosimulate(graph, image(graph, TINY), given, threads=2), count)

    @pytest.mark.parametrize("times", TIMES)
    def test_the_shipped_nqe(self, times: int) -> None:
        graph = codesign.load("nqe_cifar10")
        given = photographs(100 * times)
        names = tuple(f"photograph {at}" for at in range(len(given)))
        result = cosimulate(
            graph, image(graph, ASIC), [(names, {graph.inputs[0]: given})], threads=2
        )
        equal(result, 100 * times)

    @pytest.mark.parametrize("times", TIMES)
    @pytest.mark.parametrize("hardware", MACHINES, ids=lambda machine: machine.name)
    def test_random(self, hardware: Hardware, times: int) -> None:
        """80 networks on each of three machines, two inputs each, by the definition."""
        layers = set()

        @settings(
            max_examples=80 * times,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            deadline=None,
        )
        @given(data=st.data())
        def check(data: st.DataObject) -> None:
            graph = data.draw(fitting(hardware))
            given = batches(graph, data.draw(st.integers(0, 1 << 20)), 2)
            result = cosimulate(graph, image(graph, hardware), given, engine="reference")
            equal(result, 2)
            layers.add(len(result.counts))

        check()
        assert max(layers) >= 6


def differing(graph: Graph, hardware: Hardware, models: Path) -> Cosimulation:
    result = cosimulate(graph, image(graph, hardware), batches(graph, 1, 3), models=models)
    assert result.finding is not None
    return result


class TestDifferences:
    """The Verilog is spoilt; each fault is small enough to be rare, or leaves the values right."""

    def test_a_code(self, tmp_path: Path) -> None:
        models = spoilt(
            tmp_path, "bit_shift_norm", "sum = value_i + bias;", "sum = value_i - bias;"
        )
        graph = networks.digits()
        result = differing(graph, TINY, models)
        found = result.finding
        assert isinstance(found, Divergence)
        assert (found.layer, found.op, found.input) == ("conv1", "conv 3x3", "random 0")
        expected = codesign.run(graph, result_inputs(result), keep=["conv1.pool"])["conv1.pool"][0]
        assert found.index is not None
        assert found.expected == expected[found.index]
        assert found.size == expected.size
        assert str(found) == (
            f"layer conv1 (conv 3x3) of random 0: element {list(found.index)} is {found.actual}, "
            f"expected {found.expected}; {found.wrong:,} of 256 codes differ"
        )
        assert [count.layer for count in result.counts] == ["input image", "conv1"]

        shown = wave_of(result, tmp_path / "w.fst", models)
        assert shown.startswith("cycles ")
        first, last = (int(word.replace(",", "")) for word in shown.split()[1:4:2])
        assert last - first <= 320  # the write is found: 256 cycles before it, 64 behind
        assert shown.endswith(" of conv1")
        names = hierarchy(tmp_path / "w.fst")
        assert {b"codesign_accelerator", b"m_axis_tvalid", b"state_q"} <= names
        assert [path.name for path in tmp_path.glob("*w.fst*")] == ["w.fst"]

    def test_a_counter(self, tmp_path: Path) -> None:
        models = spoilt(
            tmp_path,
            "sequencer",
            "default: cause_o = `CAUSE_CONTROL;",
            "default: cause_o = `CAUSE_STALL;",
        )
        result = differing(networks.digits(), TINY, models)
        assert result.finding == Miscount("input image", "input", "random 0", "stall", 0, 4)
        assert str(result.finding) == (
            "layer input image (input) of random 0: 4 cycles of stall counted, 0 predicted"
        )
        assert wave_of(result, tmp_path / "w.fst", models) == "cycles 0 to 133 of input image"

    def test_a_stop(self, tmp_path: Path) -> None:
        graph = networks.digits()
        program = image(graph, TINY)
        broken = dict(program.entries[3].fields) | {"output_height": 0}
        words = list(program.program)
        words[3] = pack_descriptor(broken)
        result = cosimulate(graph, replace(program, program=tuple(words)), batches(graph, 1, 1))
        assert result.finding == Stop(
            "conv3",
            "random 0",
            "size",
            "digits: conv3: the machine stopped with error size "
            "(a size is zero or does not agree with the others)",
        )
        assert str(result.finding).endswith("with the others), input random 0")
        assert wave_of(result, tmp_path / "w.fst").endswith(" of conv3")

    def test_an_altered_weight(self) -> None:
        """A wrong word of the image is found as well as wrong Verilog."""
        graph = networks.digits()
        program = image(graph, TINY)
        words = list(program.weights)
        at = program.entries[2].fields["weight_base"]
        words[at : at + 3] = [word ^ 0xFFF for word in words[at : at + 3]]  # a tile, nine taps
        altered = replace(program, weights=tuple(words))
        result = cosimulate(graph, altered, batches(graph, 1, 4))
        assert isinstance(result.finding, Divergence)
        assert result.finding.layer == "conv2"

    def test_threads_find_the_same(self) -> None:
        graph = networks.digits()
        program = image(graph, TINY)
        words = [word ^ 1 for word in program.weights]
        altered = replace(program, weights=tuple(words))
        found = [
            cosimulate(graph, altered, batches(graph, 1, 8), threads=threads)
            for threads in (1, 2, 3)
        ]
        assert found[0].finding is not None
        assert {str(result.finding) for result in found} == {str(found[0].finding)}
        assert {result.inputs for result in found} == {1}


def result_inputs(result: Cosimulation) -> dict[str, IntArray]:
    return {name: array[None] for name, array in result.frame.items()}
