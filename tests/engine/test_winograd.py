"""Winograd's products at every level: what they take along, every shape, limits, stray bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.networks import NETWORKS
from codesign.engine import create
from codesign.engine._numba import winograd
from codesign.engine._numba.after import Counted, Rescale
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.features import LEVELS, Level
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.plan import PackedKernel
from codesign.engine._numba.tasks import compute
from codesign.engine._numba.windows import SLACK, Window
from codesign.engine._numba.winograd import Winograd, suits, transformed
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, first
from tests.engine.parts import call
from tests.engine.test_packed import batch, chain, equal
from tests.strategies import random_codes

VNNI, AVX2, AMX = (
    next(level for level in LEVELS if level.name == name) for name in ("vnni", "avx2", "amx")
)
#: Levels that take such products.
BYTES = [level for level in HERE if not level.bits and not level.tiles]


@pytest.fixture(params=[pytest.param(level, id=level.name) for level in BYTES])
def level(request: pytest.FixtureRequest) -> Iterator[Level]:
    """A level that takes every product by Winograd that it is exact on."""
    assert isinstance(request.param, Level)
    with whatever_it_costs(request.param):
        yield request.param


@contextmanager
def whatever_it_costs(level: Level) -> Iterator[None]:
    with first(level), pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "_cycles", lambda *_: 0.0)
        yield


def taken(engine: NumbaEngine, graph: Graph) -> dict[str, bool]:
    """Results of products, and whether they are Winograd's."""
    return {
        unit.result: isinstance(unit.run.packed, Winograd)
        for unit in engine.plan(tuple(graph.outputs))
        if isinstance(unit.run, PackedKernel)
    }


def assert_equal(graph: Graph, images: int = 3, result: str = "") -> None:
    """Outputs alone, and every value; `result` is that of a product by Winograd."""
    engine = equal(graph, images)
    if result:
        assert taken(engine, graph)[result]


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize(
    ("end", "name"),
    [("hwmsb", "act"), ("clip", "act"), ("heaviside", "act"), ("sign", "act"),
     ("threshold", "act"), ("folded", "act"), ("", "norm")],
)  # fmt: skip
def test_what_it_takes_along(end: str, name: str, pool: bool, level: Level) -> None:
    result = "pool" if pool else name
    assert_equal(chain(end=end, outputs=24, pool=pool, shape=(8, 7, 6)), result=result)


@pytest.mark.parametrize("outputs", [1, 16, 17, 33, 64, 130])
def test_every_width(outputs: int, level: Level) -> None:
    assert_equal(chain(outputs=outputs, shape=(8, 4, 4)), result="act")


