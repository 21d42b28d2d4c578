"""Depthwise products at every level: widths, windows, what they take along, stray bytes, parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from codesign.engine._numba.after import Rescale
from codesign.engine._numba.depthwise import Depthwise, is_depthwise
from codesign.engine._numba.features import Level
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.plan import PackedKernel
from codesign.engine._numba.tasks import compute
from codesign.engine._numba.windows import SLACK, Window
from codesign.ir import Graph, IntType, code_set
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, first
from tests.engine.parts import call
from tests.engine.test_packed import BIPOLAR, TWO_BITS, chain, equal
from tests.strategies import random_codes


@pytest.fixture(params=[pytest.param(v, id=v.name) for v in HERE if not v.bits and not v.tiles])
def level(request: pytest.FixtureRequest) -> Iterator[Level]:
    assert isinstance(request.param, Level)
    with first(request.param):
        yield request.param


def depthwise(channels: int, sizes: tuple[int, ...] = (7, 5), **given: object) -> Graph:
    wide = {"shape": (channels, *sizes), "groups": channels, "outputs": channels}
    return chain(**(wide | given))  # type: ignore[arg-type]


def assert_equal(graph: Graph, result: str = "act", images: int = 3) -> None:
    engine = equal(graph, images)
    kernels = {unit.result: unit.run for unit in engine.plan(tuple(graph.outputs))}
    kernel = kernels[result]
    assert isinstance(kernel, PackedKernel) and isinstance(kernel.packed, Depthwise)


@pytest.mark.parametrize("channels", [4, 5, 15, 16, 31, 32, 33, 63, 64, 65, 200])
def test_every_width(channels: int, level: Level) -> None:
    assert_equal(depthwise(channels))


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (13, 1), (9,), (3, 4, 2)])
@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_window(sizes: tuple[int, ...], kernel: int, stride: int, level: Level) -> None:
    assert_equal(depthwise(20, sizes, kernel=kernel, stride=stride))


@pytest.mark.parametrize(
    ("end", "name"),
    [("hwmsb", "act"), ("clip", "act"), ("heaviside", "act"), ("sign", "act"),
     ("threshold", "act"), ("folded", "act"), ("", "norm")],
)  # fmt: skip
@pytest.mark.parametrize("codes", [TWO_BITS, BIPOLAR], ids=str)
def test_what_it_takes_along(end: str, name: str, codes: IntType, level: Level) -> None:
    assert_equal(depthwise(70, end=end, codes=codes), name)


@pytest.mark.parametrize("codes", [IntType(0, 255), IntType(-128, 127), IntType(3, 9)], ids=str)
@pytest.mark.parametrize("weights", [code_set(2), IntType(-128, 127)], ids=str)
def test_codes_and_weights_at_their_extremes(
    codes: IntType, weights: IntType, level: Level
) -> None:
    graph = depthwise(36, codes=codes, weights=weights)
    saturates = level.pairs and weights.lo == -128 and codes.hi > 100
    if not saturates:
        assert_equal(graph)


@pytest.mark.parametrize("channels", [5, 64, 70])
@pytest.mark.parametrize("wide", [False, True])
def test_no_byte_beyond_the_frame_is_read_and_none_beyond_the_result_is_written(
    channels: int, wide: bool, level: Level
) -> None:
    window = Window((5, 4), channels, (3, 3), (1, 1), (1, 1), channels)
    weight = random_codes((channels, 1, 3, 3), code_set(5), 1)
    frame, bias = Frame.of(window, 0, 1), np.arange(channels) - channels // 2
    product = Depthwise(level, window, weight, 0, None if wide else Rescale(bias, 1, 0, 3))
    # a map is read without what stands behind a frame where it is said to be
    source = Fenced(2 * frame.image + (0 if product.reads_within else SLACK))
    whole = frame.copy(random_codes((2, 5, 4, channels), IntType(0, 3), 2))
    source.array[:] = whole[: len(source.array)]
    size = 2 * 20 * channels
    target = Fenced(4 * size if wide else size)
    result = target.array.view(np.int32) if wide else target.array
    product.run(source.array, 2, result, np.arange(20, dtype=np.int64) * channels, 20 * channels)
    assert source.untouched() and target.untouched()
    padded = source.array[: 2 * frame.image].reshape(2, 7, 6, channels).astype(np.int64)
    sums = sum(
        padded[:, u : u + 5, v : v + 4] * weight[:, 0, u, v].astype(np.int64)
        for u in range(3)
        for v in range(3)
    )
    expected = sums if wide else np.clip((sums + bias) >> 1, 0, 3)
    assert np.array_equal(result.reshape(2, 5, 4, channels), expected)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_are_the_whole(parts: int, level: Level) -> None:
    channels = 150
    window = Window((7, 5), channels, (3, 3), (1, 1), (1, 1), channels)
    weight = random_codes((channels, 1, 3, 3), code_set(5), 1)
    after = Rescale(np.zeros(channels, np.int64), 1, 0, 3)
    product = Depthwise(level, window, weight, 0, after)
    frame = Frame.of(window, 0, 0).copy(random_codes((3, 7, 5, channels), IntType(0, 3), 2))
    size, places = 35 * channels, np.arange(35, dtype=np.int64) * channels
    whole, joined = np.empty(3 * size, np.uint8), np.full(3 * size, 99, np.uint8)
    compute(product.task(frame, whole, places, size), 3)  # type: ignore[arg-type]
    task = product.task(frame, joined, places, size)
    assert task is not None
    task.record[0] = 3
    for part in reversed(range(parts)):
        assert call(task, part, parts) == 1
    assert np.array_equal(whole, joined)


def test_which_products_are_depthwise() -> None:
    window = Window((5, 5), 8, (3, 3), (1, 1), (1, 1), 8)
    assert is_depthwise(window, 8)
    assert not is_depthwise(window, 16)  # two filters a channel
    assert not is_depthwise(Window((5, 5), 8, (3, 3), (1, 1), (1, 1), 4), 8)
    assert not is_depthwise(Window((5, 5), 3, (3, 3), (1, 1), (1, 1), 3), 3)  # tiles are as good
