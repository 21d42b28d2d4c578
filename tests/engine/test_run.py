"""What every engine's `run` promises: any batch, any values asked for, any threads and chunks."""

from __future__ import annotations

import threading
import time
import tracemalloc
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from codesign import load
from codesign.engine import ENGINES, create
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.features import VARIABLE
from codesign.engine.base import ChunkedEngine
from codesign.engine.reference import ReferenceEngine
from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set, lookup, unsigned
from tests.engine.levels import HERE, only
from tests.strategies import random_codes

KEEPS = [
    (),
    ("image",),
    ("conv.acc", "extra"),
    ("class", "conv.act", "image"),
    ("gap", "gap", "scores"),
]


def network() -> Graph:
    """Every kind of layer, a branch, two inputs, two outputs."""
    builder = GraphBuilder("network")
    image = builder.input("image", (3, 9, 7), unsigned(8))
    extra = builder.input("extra", (4,), IntType(-1, 1, 2))
    weight = builder.constant(
        "conv.weight", random_codes((8, 3, 3, 3), code_set(3), 1), code_set(3)
    )
    bias = builder.constant("conv.bias", random_codes((8,), IntType(-99, 99), 2), IntType(-99, 99))
    acc = builder.node("conv.acc", "conv", [image, weight], padding=(1, 1))
    norm = builder.node("conv.norm", "bit_shift_norm", [acc, bias], shift=4)
    act = builder.node("conv.act", "hwmsb", [norm], bits=2, shift=2)
    pool = builder.node("pool", "max_pool", [act])
    shuffled = builder.node("shuffle", "channel_shuffle", [pool], groups=4)
    gap = builder.node("gap", "sum_pool", [shuffled])
    table = builder.constant("fc.weight", random_codes((5, 8), code_set(5), 3), code_set(5))
    builder.output(builder.node("scores", "linear", [gap, table]))
    builder.output(builder.node("class", "argmax", ["scores"]))
    builder.node("branch", "heaviside", [acc])
    builder.output(builder.node("extra.sign", "sign", [extra]))
    return builder.build()


def images(graph: Graph, count: int) -> dict[str, IntArray]:
    """Random inputs."""
    return {
        name: random_codes((count, *graph.values[name].shape), graph.values[name].type, 7)
        for name in graph.inputs
    }


def same(found: Mapping[str, IntArray], expected: Mapping[str, IntArray]) -> None:
    """Equal names in equal order, equal types, equal integers."""
    assert list(found) == list(expected)
    for name, codes in expected.items():
        assert found[name].dtype == codes.dtype, name
        assert np.array_equal(found[name], codes), name


@pytest.fixture(scope="module")
def graph() -> Graph:
    return network()


@pytest.fixture(scope="module")
def everything(graph: Graph) -> dict[str, IntArray]:
    """Every value of nine images, by the reference."""
    keep = (*graph.inputs, *graph.results)
    return create("reference", graph, threads=1).run(images(graph, 9), keep)


