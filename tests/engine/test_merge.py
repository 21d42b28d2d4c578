"""Merges and totals of byte maps: every width, extremes, what is taken along, stray bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.engine import create
from codesign.engine._numba import joins, lines
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.totals import Totals
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine.fence import Fenced
from tests.strategies import random_codes

CODES, UNSIGNED, SIGNED, BIT, BIPOLAR = (
    IntType(0, 7), IntType(0, 255), IntType(-128, 127), IntType(0, 1), IntType(-1, 1, 2),
)  # fmt: skip


def joined(kind: int, a: IntArray, b: IntArray) -> IntArray:
    wide = a.astype(np.int64)
    return {
        joins.AVERAGE: (wide + b) >> 1,
        joins.GREATEST: np.maximum(wide, b),
        joins.LEAST: np.minimum(wide, b),
        joins.FIRST: wide,
    }[kind]


def check_merge(
    kind: int, *, masked: bool, signed: bool, channels: int, times: int = 1, border: int = 0
) -> None:
    """Two images of 3 x 2 pixels with all arrays fenced."""
    codes = SIGNED if signed else UNSIGNED
    pixels, part = 6, channels // times
    a, b, other = (
        random_codes((2, pixels, depth), codes, seed)
        for seed, depth in enumerate((channels, part, channels))
    )
    a[0, 0], b[0, 0], a[1, 0], b[1, 0] = codes.lo, codes.lo, codes.hi, codes.hi
    select = random_codes((2, channels), BIT, 3)
    frame = Frame((3, 2), (border, border), channels, -7 if border else 0, 5)
    table = lines.Lines.of(pixels, channels, frame.places if border else None, times, wide=200)
    fenced = []
    for array in (a, b, other, select) if masked else (a, b):
        fence = Fenced(array.size)
        fence.array[:] = array.astype(np.uint8).reshape(-1)
        fenced.append(fence)
    target = Fenced(2 * frame.image)
    target.array[:] = 12
    run = lines.Merge(kind, masked, signed, table, frame.base)
    run.run(tuple(fence.array for fence in fenced), target.array, 2, frame.image)
    assert all(fence.untouched() for fence in (*fenced, target))
    wanted = joined(kind, a, np.tile(b, (1, 1, times)))
    if masked:
        wanted = np.where(select[:, None] == 1, wanted, other)
    whole: IntArray = np.full((2, *frame.padded, channels), 12, np.uint8)
    inside = (slice(None), *(slice(border, border + size) for size in (3, 2)))
    whole[inside] = (wanted - frame.base).astype(np.uint8).reshape(2, 3, 2, channels)
    assert np.array_equal(target.array, whole.reshape(-1))


@pytest.mark.parametrize("channels", range(1, 71))
def test_every_width_of_a_line(channels: int) -> None:
    for border in (0, 1):
        check_merge(joins.AVERAGE, masked=True, signed=False, channels=channels, border=border)


@pytest.mark.parametrize("kind", [joins.AVERAGE, joins.GREATEST, joins.LEAST, joins.FIRST])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_every_kind_of_merge(kind: int, masked: bool, signed: bool) -> None:
    for channels, border in ((40, 0), (33, 2)):
        check_merge(kind, masked=masked, signed=signed, channels=channels, border=border)


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("border", [0, 1])
def test_lines_that_are_read_again(times: int, border: int) -> None:
    for part in (1, 8, 67):
        check_merge(
            joins.AVERAGE, masked=True, signed=False, channels=times * part, times=times,
            border=border,
        )  # fmt: skip


def check_totals(codes: IntType, pixels: int, channels: int) -> None:
    """Three images: random codes, the least everywhere, the greatest everywhere."""
    x = random_codes((3, pixels, channels), codes, pixels)
    x[1], x[2] = codes.lo, codes.hi
    fence = Fenced(x.size)
    dtype = np.int8 if codes.lo < 0 else np.uint8
    fence.array[:] = x.astype(dtype).view(np.uint8).reshape(-1)
    found, target = Fenced(4 * 3 * channels), x.astype(np.int64).sum(1)
    y = found.array.view(np.int32)
    Totals(codes, pixels, channels).run(fence.array.view(dtype), y, 3)
    assert fence.untouched()
    assert found.untouched()
    assert np.array_equal(y.reshape(3, -1), target)


@pytest.mark.parametrize("channels", range(1, 71))
def test_totals_of_every_width(channels: int) -> None:
    check_totals(IntType(0, 3), 11, channels)


@pytest.mark.parametrize(
    "codes", [BIT, BIPOLAR, UNSIGNED, SIGNED, IntType(0, 31), IntType(0, 32), IntType(5, 5)],
    ids=str,
)  # fmt: skip
def test_totals_on_both_sides_of_what_fits(codes: IntType) -> None:
    most = Totals(codes, 1, 1).most
    for pixels in (1, 2, most - 1, most, most + 1, 2 * most, 2 * most + 1):
        check_totals(codes, pixels, 40)


def block(
    *,
    codes: IntType = CODES,
    shape: tuple[int, ...] = (6, 4, 5),
    times: int = 1,
    join: str = "shift_add",
    frames: int = 0,
    swapped: bool = False,
    second: bool = False,
    padding: int = 1,
    seed: int = 0,
) -> Graph:
    """A residual block: join of a map and a repeat, gate of the repeat, choice, product behind."""
    builder = GraphBuilder("block")
    x = builder.input("x", shape, codes)
    wide = (shape[0] * times, *shape[1:])
    f = builder.input("f", wide, codes)
    if times > 1:
        x = builder.node("twice", "repeat", [x], axis=0, times=times)
    pixels = int(np.prod(shape[1 + frames :]))
    middle = (codes.lo + codes.hi) * pixels // 2
    theta = builder.constant("theta", np.full(wide[0], middle), IntType(middle, middle))
    gate = builder.node("gate", "tgap", [x, theta], frames=frames)
    y = builder.node("join", join, [f, x] if not swapped else [x, f])
    y = builder.node("mux", "mux", [f, y, gate] if second else [y, f, gate])
    if builder.value(y).type.width <= 8:
        kinds, rank = code_set(3), len(shape) - 1
        weight = builder.constant("w", random_codes((3, wide[0], *(3,) * rank), kinds, seed), kinds)
        pad = {"padding": (padding,) * rank, "pad_code": codes.lo}
        y = builder.node("conv", "conv", [y, weight], stride=(1,) * rank, **pad)
    builder.output(y)
    builder.output(gate)
    return builder.build()


def batch(graph: Graph, seed: int = 1) -> dict[str, IntArray]:
    """Four images: random codes, then the least and the greatest code everywhere."""
    found = {}
    for number, name in enumerate(graph.inputs):
        value = graph.values[name]
        found[name] = random_codes((4, *value.shape), value.type, seed + number)
        found[name][2], found[name][3] = value.type.lo, value.type.hi
    return found


def assert_equal(graph: Graph) -> NumbaEngine:
    """The outputs, with nothing, each value, and every value wanted beside them."""
    inputs = batch(graph)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    for keep in ((), *((name,) for name in graph.results), tuple(graph.results)):
        for name, codes in engine.run(inputs, keep).items():
            assert np.array_equal(codes, wanted[name]), (name, keep)
    return engine


@pytest.mark.parametrize("join", ["shift_add", "maximum", "bit_or", "bit_and"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("second", [False, True])
@pytest.mark.usefixtures("level")
def test_a_residual_block_is_one_pass(join: str, times: int, swapped: bool, second: bool) -> None:
    codes = BIPOLAR if join.startswith("bit") else CODES
    engine = assert_equal(
        block(codes=codes, join=join, times=times, swapped=swapped, second=second)
    )
    units = {unit.result: unit.sources for unit in engine.plan(("conv",))}
    assert set(units) == {"gate", "mux", "conv"}
    pair = ("x", "f") if swapped and times == 1 else ("f", "x")
    assert units["mux"] == (*pair, "f", "gate")
    assert units["gate"] == ("x",)


@pytest.mark.parametrize("codes", [SIGNED, UNSIGNED, IntType(-300, 300), IntType(-3, 9)], ids=str)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2, 4)])
def test_codes_of_every_width_and_maps_of_every_rank(
    codes: IntType, shape: tuple[int, ...]
) -> None:
    if len(shape) > 1:
        assert_equal(block(codes=codes, shape=shape, times=2))
        return
    builder = GraphBuilder("vectors")
    a, b = (builder.input(name, shape, codes) for name in "ab")
    select = builder.input("select", shape, BIT)
    y = builder.node("join", "shift_add", [a, b])
    builder.output(builder.node("mux", "mux", [y, b, select]))
    assert_equal(builder.build())


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_a_select_of_each_frame(times: int, padding: int) -> None:
    assert_equal(block(shape=(3, 3, 4, 5), frames=1, times=times, padding=padding))


def test_maps_of_two_types_are_merged_by_themselves() -> None:
    builder = GraphBuilder("types")
    a, b = builder.input("a", (3, 2, 2), SIGNED), builder.input("b", (3, 2, 2), UNSIGNED)
    select = builder.input("select", (3,), BIT)
    for op in ("shift_add", "maximum"):
        builder.output(builder.node(op, op, [a, b]))
    builder.output(builder.node("mux", "mux", [a, b, select]))
    builder.output(builder.node("average", "mux", ["shift_add", "maximum", select]))
    assert_equal(builder.build())


def test_a_repeat_that_is_read_otherwise_is_copied() -> None:
    builder = GraphBuilder("repeat")
    x, f = builder.input("x", (3, 2, 2), BIT), builder.input("f", (6, 2, 2), BIT)
    twice = builder.node("twice", "repeat", [x], axis=0, times=2)
    rows = builder.node("rows", "repeat", [x], axis=1, times=2)
    builder.output(builder.node("or", "bit_or", [f, twice]))
    builder.output(builder.node("self", "bit_or", [twice, twice]))
    builder.output(builder.node("tall", "maximum", [rows, rows]))
    engine = assert_equal(builder.build())
    assert {"twice", "rows"} <= {unit.result for unit in engine.plan(("or", "self", "tall"))}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_blocks(data: Any) -> None:
    low = data.draw(st.integers(-100, 20))
    graph = block(
        codes=IntType(low, low + data.draw(st.integers(1, 200))),
        shape=(data.draw(st.integers(1, 40)), *data.draw(st.tuples(*[st.integers(3, 7)] * 2))),
        times=data.draw(st.integers(1, 3)),
        join=data.draw(st.sampled_from(["shift_add", "maximum"])),
        frames=data.draw(st.integers(0, 1)),
        swapped=data.draw(st.booleans()),
        second=data.draw(st.booleans()),
        padding=data.draw(st.integers(0, 2)),
        seed=data.draw(st.integers(0, 99)),
    )
    inputs = batch(graph, 5)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    for name, codes in create("numba", graph, threads=1).run(inputs).items():
        assert np.array_equal(codes, wanted[name]), name