@pytest.mark.parametrize("sizes", [(2, 2), (2, 3), (3, 2), (3, 3), (5, 9), (9, 16)])
@pytest.mark.parametrize("padding", [1, 2])
@pytest.mark.parametrize("pool", [False, True])
def test_every_size(sizes: tuple[int, int], padding: int, pool: bool, level: Level) -> None:
    """Odd numbers of results too: a tile overlaps another there, or the pool leaves them out."""
    graph = chain(shape=(5, *sizes), outputs=20, padding=padding, pool=pool)
    assert_equal(graph, images=5, result="pool" if pool else "act")


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shuffle", [1, 2, 8])
@pytest.mark.parametrize("channels", [32, 128])
def test_groups_and_shuffles(groups: int, shuffle: int, channels: int, level: Level) -> None:
    absorbed = (channels // groups) % shuffle == 0
    graph = chain(shape=(channels, 5, 4), groups=groups, shuffle=shuffle, outputs=32)
    assert_equal(graph, result="act" if absorbed else "")


@pytest.mark.parametrize("codes", [IntType(0, 63), IntType(-31, 32), IntType(-1, 1, 2)], ids=str)
@pytest.mark.parametrize("weight", [1, 14])
def test_codes_and_weights_at_their_extremes(codes: IntType, weight: int, level: Level) -> None:
    """With the widest codes and the greatest weights, of one sign in a window and of both."""
    builder = GraphBuilder("extremes")
    x = builder.input("image", (64, 6, 6), codes)
    values: IntArray = np.full((48, 64, 3, 3), weight, np.int8)
    values[1::4] = -weight
    values[2::4, ::2], values[3::4, :, 1] = -weight, -weight
    values[0::5, :, :, 1] = -weight
    w = builder.constant("w", values, code_set(2) if weight == 1 else IntType(-14, 14))
    builder.output(
        builder.node(
            "sums", "conv", [x, w], stride=(1, 1), padding=(1, 1), pad_code=codes.lo
        )
    )  # fmt: skip
    graph = builder.build()
    image = batch(graph, 6)
    image["image"][1, :, ::2], image["image"][2, :, :, ::2] = codes.hi, codes.lo
    image["image"][3] = np.where(np.indices((64, 6, 6)).sum(0) % 2, codes.hi, codes.lo)
    wanted = create("reference", graph, threads=1).run(image)
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    assert np.array_equal(engine.run(image)["sums"], wanted["sums"])
    saturates = level.pairs and 2 * 4 * 63 * 9 * weight >= 1 << 15 and codes.count > 2
    assert taken(engine, graph)["sums"] is not saturates


@pytest.mark.parametrize("pool", [False, True])
def test_bits_behind_it(pool: bool) -> None:
    """A map that is read as bits is written as bits, the maximum of four as their OR."""
    builder = GraphBuilder("bits")
    x = builder.input("image", (16, 8, 8), IntType(0, 3))
    for name, channels in (("first", 16), ("second", 64)):
        codes = code_set(3) if name == "first" else code_set(2)
        w = builder.constant(f"{name}.w", random_codes((64, channels, 3, 3), codes, 3), codes)
        pad = {"pad_code": 0 if name == "first" else -1}
        x = builder.node(name, "conv", [x, w], stride=(1, 1), padding=(1, 1), **pad)
        x = builder.node(f"{name}.sign", "sign", [x])
        if pool and name == "first":
            x = builder.node("pool", "max_pool", [x], kernel=(2, 2), stride=(2, 2))
    builder.output(x)
    graph = builder.build()
    for level in HERE:
        if not level.bits:
            continue
        with whatever_it_costs(level):
            assert_equal(graph, result="pool" if pool else "first.sign")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_products(data: Any) -> None:
    groups = data.draw(st.sampled_from([1, 2, 3]))
    low = data.draw(st.integers(-40, 20))
    graph = chain(
        codes=IntType(low, low + data.draw(st.integers(0, 70))),
        shape=(
            groups * data.draw(st.integers(1, 40)),
            *data.draw(st.tuples(*[st.integers(2, 9)] * 2)),
        ),
        outputs=groups * 20,
        groups=groups,
        padding=data.draw(st.integers(1, 2)),
        weights=data.draw(st.sampled_from([code_set(2), code_set(7), IntType(-15, 14)])),
        end=data.draw(st.sampled_from(["hwmsb", "folded"])),
        pool=data.draw(st.booleans()),
        seed=data.draw(st.integers(0, 99)),
    )
    for level in BYTES:
        with whatever_it_costs(level):
            assert_equal(graph, images=data.draw(st.integers(1, 4)))


@pytest.mark.parametrize("channels", [3, 64, 70])
@pytest.mark.parametrize("outputs", [5, 64])
@pytest.mark.parametrize("pooled", [False, True])
def test_no_byte_beyond_the_frame_is_read_and_none_beyond_the_result_is_written(
    level: Level, channels: int, outputs: int, pooled: bool
) -> None:
    window = Window((5, 4), channels, (3, 3), (1, 1), (1, 1))
    weight = random_codes((outputs, channels, 3, 3), code_set(3), 1)
    frame = Frame.of(window, 0, 1)
    bias = np.arange(outputs) - outputs // 2
    product = Winograd(level, window, weight, 0, 3, Rescale(bias, 1, 0, 3), pooled)
    # a map is read without what stands behind a frame where it is said to be
    slack = 0 if product.reads_within else SLACK
    source = Fenced(2 * frame.image + slack)
    source.array[:] = frame.copy(random_codes((2, 5, 4, channels), IntType(0, 3), 2))[
        : len(source.array)
    ]
    pixels = 2 * 2 if pooled else 5 * 4
    target = Fenced(2 * pixels * outputs)
    places = np.arange(pixels, dtype=np.int64) * outputs
    product.run(source.array, 2, target.array, places, pixels * outputs)
    assert source.untouched() and target.untouched()
    padded = source.array[: 2 * frame.image].reshape(2, 7, 6, channels).astype(np.int64)
    sums = sum(
        padded[:, u : u + 5, v : v + 4] @ weight[:, :, u, v].T.astype(np.int64)
        for u in range(3)
        for v in range(3)
    )
    codes = np.clip((sums + bias) >> 1, 0, 3)
    if pooled:
        codes = codes[:, :4].reshape(2, 2, 2, 2, 2, outputs).max((2, 4))
    assert np.array_equal(target.array.reshape(codes.shape), codes)


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 7, 64])
def test_parts_are_the_whole(level: Level, parts: int) -> None:
    """One after the other, the last first, over more tiles than a block has."""
    window = Window((17, 9), 32, (3, 3), (1, 1), (1, 1), 2)
    weight = random_codes((160, 16, 3, 3), code_set(3), 1)
    after = Rescale(np.zeros(160, np.int64), 1, 0, 3)
    product = Winograd(level, window, weight, 0, 3, after)
    frame = Frame.of(window, 0, 0).copy(random_codes((3, 17, 9, 32), IntType(0, 3), 2))
    size, places = 17 * 9 * 160, np.arange(17 * 9, dtype=np.int64) * 160
    whole, joined = np.empty(3 * size, np.uint8), np.full(3 * size, 99, np.uint8)
    compute(product.task(frame, whole, places, size), 3)
    task = product.task(frame, joined, places, size)
    task.record[0] = 3
    for part in reversed(range(parts)):
        assert call(task, part, parts) == 1
    assert np.array_equal(whole, joined)


