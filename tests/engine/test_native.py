"""Kernels that are no products, as tasks: every part, map and type, on buffers with a fence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from codesign.engine import create
from codesign.engine._numba import bits, fills, joins, lines, pooling, rows, totals
from codesign.engine._numba.bitmaps import BitFrame
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.fills import entering, moving
from codesign.engine._numba.frames import Frame, Place, Plain
from codesign.engine._numba.layout import storage
from codesign.engine._numba.merge import MergeKernel, Residual
from codesign.engine._numba.native import Native
from codesign.engine._numba.tasks import Task, address
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, Value, code_set
from tests.engine.fence import Fenced
from tests.engine.parts import call
from tests.strategies import random_codes

BYTE, SIGNED, WIDE, BIT, BIPOLAR = (
    IntType(0, 255), IntType(-128, 127), IntType(-70000, 70000), IntType(0, 1), IntType(-1, 1, 2),
)  # fmt: skip
_Make = Callable[[GraphBuilder, str, tuple[int, ...]], str]


def _bias(builder: GraphBuilder, x: str, shape: tuple[int, ...]) -> str:
    codes = IntType(-40, 40)
    bias = builder.constant("bias", random_codes(shape[:1], codes, 4), codes)
    return builder.node("y", "bit_shift_norm", [x, bias], shift=1)


def _thresholds(builder: GraphBuilder, x: str, shape: tuple[int, ...]) -> str:
    codes = IntType(-40, 40)
    levels = builder.constant("levels", np.sort(random_codes((shape[0], 3), codes, 4)), codes)
    flip = builder.constant("flip", random_codes(shape[:1], BIT, 5), BIT)
    return builder.node("y", "threshold", [x, levels, flip])


def _gate(**given: int) -> _Make:
    def make(builder: GraphBuilder, x: str, shape: tuple[int, ...]) -> str:
        theta = builder.constant("theta", random_codes(shape[:1], IntType(-90, 90), 6), WIDE)
        return builder.node("y", "tgap", [x, theta], **given)

    return make


def _plain(op: str, **attributes: Any) -> _Make:
    return lambda builder, x, shape: builder.node("y", op, [x], **attributes)


#: Name of the kernel, what makes its node, types of its map, shapes.
KERNELS: list[tuple[str, _Make, tuple[IntType, ...], tuple[tuple[int, ...], ...]]] = [
    ("bit_shift_norm", _bias, (SIGNED, WIDE), ((5, 3, 4), (7,))),
    ("clip", _plain("clip", lo=-3, hi=9), (SIGNED, WIDE), ((3, 2, 2),)),
    ("threshold", _thresholds, (SIGNED, WIDE), ((5, 3, 4),)),
    (
        "sum_pool",
        _plain("sum_pool"),
        (BIT, BYTE, SIGNED, WIDE),
        ((3, 2, 5), (64, 2, 2), (71, 5, 4)),
    ),
    ("tgap", _gate(), (BIT, SIGNED, WIDE), ((3, 2, 5), (71, 5, 4))),
    ("tgap_of_frames", _gate(frames=1), (BIT, WIDE), ((3, 4, 2, 5),)),
    ("tgap_delayed", _gate(frames=1, delay=2), (BIT, WIDE), ((66, 4, 2, 5),)),
    ("argmax", _plain("argmax"), (BIT, SIGNED, WIDE), ((1,), (9,))),
    ("max_pool", _plain("max_pool"), (BYTE, SIGNED), ((5, 4, 6),)),
    ("ycbcr", _plain("ycbcr"), (BYTE,), ((3, 3, 2),)),
]
CASES = [
    pytest.param(make, codes, shape, id=f"{name}-{codes}-{shape}")
    for name, make, types, shapes in KERNELS
    for codes in types
    for shape in shapes
]  # fmt: skip


def graph_of(make: _Make, codes: IntType, shape: tuple[int, ...]) -> Graph:
    builder = GraphBuilder("one")
    builder.output(make(builder, builder.input("x", shape, codes), shape))
    return builder.build()


def batch(value: Value, images: int) -> IntArray:
    """Random codes; of several images the first has only the least, the second the greatest."""
    x = random_codes((images, *value.shape), value.type, images)
    if images > 2:
        x[0], x[1] = value.type.lo, value.type.hi
    return x


def last(x: IntArray) -> IntArray:
    return np.moveaxis(x, 1, -1) if x.ndim > 2 else x


def fenced(place: Place, x: IntArray, dtype: np.dtype[Any]) -> tuple[Fenced, IntArray]:
    """The map `x` (channels last) in memory that ends at a fence, in elements of `dtype`."""
    fence = Fenced(max(1, x.size * dtype.itemsize))
    flat: IntArray = fence.array.view(dtype)
    flat[:] = x.astype(dtype).reshape(-1)
    return fence, flat


def check(task_of: Callable[[IntArray], Task], place: Place, wanted: IntArray) -> None:
    """Whatever the number of parts, each writes what is its own, together the whole."""
    images = len(wanted)
    size = wanted.size if isinstance(place, Plain) else images * place.image
    dtype = place.dtype if isinstance(place, Plain) else np.dtype(np.uint8)
    whole = place.empty(images)
    place.fill(whole, wanted)
    for parts in range(1, 8):
        fence = Fenced(size * dtype.itemsize)
        y: IntArray = fence.array.view(dtype)
        task = task_of(y)
        task.record[0] = images
        background = place.empty(images)[:size]
        y[:] = background
        for part in reversed(range(parts)):
            before = y.copy()
            assert call(task, part, parts) == 1
            changed = y != before
            assert np.array_equal(y[changed], whole[:size][changed])
            assert np.array_equal(before[changed], background[changed])  # by no part before
        assert np.array_equal(y, whole[:size]), parts
        assert fence.untouched()


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(("make", "codes", "shape"), CASES)
def test_parts_write_apart_and_together_the_whole(
    make: _Make, codes: IntType, shape: tuple[int, ...], images: int
) -> None:
    graph = graph_of(make, codes, shape)
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    (unit,) = engine.plan(("y",))
    kernel: Any = unit.run
    assert isinstance(kernel, Native)
    x = batch(graph.values["x"], images)
    wanted = last(create("reference", graph, threads=1).run({"x": x})["y"])
    types = {storage(codes), np.dtype(np.int32)} if kernel.reads[0].free else {storage(codes)}
    for dtype in types:
        fence, source = fenced(kernel.reads[0].place, last(x), dtype)

        def task_of(y: IntArray, source: IntArray = source) -> Task:
            task = kernel.task((source,), y)
            assert task is not None
            return task

        check(task_of, kernel.target, wanted)
        assert fence.untouched()
        assert np.array_equal(kernel(last(x).astype(dtype)), wanted)


@pytest.mark.parametrize("border", [None, 0, 2])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("images", [1, 2])
def test_a_merge_of_three_maps_and_a_select(
    images: int, times: int, inverted: bool, border: int | None
) -> None:
    builder, shape, codes = GraphBuilder("merge"), (6, 3, 5), IntType(-3, 9)
    f = builder.input("f", shape, codes)
    x = builder.input("x", (shape[0] // times, *shape[1:]), codes)
    select = builder.input("select", shape[:1], BIT)
    twice = builder.node("twice", "repeat", [x], axis=0, times=times)
    join = builder.node("join", "shift_add", [f, twice])
    builder.output(builder.node("y", "mux", [f, join, select] if inverted else [join, f, select]))
    graph = builder.build()
    residual = Residual("y", joins.AVERAGE, "f", "x", "f", "select", inverted, times)
    frame = None if border is None else Frame(shape[1:], (border, border), shape[0], -3, 0)
    kernel = MergeKernel(residual, graph, frame)
    maps = {name: batch(graph.values[name], images) for name in graph.inputs}
    wanted = last(create("reference", graph, threads=1).run(maps)["y"])
    given = [last(maps[name]) for name in residual.sources]
    pairs = [
        fenced(read.place, x, np.dtype(np.uint8 if x.ndim == 2 else np.int8))
        for read, x in zip(kernel.reads, given, strict=True)
    ]
    check(lambda y: kernel.task(tuple(flat for _, flat in pairs), y), kernel.target, wanted)
    assert all(fence.untouched() for fence, _ in pairs)
    laid = kernel.target.empty(images)
    kernel.target.fill(laid, wanted)
    size = images * kernel.target.image
    assert np.array_equal(kernel(*given).reshape(-1)[:size], laid[:size])


@pytest.mark.parametrize("codes", [BYTE, SIGNED, IntType(-200, 40), IntType(0, 40000)], ids=str)
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 2, 3), (4, 2, 3, 3), (5, 6), (7,)], ids=str)
def test_inputs_enter_their_places(codes: IntType, shape: tuple[int, ...]) -> None:
    value = Value(shape, codes)
    sizes = shape[1:] or (1,)
    places: list[Place] = [Plain.of(shape, storage(codes))]
    if codes.hi - codes.lo <= 255:
        places += [Frame(sizes, (pad,) * len(sizes), shape[0], codes.lo, 0) for pad in (0, 1)]
    for place in places:
        for images in (1, 3):
            x = batch(value, images).astype(codes.dtype)
            fence, source = fenced(place, x, codes.dtype)

            def task_of(y: IntArray, place: Place = place, source: IntArray = source) -> Task:
                task = entering(value, place, y)
                assert task is not None
                task.record[1] = address(source)
                return task

            check(task_of, place, last(x))
            assert fence.untouched()


@pytest.mark.parametrize("codes", [BIT, BIPOLAR, SIGNED], ids=str)
@pytest.mark.parametrize("channels", [3, 32, 70])
@pytest.mark.parametrize("pad", [0, 1])
def test_maps_move_to_frames(codes: IntType, channels: int, pad: int) -> None:
    shape, lies = (channels, 3, 4), Plain.of((channels, 3, 4), storage(codes))
    places: list[Place] = [Frame((3, 4), (pad, pad), channels, codes.lo, codes.lo)]
    if codes is not SIGNED:
        places.append(BitFrame((3, 4), (pad, pad), channels, codes, codes.hi))
    for place in places:
        for images in (1, 3):
            x = last(batch(Value(shape, codes), images))
            fence, source = fenced(lies, x, lies.dtype)

            def task_of(y: IntArray, place: Place = place, source: IntArray = source) -> Task:
                task = moving(lies, source, place, y)
                assert task is not None
                return task

            check(task_of, place, x)
            assert fence.untouched()


def residual_network() -> Graph:
    """Two blocks, a gate of frames, sums and scores: every kernel but the sequence's is native."""
    builder, codes = GraphBuilder("residual"), IntType(0, 1)
    y = builder.input("image", (3, 4, 6, 6), IntType(0, 255))
    for number, (inputs, outputs) in enumerate(((3, 8), (8, 8), (8, 8))):
        kinds = code_set(3)
        w = random_codes((outputs, inputs, 3, 3, 3), kinds, number)
        w = builder.constant(f"w{number}", w, kinds)
        before = y
        pad = {"padding": (1, 1, 1), "pad_code": 0, "stride": (1, 1, 1)}
        y = builder.node(f"conv{number}", "conv", [y, w], **pad)
        y = builder.node(f"act{number}", "heaviside", [y])
        if number:
            theta = builder.constant(f"theta{number}", np.full(8, 17), IntType(17, 17))
            gate = builder.node(f"gate{number}", "tgap", [before, theta], frames=1, delay=number)
            y = builder.node(f"or{number}", "bit_or", [y, before])
            y = builder.node(f"mux{number}", "mux", [y, f"act{number}", gate])
    y = builder.node("flat", "reshape", [y], shape=(8, 24, 6))
    y = builder.node("sum", "sum_pool", [y])
    bias = builder.constant("bias", random_codes((8,), IntType(-9, 9), 1), IntType(-9, 9))
    y = builder.node("scores", "bit_shift_norm", [y, bias], shift=2)
    builder.output(y)
    builder.output(builder.node("class", "argmax", [y]))
    assert builder.value("mux1").type == codes
    return builder.build()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_depend_on_no_thread_or_chunk(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (bits, fills, lines, pooling, rows, totals):
        monkeypatch.setattr(module, "PART_BYTES", 1)
    graph = residual_network()
    engine = create("numba", graph, threads=threads)
    assert isinstance(engine, NumbaEngine)
    for images in (1, 2, 5, 3):
        inputs = {"image": batch(graph.values["image"], images)}
        wanted = create("reference", graph, threads=1).run(inputs, graph.results)
        for engine.chunk_images in (1, 2, 100):
            for keep in ((), ("gate1", "flat", "image"), tuple(graph.results)):
                for name, found in engine.run(inputs, keep).items():
                    expected = inputs["image"] if name == "image" else wanted[name]
                    assert np.array_equal(found, expected), (images, engine.chunk_images, name)


def test_an_input_in_any_memory_enters() -> None:
    graph = graph_of(_plain("sum_pool"), BYTE, (3, 4, 5))
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    x = batch(graph.values["x"], 4)
    wanted = x.astype(np.int64).sum((2, 3))
    for given in (x, x.astype(np.uint8)[::-1][::-1], np.asfortranarray(x), x.astype(np.int16)):
        found = engine.compute({"x": given}, ("y",))["y"]
        assert np.array_equal(found, wanted)
