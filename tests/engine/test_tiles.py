"""Products by AMX tiles: which pixels share one, where its bytes come from, when it is taken."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.networks import NETWORKS
from codesign.engine import create
from codesign.engine._numba import features, tiles
from codesign.engine._numba.after import Counted, Cut, Rescale
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.tiles import Tiled, cover, suits, way_of
from codesign.engine._numba.windows import SLACK, Window, pixel_offsets
from codesign.ir import GraphBuilder, IntArray, IntType, code_set
from tests.engine import amx
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, first
from tests.engine.parts import call
from tests.strategies import random_codes

emulated = pytest.mark.skipif(bool(amx.missing()), reason=amx.missing())
VNNI = next(level for level in features.LEVELS if level.name == "vnni")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_pixel_has_one_row_of_one_tile_and_no_row_leaves_the_map(data: Any) -> None:
    rank = data.draw(st.integers(1, 3))
    sizes = data.draw(st.tuples(*[st.integers(1, 40 if rank == 1 else 9)] * rank))
    inner = tuple(data.draw(st.integers(1, size)) for size in sizes)
    stride = tuple(
        data.draw(st.integers(1, max(1, size // count)))
        for size, count in zip(sizes, inner, strict=True)
    )
    inner = tuple(min(n, (s - 1) // d + 1) for n, s, d in zip(inner, sizes, stride, strict=True))
    starts = pixel_offsets(sizes, inner, stride, (0,) * rank, data.draw(st.integers(1, 5)))
    found = cover(starts)
    if found is None:
        return
    rows = found.starts[:, None] + found.pitch * np.arange(16)
    assert rows.min() >= starts[0] and rows.max() <= starts[-1]
    assert sorted(found.pixels[found.pixels >= 0]) == list(range(len(starts)))
    assert np.array_equal(rows[found.pixels >= 0], starts[found.pixels[found.pixels >= 0]])


def test_tiles_of_a_wide_map_are_parts_of_its_rows() -> None:
    found = way_of(Window((32, 32), 64, (3, 3), (1, 1), (1, 1)), 64).cover
    assert found is not None and found.pitch == 64
    assert found.pixels.tolist() == np.arange(1024).reshape(64, 16).tolist()


def test_a_tile_of_a_narrow_map_goes_on_in_the_next_row() -> None:
    found = cover(Window((8, 8), 64, (3, 3), (1, 1), (1, 1)).starts)
    assert found is not None
    # two positions behind eight pixels are border
    assert found.pixels[0].tolist() == [*range(8), -1, -1, *range(8, 14)]
    assert len(found.starts) == 5


@pytest.mark.parametrize(
    "window",
    [Window((3, 3), 8, (3, 3), (1, 1), (1, 1)), Window((15,), 8, (1,), (1,), (0,))],
)
def test_a_map_shorter_than_a_tile_has_none(window: Window) -> None:
    assert cover(window.starts) is None


WINDOWS = {
    "wide": Window((5, 33), 64, (3, 3), (1, 1), (1, 1)),
    "narrow": Window((6, 6), 70, (3, 3), (1, 1), (1, 1)),
    "strided": Window((9, 40), 20, (2, 3), (2, 2), (0, 1)),
    "grouped": Window((4, 18), 48, (3, 2), (1, 1), (1, 0), groups=3),
    "axis": Window((50,), 33, (4,), (3,), (2,)),
    "clip": Window((3, 4, 7), 16, (2, 3, 3), (1, 1, 1), (0, 1, 1)),
    "linear": Window((1,), 200, (1,), (1,), (0,)),
    "whole": Window((4, 3), 40, (4, 3), (1, 1), (0, 0)),
}


def sums_of(window: Window, map_: IntArray, weight: IntArray) -> IntArray:
    """The definition: (N, *results, outputs) of (N, *sizes, channels), padded with 1."""
    around = [(0, 0), *((p, p) for p in window.padding), (0, 0)]
    padded = np.pad(map_.astype(np.int64), around, constant_values=1)
    groups, outputs = window.groups, len(weight)
    found = np.zeros((len(map_), *window.results, outputs), np.int64)
    depth = window.channels // groups
    for tap in np.ndindex(window.kernel):
        cut = tuple(
            slice(t, t + d * (n - 1) + 1, d)
            for t, d, n in zip(tap, window.stride, window.results, strict=True)
        )
        seen = padded[(slice(None), *cut)]
        for g in range(groups):
            own = slice(g * outputs // groups, (g + 1) * outputs // groups)
            part = weight[(own, slice(None), *tap)].astype(np.int64)
            found[..., own] += seen[..., g * depth : (g + 1) * depth] @ part.T
    return found


@emulated
@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("images", [1, 2, 21, 80])
@pytest.mark.parametrize("way", ["direct", "gathered"])
@pytest.mark.parametrize("outputs", [33, 48])
def test_both_ways_give_the_sums_within_their_arrays(
    name: str, images: int, way: str, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "_COPY", 1e9 if way == "direct" else -1e9)
    window = WINDOWS[name]
    weight = random_codes(
        (outputs, window.channels // window.groups, *window.kernel), IntType(-128, 127), 1
    )
    map_ = random_codes((images, *window.sizes, window.channels), IntType(0, 255), 2)
    frame = Frame.of(window, 0, 1)
    source = Fenced(images * frame.image + SLACK)
    source.array[:] = frame.copy(map_)
    product = Tiled(amx.LEVEL, window, weight, 0, None)
    assert (product.cover is not None) == (way == "direct")
    pixels = int(np.prod(window.results))
    target = Fenced(4 * images * pixels * outputs)
    places = np.arange(pixels, dtype=np.int64) * outputs
    with amx.instructions():
        before = 0 if amx.NATIVE else amx.emulator().amx_executed()
        product.run(source.array, images, target.array.view(np.int32), places, pixels * outputs)
        assert amx.NATIVE or amx.emulator().amx_executed() > before
    assert source.untouched() and target.untouched()
    found = target.array.view(np.int32).reshape(images, *window.results, outputs)
    assert np.array_equal(found, sums_of(window, map_, weight))


@emulated
@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("way", ["direct", "gathered"])
def test_parts_write_every_result_once(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "_COPY", 1e9 if way == "direct" else -1e9)
    window, outputs, images = WINDOWS[name], 48, 21
    weight = random_codes(
        (outputs, window.channels // window.groups, *window.kernel), code_set(3), 1
    )
    map_ = random_codes((images, *window.sizes, window.channels), IntType(0, 3), 2)
    frame = Frame.of(window, 0, 1).copy(map_)
    product = Tiled(amx.LEVEL, window, weight, 0, None)
    pixels = int(np.prod(window.results))
    places, times, total = np.arange(pixels, dtype=np.int64) * outputs, 0, 0
    none = np.full(images * pixels * outputs, -(1 << 31), np.int32)  # no sum is as little
    for part in range(5):
        y = none.copy()
        with amx.instructions():
            task = product.task(frame, y, places, pixels * outputs)
            task.record[0] = images
            assert call(task, part, 5) == 1
        times += (y != none).astype(int)
        total += np.where(y == none, 0, y)
    assert (times == 1).all()
    expected = sums_of(window, map_, weight)
    assert np.array_equal(np.reshape(total, expected.shape), expected)


@emulated
@pytest.mark.parametrize("outputs", [16, 40, 64])
@pytest.mark.parametrize("end", ["codes", "counts", "bits"])
def test_ends_of_a_product(outputs: int, end: str) -> None:
    window = Window((4, 17), 24, (3, 3), (1, 1), (1, 1))
    weight = random_codes((outputs, 24, 3, 3), code_set(3), 1)
    map_ = random_codes((3, 4, 17, 24), IntType(0, 3), 2)
    frame = Frame.of(window, 0, 1)
    sums = sums_of(window, map_, weight)
    bias, side = np.arange(outputs) - 9, 1 - 2 * (np.arange(outputs) % 3 % 2)
    levels = np.sort(random_codes((outputs, 3), IntType(-20, 20), 3), axis=1).astype(np.int64)
    after: Rescale | Counted | Cut
    if end == "codes":
        after = Rescale(bias, 2, -3, 4, 1, 7)
        expected = (np.clip((sums + bias) >> 2, -3, 4) << 1) + 7
    elif end == "counts":
        after = Counted(bias, side, levels, 2)
        reached = ((sums + bias) * side)[..., None] >= levels
        expected = reached.sum(-1) + 2
    else:
        after = Cut(side, levels[:, 0])
        expected = np.packbits(sums * side >= levels[:, 0], axis=-1, bitorder="little")
    stored = expected.shape[-1]
    target = Fenced(3 * 68 * stored)
    with amx.instructions():
        Tiled(amx.LEVEL, window, weight, 0, after).run(
            frame.copy(map_), 3, target.array, np.arange(68, dtype=np.int64) * stored, 68 * stored
        )
    assert target.untouched()
    assert np.array_equal(target.array.reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("window", "outputs", "taken", "direct"),
    [
        (Window((32, 32), 64, (3, 3), (1, 1), (1, 1)), 64, True, True),
        (Window((4, 4), 256, (3, 3), (1, 1), (1, 1)), 256, True, False),
        (Window((32, 32), 3, (3, 3), (1, 1), (1, 1)), 64, True, True),
        (Window((32, 32), 64, (3, 3), (1, 1), (1, 1), groups=4), 64, True, True),
        (Window((1,), 512, (1,), (1,), (0,)), 10, True, True),
        # one channel a group: a tile would be a hundredth full
        (Window((32, 32), 64, (3, 3), (1, 1), (1, 1), groups=64), 64, False, False),
        (Window((40,), 1, (5,), (1,), (0,)), 8, False, False),
    ],
)
def test_tiles_are_taken_where_they_are_less_work(
    window: Window, outputs: int, taken: bool, direct: bool
) -> None:
    assert suits(amx.LEVEL, window, outputs) == taken
    assert suits(VNNI, window, outputs)
    if taken:
        assert (way_of(window, outputs // window.groups).cover is not None) == direct


@emulated
def test_a_network_takes_tiles_for_what_suits_them() -> None:
    builder = GraphBuilder("network")
    image = builder.input("image", (64, 18, 18), IntType(0, 3))
    kinds = code_set(3)
    wide = builder.constant("w1", random_codes((64, 64, 3, 3), kinds, 1), kinds)
    x = builder.node("wide", "conv", [image, wide], padding=(1, 1))
    x = builder.node("codes", "hwmsb", [x], bits=2, shift=3)
    thin = builder.constant("w2", random_codes((32, 2, 3, 3), kinds, 2), kinds)
    builder.output(builder.node("thin", "conv", [x, thin], groups=32))
    graph = builder.build()
    batch = {"image": random_codes((3, 64, 18, 18), IntType(0, 3), 3)}
    wanted = create("reference", graph, threads=1).run(batch, graph.results)
    with amx.machine():
        engine = create("numba", graph, threads=1)
        assert isinstance(engine, NumbaEngine)
        planned = {unit.result: unit.level for unit in engine.plan(tuple(graph.outputs))}
        assert planned["codes"] == "amx" and planned["thin"] != "amx"
        assert np.array_equal(engine.run(batch)["thin"], wanted["thin"])


@emulated
@pytest.mark.nightly
@pytest.mark.parametrize("name", NETWORKS)
def test_whole_networks_are_the_same_by_tiles(name: str) -> None:
    graph = NETWORKS[name]()
    batch = {
        node: random_codes((2, *graph.values[node].shape), graph.values[node].type, 1)
        for node in graph.inputs
    }
    keep = tuple(graph.results)
    with first(features.PORTABLE):
        expected = create("numba", graph, threads=2).run(batch, keep)
    with amx.machine():
        engine = create("numba", graph, threads=2)
        for wanted in ((), keep):
            for value, codes in engine.run(batch, wanted).items():
                assert np.array_equal(codes, expected[value]), value
        assert engine.level.split(", ")[0] == "amx"


class Kernel:
    """The C library, whose kernel answers `answer`."""

    def __init__(self, answer: int) -> None:
        self.answer, self.calls = answer, list[tuple[int, ...]]()

    def syscall(self, *arguments: int) -> int:
        self.calls.append(arguments)
        return self.answer


@pytest.mark.parametrize(("answer", "permitted"), [(0, True), (-1, False)])
def test_the_level_is_there_if_the_kernel_permits_it(
    answer: int, permitted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(answer)
    host = {feature: True for level in features.LEVELS for feature in level.needs}
    monkeypatch.setattr(features.ctypes, "CDLL", lambda name: kernel)
    monkeypatch.setattr(features.sys, "platform", "linux")
    monkeypatch.setattr(features.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(features, "_host_features", lambda: host)
    permit, allowed = features._tiles_are_permitted, features._allowed
    monkeypatch.setattr(features, "_tiles_are_permitted", features.lru_cache(permit.__wrapped__))
    found = [[level.name for level in allowed.__wrapped__(off)] for off in ("", "", "amx")]
    names = [level.name for level in features.LEVELS]
    assert found == [names if permitted else names[1:]] * 2 + [names[1:]]
    assert kernel.calls == [(158, 0x1023, 18)]  # asked once


@pytest.mark.parametrize(("system", "machine"), [("darwin", "x86_64"), ("linux", "aarch64")])
def test_no_other_system_is_asked(
    system: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features.ctypes, "CDLL", lambda name: pytest.fail("asked"))
    monkeypatch.setattr(features.sys, "platform", system)
    monkeypatch.setattr(features.platform, "machine", lambda: machine)
    assert not features._tiles_are_permitted.__wrapped__()


def test_levels_are_ordered_and_told_apart() -> None:
    assert features.LEVELS[0] is amx.LEVEL
    codes = [level.code for level in features.LEVELS]
    assert len(set(codes)) == len(codes)
    assert all(a.name != b.name for a, b in pairwise(HERE))


@emulated
def test_the_emulator_is_used_only_where_the_machine_has_no_tiles() -> None:
    with amx.machine():
        assert features.levels()[0] is amx.LEVEL
    assert features.levels() == HERE
    assert (amx.LEVEL in HERE) == amx.NATIVE