WINDOW = Window((32, 32), 64, (3, 3), (1, 1), (1, 1))


@pytest.mark.parametrize(
    ("level", "window", "weight", "greatest", "expected"),
    [
        (VNNI, WINDOW, 1, 3, True),
        (VNNI, WINDOW, 14, 63, True),
        (VNNI, WINDOW, 15, 3, False),  # 9 * 15 is no byte
        (VNNI, WINDOW, 1, 64, False),  # nor is 4 * 64
        (AVX2, WINDOW, 1, 63, True),
        (AVX2, WINDOW, 14, 63, False),  # pairs of products would saturate
        (AMX, WINDOW, 1, 3, False),
        (VNNI, replace(WINDOW, stride=(2, 2)), 1, 3, False),
        (VNNI, replace(WINDOW, kernel=(1, 1), padding=(0, 0)), 1, 3, False),
        (VNNI, replace(WINDOW, kernel=(3, 3), sizes=(3, 1), padding=(0, 1)), 1, 3, False),
        (VNNI, replace(WINDOW, channels=8), 1, 3, False),  # more work than it saves
        (VNNI, replace(WINDOW, groups=2), 1, 3, True),
    ],
    ids=str,
)
def test_which_products_it_takes(
    level: Level, window: Window, weight: int, greatest: int, expected: bool
) -> None:
    size = window.channels // window.groups
    weights = np.full((64, size, *window.kernel), weight, np.int8)
    assert suits(level, window, weights, greatest) is expected


def test_sums_that_would_not_fit_four_times_are_left() -> None:
    """Weights and codes would allow it, the bias does not."""
    for bias, expected in (((1 << 28) - 8 * 9 * 3 - 1, True), (1 << 28, False)):
        builder = GraphBuilder("wide")
        x = builder.input("image", (64, 8, 8), IntType(0, 3))
        w = builder.constant("w", np.full((8, 64, 3, 3), 1, np.int8), code_set(3))
        bias -= 56 * 9 * 3
        b = builder.constant("b", np.full(8, bias, np.int32), IntType(-(1 << 29), 1 << 29))
        x = builder.node("sums", "conv", [x, w], stride=(1, 1), padding=(1, 1), pad_code=0)
        x = builder.node("norm", "bit_shift_norm", [x, b], shift=20)
        builder.output(builder.node("act", "hwmsb", [x], bits=4, shift=4))
        graph = builder.build()
        with whatever_it_costs(BYTES[0]):
            engine = create("numba", graph, threads=1)
            assert isinstance(engine, NumbaEngine)
            assert taken(engine, graph) == {"act": expected}
            assert_equal(graph)


