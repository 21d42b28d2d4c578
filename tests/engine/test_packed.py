"""Packed products at every level: shapes of tiles, extremes, what they take along, stray bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.engine import create
from codesign.engine._numba import micro, tiles, winograd
from codesign.engine._numba.after import Rescale
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.features import LEVELS, PORTABLE, VARIABLE, Level
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.packed import _ROWS, base_of, fits_level
from codesign.engine._numba.tiles import packed_product
from codesign.engine._numba.windows import SLACK, Window
from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine.arm import compiled, loop
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, OF_BYTES, first, of_bytes, only
from tests.strategies import random_codes

TWO_BITS, TERNARY, BIPOLAR, BIAS = IntType(0, 3), code_set(3), IntType(-1, 1, 2), IntType(-40, 40)


@pytest.fixture(params=of_bytes())
def packed(request: pytest.FixtureRequest) -> Iterator[Level]:
    """A level of bytes, which takes every product that it is exact on."""
    assert isinstance(request.param, Level)
    with first(request.param):
        yield request.param


@pytest.fixture
def level(packed: Level) -> str:
    """Its name."""
    return packed.name


def ended(builder: GraphBuilder, y: str, outputs: int, end: str, seed: int) -> str:
    """Rescaling and activation behind a product of so many outputs."""
    b = builder.constant("b", random_codes((outputs,), BIAS, seed + 1), BIAS)
    if end != "folded":
        shift = 0 if end == "threshold" else 2
        y = builder.node("norm", "bit_shift_norm", [y, b], shift=shift)
    if end == "hwmsb":
        y = builder.node("act", "hwmsb", [y], bits=2, shift=1)
    elif end == "clip":
        y = builder.node("act", "clip", [y], lo=-3, hi=4)
    elif end in ("threshold", "folded"):
        ascending = np.sort(random_codes((outputs, 3), BIAS, seed + 3), axis=1)
        levels = builder.constant("levels", ascending, BIAS)
        flip = builder.constant("flip", np.arange(outputs) % 3 % 2, IntType(0, 1))
        y = builder.node("act", "threshold", [y, levels, flip])
    elif end:
        y = builder.node("act", end, [y])
    return y


def chain(
    *,
    codes: IntType = TWO_BITS,
    shape: tuple[int, ...] = (8, 7, 5),
    outputs: int = 20,
    groups: int = 1,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 1,
    weights: IntType = TERNARY,
    end: str = "hwmsb",
    shuffle: int = 1,
    pool: bool | tuple[int, int] = False,
    seed: int = 0,
) -> Graph:
    """Shuffle, convolution, rescaling, activation, pool, and a product that reads its codes."""
    builder = GraphBuilder("chain")
    x = builder.input("image", shape, codes)
    if shuffle > 1:
        x = builder.node("shuffle", "channel_shuffle", [x], groups=shuffle)
    rank = len(shape) - 1
    window = (kernel,) * rank
    w = builder.constant(
        "w", random_codes((outputs, shape[0] // groups, *window), weights, seed), weights
    )
    y = builder.node(
        "conv", "conv", [x, w], groups=groups, stride=(stride,) * rank,
        padding=(padding,) * rank, pad_code=codes.hi,
    )  # fmt: skip
    y = ended(builder, y, outputs, end, seed)
    if pool:
        size, step = (2, 2) if pool is True else pool
        y = builder.node("pool", "max_pool", [y], kernel=(size,) * rank, stride=(step,) * rank)
    builder.output(y)
    value = builder.value(y)
    if value.type.hi - value.type.lo <= 255:
        w2 = builder.constant(
            "w2", random_codes((3, outputs, *(1,) * rank), code_set(2), seed + 2), code_set(2)
        )
        builder.output(
            builder.node("second", "conv", [y, w2], stride=(1,) * rank, padding=(0,) * rank)
        )
    return builder.build()


def batch(graph: Graph, images: int = 5) -> dict[str, IntArray]:
    """Random codes; the first images hold the least and the greatest code everywhere."""
    value = graph.values["image"]
    codes = random_codes((images, *value.shape), value.type, 9)
    codes[0], codes[-1] = value.type.lo, value.type.hi
    return {"image": codes}


def equal(graph: Graph, images: int, *kept: tuple[str, ...]) -> NumbaEngine:
    """An engine, found equal: outputs alone (everything taken along), values `kept`, all values."""
    inputs = batch(graph, images)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    for keep in ((), *kept, tuple(graph.results)):
        for name, codes in engine.run(inputs, keep).items():
            assert np.array_equal(codes, wanted[name]), (name, keep)
    return engine


def assert_equal(graph: Graph, level: str, images: int = 5, packed: bool = True) -> None:
    """Also every value on its own."""
    engine = equal(graph, images, *((name,) for name in graph.results))
    if packed:
        units = {unit.result: unit.level for unit in engine.plan(tuple(graph.outputs))}
        assert set(units.values()) == {level}


@pytest.mark.parametrize("outputs", [1, 7, 8, 15, 16, 17, 31, 32, 33, 48, 64, 80, 96, 130])
def test_every_width_of_a_tile(outputs: int, level: str) -> None:
    assert_equal(chain(outputs=outputs), level)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 12, 13, 25])
@pytest.mark.parametrize("images", [1, 3])
def test_every_number_of_pixels(size: int, images: int, level: str) -> None:
    assert_equal(chain(shape=(5, 1, size), outputs=33), level, images)


@pytest.mark.parametrize(
    "codes",
    [IntType(0, 1), IntType(0, 255), IntType(-128, 127), IntType(-100, 27), BIPOLAR, IntType(3, 9)],
    ids=str,
)
@pytest.mark.parametrize("weights", [code_set(2), code_set(5), IntType(-128, 127)], ids=str)
def test_codes_and_weights_at_their_extremes(codes: IntType, weights: IntType, level: str) -> None:
    assert_equal(chain(codes=codes, weights=weights, kernel=3), level, packed=level != "avx2")


@pytest.mark.parametrize("greatest", [127, 255])
def test_sums_of_nothing_but_extremes(packed: Level, greatest: int) -> None:
    """Every code the greatest or 0, every weight the least, the greatest or 0: all four places."""
    channels, codes = 64, IntType(0, greatest)
    window = Window((8,), channels, (1,), (1,), (0,))
    x = np.full((1, 8, channels), greatest, np.uint8)
    for pixel in range(1, 8):
        x[0, pixel, pixel % 4 :: 1 + pixel % 3] = 0
    weight = np.full((40, channels, 1), -128, np.int8)
    weight[1::3], weight[2::5, ::2] = 127, 0
    weight[3::7, 1::3], weight[4::7, 2::4] = -1, 1
    if not fits_level(packed, codes, 0, weight):
        assert packed.pairs
        return
    base = base_of(codes, 0, packed.signed)
    assert base is not None
    product = packed_product(packed, window, weight, base, None)
    y = np.empty((8, 40), np.int32)
    frame = Frame.of(window, base, 0).copy(x)
    product.run(frame, 1, y.reshape(-1), np.arange(8, dtype=np.int64) * 40, 320)
    assert np.array_equal(y, x[0].astype(np.int64) @ weight[..., 0].T.astype(np.int64))


@pytest.mark.parametrize("end", ["hwmsb", "clip", "heaviside", "sign", "threshold", "folded", ""])
@pytest.mark.parametrize("codes", [IntType(0, 3), BIPOLAR], ids=str)
def test_what_a_product_takes_along(end: str, codes: IntType, level: str) -> None:
    assert_equal(chain(end=end, codes=codes, outputs=24), level, packed=False)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shuffle", [1, 2, 4, 8])
def test_a_shuffle_is_read_through(groups: int, shuffle: int, level: str) -> None:
    graph = chain(shape=(32, 4, 4), groups=groups, shuffle=shuffle, outputs=32)
    absorbed = (32 // groups) % shuffle == 0
    assert_equal(graph, level, packed=absorbed)


@pytest.mark.parametrize("shape", [(3, 9), (4, 4, 5, 3), (1, 3, 2, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_one_axis_or_three(shape: tuple[int, ...], stride: int, level: str) -> None:
    assert_equal(chain(shape=shape, stride=stride), level, packed=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_products(data: Any) -> None:
    groups = data.draw(st.sampled_from([1, 2, 3]))
    low = data.draw(st.integers(-60, 20))
    kernel = data.draw(st.integers(1, 4))
    graph = chain(
        codes=IntType(low, low + data.draw(st.integers(0, 200))),
        shape=(
            groups * data.draw(st.integers(1, 9)),
            *data.draw(st.tuples(*[st.integers(4, 8)] * 2)),
        ),
        outputs=groups * data.draw(st.integers(1, 40)),
        groups=groups,
        kernel=kernel,
        stride=data.draw(st.integers(1, 3)),
        padding=data.draw(st.integers(0, 2)),
        weights=data.draw(st.sampled_from([code_set(n) for n in (2, 3, 4, 5, 7)])),
        end=data.draw(
            st.sampled_from(["hwmsb", "clip", "heaviside", "sign", "threshold", "folded", ""])
        ),
        seed=data.draw(st.integers(0, 99)),
    )
    inputs = batch(graph)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    # tiles gather always, where it is cheaper, or only where they have to
    cost = data.draw(st.sampled_from([-1e9, tiles._COPY, 1e9]))
    for level in dict.fromkeys((*OF_BYTES, *HERE)):
        with first(level), pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiles, "_COPY", cost)
            found = create("numba", graph, threads=1).run(inputs)
            for name, codes in found.items():
                assert np.array_equal(codes, wanted[name]), (name, level.name)


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("outputs", [5, 16, 40, 64])
@pytest.mark.parametrize("wide", [False, True])
def test_no_byte_beyond_the_frame_is_read_and_none_beyond_the_result_is_written(
    packed: Level, channels: int, outputs: int, wide: bool
) -> None:
    window = Window((5, 4), channels, (3, 3), (1, 1), (1, 1))
    weight = random_codes((outputs, channels, 3, 3), code_set(3), 1)
    frame = Frame.of(window, 0, 1)
    source = Fenced(2 * frame.image + SLACK)
    source.array[:] = frame.copy(random_codes((2, 5, 4, channels), IntType(0, 3), 2))
    bias = np.arange(outputs) - outputs // 2
    product = packed_product(packed, window, weight, 0, None if wide else Rescale(bias, 1, 0, 3))
    size = 2 * 20 * outputs
    target = Fenced(4 * size if wide else size)
    result = target.array.view(np.int32) if wide else target.array
    product.run(source.array, 2, result, np.arange(20, dtype=np.int64) * outputs, 20 * outputs)
    assert source.untouched() and target.untouched()
    inside = frame.inside(source.array, 2).astype(np.int64)
    padded = np.pad(inside, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1)
    sums = sum(
        padded[:, u : u + 5, v : v + 4] @ weight[:, :, u, v].T.astype(np.int64)
        for u in range(3)
        for v in range(3)
    )
    expected = sums if wide else np.clip((sums + bias) >> 1, 0, 3)
    assert np.array_equal(result.reshape(2, 5, 4, outputs), expected)


def test_a_level_that_would_saturate_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    if "avx2" not in {level.name for level in HERE}:
        pytest.skip("the machine has no level that adds pairs in 16 bits")
    monkeypatch.setenv(VARIABLE, only("avx2"))
    for greatest, expected in ((64, "avx2"), (65, "portable")):
        graph = chain(codes=IntType(0, 255), weights=IntType(-greatest, greatest), end="")
        engine = create("numba", graph, threads=1)
        assert isinstance(engine, NumbaEngine)
        levels = {unit.result: unit.level for unit in engine.plan(("norm",))}
        assert levels[next(iter(levels))] == expected


@pytest.mark.parametrize(
    ("cpu", "instruction", "each"),
    [("x86-64", "pmaddwd", 4), ("nehalem", "pmaddwd", 4), ("haswell", "vpmaddwd", 2)],
)
def test_the_portable_level_is_pairs_of_products_on_x86(
    cpu: str, instruction: str, each: int
) -> None:
    for columns, rows in _ROWS[PORTABLE.lanes].items():
        variant = (micro.SUMS, PORTABLE.code, rows, columns, 1, 1, ())
        assembly, _ = compiled(variant, "x86_64-unknown-linux-gnu", cpu)
        assert loop(assembly).count(instruction) == each * rows * columns


def test_a_processor_with_nothing_but_the_portable_level() -> None:
    """numba compiles for the plainest processor only in a process of its own."""
    given = {"NUMBA_CPU_NAME": "generic", VARIABLE: only("portable")}
    script = (
        "from tests.engine.test_packed import assert_equal, chain\n"
        "from codesign.ir import IntType\n"
        "codes, weights = IntType(0, 255), IntType(-128, 127)\n"
        "assert_equal(chain(codes=codes, weights=weights, outputs=17), 'portable')\n"
        "print('equal')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | given, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("equal\n", 0), done.stderr


def test_results_depend_on_no_thread_or_chunk(level: str) -> None:
    graph = chain(shape=(16, 6, 6), outputs=32)
    inputs = batch(graph, 13)
    wanted = create("reference", graph, threads=1).run(inputs)
    for threads in (1, 2, 3):
        for chunk in (1, 2, 5, 13):
            engine = create("numba", graph, threads=threads)
            assert isinstance(engine, NumbaEngine)
            engine.chunk_images = chunk
            for name, codes in engine.run(inputs).items():
                assert np.array_equal(codes, wanted[name])


def test_an_unknown_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sse9")
    with pytest.raises(CodesignError) as error:
        create("numba", chain())
    names = ", ".join(level.name for level in LEVELS[:-1])
    assert str(error.value) == (
        f"CODESIGN_CPU_OFF: 'sse9' is not a level that can be switched off; give some of {names}"
    )


@pytest.mark.parametrize("outputs", [7, 16, 33, 64, 130])
@pytest.mark.parametrize("sizes", [(2, 2), (3, 5), (8, 7)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_a_pool_is_taken_along(
    outputs: int, sizes: tuple[int, int], kernel: int, packed: Level
) -> None:
    """Odd rows and columns are left out; the last tile has pools more than once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "suits", lambda *_: False)
        graph = chain(
            shape=(8, *sizes), outputs=outputs, kernel=kernel, padding=kernel // 2, pool=True
        )
        assert_equal(graph, packed.name, packed=not packed.tiles)
        engine = create("numba", graph, threads=1)
        assert isinstance(engine, NumbaEngine)
        results = [unit.result for unit in engine.plan(tuple(graph.outputs))]
        assert ("act" in results) is packed.tiles


@pytest.mark.parametrize("end", ["clip", "sign", "threshold", "folded"])
@pytest.mark.parametrize("pool", [(3, 2), (2, 2)])
def test_only_a_pool_of_squares_side_by_side_is_taken_along(
    end: str, pool: tuple[int, int], level: str
) -> None:
    graph = chain(shape=(3, 9, 7), end=end, codes=IntType(-9, 100), pool=pool)
    assert_equal(graph, level, packed=False)