@pytest.fixture(
    params=[*((name, "") for name in ENGINES), *(("numba", level.name) for level in HERE[1:])],
    ids=lambda given: "-".join(filter(None, given)),
)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every engine; the compiled one at each level of the machine, the faster ones switched off."""
    engine, level = request.param
    if level:
        monkeypatch.setenv(VARIABLE, only(level))
    return str(engine)


class TestEveryEngine:
    def test_has_its_name(self, name: str, graph: Graph) -> None:
        assert create(name, graph).name == name

    @pytest.mark.parametrize("keep", KEEPS, ids=str)
    def test_gives_the_outputs_and_what_is_asked_for(
        self, name: str, keep: tuple[str, ...], graph: Graph, everything: Mapping[str, IntArray]
    ) -> None:
        found = create(name, graph, threads=1).run(images(graph, 9), keep)
        names = dict.fromkeys(("scores", "class", "extra.sign", *keep))
        same(found, {key: everything[key] for key in names})
        assert all(codes.flags.c_contiguous for codes in found.values())

    def test_one_engine_runs_again_and_again(
        self, name: str, graph: Graph, everything: Mapping[str, IntArray]
    ) -> None:
        engine = create(name, graph, threads=1)
        for keep in (*KEEPS, *reversed(KEEPS)):
            names = dict.fromkeys(("scores", "class", "extra.sign", *keep))
            same(engine.run(images(graph, 9), keep), {key: everything[key] for key in names})

    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_each_image_is_on_its_own(
        self, name: str, count: int, graph: Graph, everything: Mapping[str, IntArray]
    ) -> None:
        batch = {key: codes[:count] for key, codes in images(graph, 9).items()}
        found = create(name, graph, threads=1).run(batch, list(everything))
        same(found, {key: everything[key][:count] for key in found})

    def test_no_image_gives_empty_results(self, name: str, graph: Graph) -> None:
        found = create(name, graph).run(images(graph, 0), graph.results)
        assert set(found) == set(graph.results)
        for key, codes in found.items():
            assert codes.shape == (0, *graph.values[key].shape)
            assert codes.dtype == graph.values[key].type.dtype

    @pytest.mark.parametrize("threads", [1, 2, 3])
    @pytest.mark.parametrize("chunk", [1, 2, 4, 100])
    def test_threads_and_chunks_change_nothing(
        self,
        name: str,
        threads: int,
        chunk: int,
        graph: Graph,
        everything: Mapping[str, IntArray],
    ) -> None:
        engine = create(name, graph, threads=threads)
        assert isinstance(engine, ChunkedEngine)
        engine.chunk_images = chunk
        found = engine.run(images(graph, 9), list(everything))
        same(found, {key: everything[key] for key in found})

    @pytest.mark.parametrize(
        "dtype", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
    )
    def test_any_integer_type_any_layout(
        self, name: str, dtype: Any, graph: Graph, everything: Mapping[str, IntArray]
    ) -> None:
        batch = images(graph, 9)
        batch["image"] = batch["image"] % 100
        expected = create("reference", graph).run(batch)
        strange = np.asfortranarray(batch["image"].astype(dtype))[::-1][::-1]
        strange.setflags(write=False)
        same(create(name, graph).run({**batch, "image": strange}), expected)

    def test_the_inputs_stay_as_they_were(self, name: str, graph: Graph) -> None:
        batch = images(graph, 9)
        before = {key: codes.copy() for key, codes in batch.items()}
        results = create(name, graph).run(batch, ("image",))
        same(batch, before)
        results["image"][:] = 0
        same(batch, before)

    def test_an_unknown_value_is_refused(self, name: str, graph: Graph) -> None:
        for wrong in ("conv9", "conv.weight"):
            with pytest.raises(CodesignError) as caught:
                create(name, graph).run(images(graph, 1), (wrong,))
            assert str(caught.value) == (
                f"keep: network computes no value '{wrong}'; name a node or an input "
                "('codesign inspect' lists them)"
            )

    def test_text_is_not_a_list_of_names(self, name: str, graph: Graph) -> None:
        with pytest.raises(CodesignError, match=r"^keep is the text 'gap'; give a list of names$"):
            create(name, graph).run(images(graph, 1), "gap")


class TestCreate:
    def test_an_unknown_engine_is_refused(self, graph: Graph) -> None:
        with pytest.raises(CodesignError) as caught:
            create("numpy", graph)
        assert str(caught.value) == (
            "engine 'numpy' is not known; choose reference, numba, onnxruntime"
        )

    @pytest.mark.parametrize("threads", [0, -1])
    def test_no_thread_is_refused(self, graph: Graph, threads: int) -> None:
        with pytest.raises(CodesignError) as caught:
            create("numba", graph, threads=threads)
        assert str(caught.value) == f"threads is {threads}; give 1 or more"


class TestThreads:
    def test_chunks_are_dealt_out_to_threads(self, graph: Graph) -> None:
        """Two chunks are in work at the same time: each waits for the other."""
        meeting = threading.Barrier(2, timeout=60)

        class Meeting(ReferenceEngine):
            def compute(
                self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
            ) -> Mapping[str, IntArray]:
                meeting.wait()
                return super().compute(inputs, names)

        batch = images(graph, 2)
        same(Meeting(graph, 2).run(batch), create("reference", graph, threads=1).run(batch))

    def test_an_error_in_a_chunk_ends_the_run(self, graph: Graph) -> None:
        begun: list[int] = []

        class Failing(ReferenceEngine):
            def compute(
                self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
            ) -> Mapping[str, IntArray]:
                begun.append(len(begun))
                if len(begun) == 1:
                    raise KeyboardInterrupt
                time.sleep(0.02)  # the chunks left would take four seconds
                return super().compute(inputs, names)

        engine = Failing(graph, 2)
        engine.chunk_images = 1
        before = threading.active_count()
        with pytest.raises(KeyboardInterrupt):
            engine.run(images(graph, 400))
        assert len(begun) < 400
        assert threading.active_count() == before

    def test_a_chunk_has_a_bounded_number_of_elements(self) -> None:
        builder = GraphBuilder("wide")
        x = builder.input("x", (64, 64, 64), unsigned(8))
        builder.output(builder.node("y", "heaviside", [x]))
        engine = create("reference", builder.build())
        assert isinstance(engine, ChunkedEngine)
        assert engine.chunk_images == (1 << 20) // (2 * 64 * 64 * 64)


class TestMemory:
    def test_values_die_at_their_last_use(self) -> None:
        """In a chain of five the reference holds one value and its source, no more."""
        builder = GraphBuilder("chain")
        source = builder.input("x", (4,), unsigned(8))
        for index in range(5):
            source = builder.node(f"n{index}", "clip", [source], lo=0, hi=200 - index)
        builder.output(source)
        graph = builder.build()
        alive: list[weakref.ref[IntArray]] = []
        most = []
        spec = lookup("clip")
        original = spec.reference

        def watched(x: IntArray, **attrs: Any) -> IntArray:
            most.append(sum(reference() is not None for reference in alive))
            result = original(x, **attrs)
            alive.append(weakref.ref(result))
            return result

        patch = pytest.MonkeyPatch()
        with patch.context() as context:
            context.setattr(spec, "reference", watched)
            create("reference", graph, threads=1).run({"x": np.zeros((2, 4), np.uint8)})
            assert max(most) == 1
            most.clear()
            create("reference", graph, threads=1).run({"x": np.zeros((2, 4), np.uint8)}, ["n0"])
            assert max(most) == 2

    def test_what_nobody_asks_for_is_not_computed(self, graph: Graph) -> None:
        engine = create("numba", graph, threads=1)
        assert isinstance(engine, NumbaEngine)

        def never(*_: IntArray) -> IntArray:
            raise AssertionError("computed")

        engine._kernels["branch"] = never
        assert "branch" not in engine.run(images(graph, 3))
        with pytest.raises(AssertionError, match="computed"):
            engine.run(images(graph, 3), ["branch"])


def test_weights_are_laid_out_without_a_wide_copy_of_the_network() -> None:
    """What is traced at the peak: laid out they take twice their codes, and one layer's between."""
    graph = load("nqe_cifar10")
    codes = sum(value.size for value in graph.constants.values())
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    tracemalloc.start()
    try:
        engine.plan(tuple(graph.outputs))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert codes < peak < 3 * codes