def test_the_transforms_are_the_convolution() -> None:
    """Four times the four results, from any integers."""
    rng = np.random.default_rng(5)
    d, g = rng.integers(-99, 99, (4, 4)), rng.integers(-99, 99, (1, 1, 3, 3))
    into = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    back = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
    sums = np.stack(list(transformed(g))).reshape(4, 4) * (into @ d @ into.T)
    expected = [[(d[i : i + 3, j : j + 3] * g[0, 0]).sum() for j in (0, 1)] for i in (0, 1)]
    assert np.array_equal(back @ sums @ back.T, 4 * np.array(expected))


@pytest.mark.parametrize("name", ["vnni", "dotprod"])
@pytest.mark.parametrize("greatest", [3, 63])
def test_positions_are_bytes_whose_less_is_in_the_bias(name: str, greatest: int) -> None:
    """Of unsigned and of signed codes, with a base."""
    level, base, rng = next(v for v in LEVELS if v.name == name), -9, np.random.default_rng(1)
    weight = random_codes((level.lanes, 8, 3, 3), code_set(3), 1)
    window = Window((2, 2), 8, (3, 3), (1, 1), (1, 1))
    product = Winograd(level, window, weight, base, greatest, None)
    positions = np.stack(list(transformed(weight)))
    into = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    signs = [np.outer(a, b) for a in into for b in into]
    extremes = [np.where(sign * side > 0, greatest, 0) for sign in signs for side in (1, -1)]
    for codes in (
        rng.integers(0, greatest + 1, (8, 4, 4)),
        *(e[None].repeat(8, 0) for e in extremes),
    ):
        added = np.full((4, 4), product.rest)
        added[1, 1] = product.middle
        stored = into @ codes @ into.T + added
        low, high = (-128, 127) if level.signed else (0, 255)
        assert low <= stored.min() and stored.max() <= high
        found = np.einsum("poc,cp->po", positions, stored.reshape(8, 16))
        found += product.bases.reshape(16, -1)
        wanted = into @ (codes + base) @ into.T
        wide = np.einsum("poc,cp->po", positions, wanted.reshape(8, 16))
        assert np.array_equal(found, wide)


def test_thresholds_with_both_signs_are_counted_of_the_greatest() -> None:
    """A descending count is that of sums with the other sign: its greatest is the least sum's."""
    window = Window((4, 4), 16, (3, 3), (1, 1), (1, 1))
    weight = random_codes((16, 16, 3, 3), code_set(3), 1)
    side = np.where(np.arange(16) % 2, -1, 1)
    levels = np.sort(random_codes((16, 3), IntType(-40, 40), 3), 1) * side[:, None]
    after = Counted(np.zeros(16, np.int64), side, levels)
    frame = Frame.of(window, 0, 0).copy(random_codes((1, 4, 4, 16), IntType(0, 3), 2))
    found = []
    for pooled, pixels in ((False, 16), (True, 4)):
        y = np.empty(pixels * 16, np.uint8)
        product = Winograd(BYTES[0], window, weight, 0, 3, after, pooled)
        product.run(frame, 1, y, np.arange(pixels, dtype=np.int64) * 16, pixels * 16)
        found.append(y)
    whole = found[0].reshape(2, 2, 2, 2, 16)
    assert np.array_equal(whole.max((1, 3)).reshape(-1), found[1])
    assert whole.min() < whole.max()


def test_shipped_networks_take_it() -> None:
    if VNNI not in HERE:
        pytest.skip("the estimate is of vectors of 16 sums")
    graph = NETWORKS["nqe"]()
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODESIGN_CPU_OFF", "amx")
        engine = create("numba", graph, threads=1)
        assert isinstance(engine, NumbaEngine)
        found = taken(engine, graph)
    by_winograd = [name for name, value in found.items() if value]
    assert by_winograd == ["pool2", "norm3", "pool4", "norm5", "pool6", "norm7"]
