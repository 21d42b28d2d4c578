"""Residuals behind products: every way to merge, level, kind of product, copies, frames, parts."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import binding, ir

from benchmarks.networks import NETWORKS
from codesign.engine import create
from codesign.engine._numba import micro
from codesign.engine._numba.after import Rescale
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.features import PORTABLE, Level
from codesign.engine._numba.frames import Frame
from codesign.engine._numba.joins import AVERAGE, FIRST, GREATEST, LEAST, SECOND
from codesign.engine._numba.packed import Ready
from codesign.engine._numba.plan import PackedKernel
from codesign.engine._numba.skips import Skip
from codesign.engine._numba.tasks import address
from codesign.engine._numba.tiles import packed_product
from codesign.engine._numba.windows import Window
from codesign.engine._numba.winograd import Winograd
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set
from tests.engine import amx
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, OF_BYTES, first, of_bytes
from tests.engine.parts import call
from tests.engine.test_packed import ended
from tests.engine.test_winograd import whatever_it_costs
from tests.strategies import random_codes

CODES, BIT, BIPOLAR = IntType(0, 3), IntType(0, 1), IntType(-1, 1, 2)
TERNARY = code_set(3)
#: What is behind a product, and the codes it gives.
ENDS = {
    "hwmsb": IntType(0, 3), "clip": IntType(-3, 4), "heaviside": BIT, "sign": BIPOLAR,
    "threshold": IntType(0, 3),
}  # fmt: skip
#: A join, what stands where the select is 1 and where it is 0 (the join, the codes of the product,
#: the others), and what is behind the product. All ways: `test_all_codes_of_a_byte`.
WAYS = [
    ("shift_add", "jf", "hwmsb"), ("maximum", "xj", "clip"), ("bit_or", "j", "sign"),
    ("bit_and", "fx", "threshold"),
]  # fmt: skip


def block(
    *,
    join: str = "shift_add",
    choice: str = "jf",
    end: str = "hwmsb",
    channels: int = 64,
    sizes: tuple[int, ...] = (5, 4),
    times: int = 1,
    frames: int = 0,
    swapped: bool = False,
    kernel: int = 3,
    groups: int = 1,
    pool: bool = False,
    behind: int = 1,
    seed: int = 0,
) -> Graph:
    """A product and its end `f`, another map `x` (copied `times`), their merge, a product behind.

    The product behind has a border of `behind`; below 0 there is none.
    """
    builder, rank = GraphBuilder("block"), len(sizes)
    window, ones = (kernel,) * rank, (1,) * rank
    image = builder.input("image", (8 * groups, *sizes), CODES)
    w = builder.constant("w", random_codes((channels, 8, *window), TERNARY, seed), TERNARY)
    padding = (kernel // 2,) * rank
    f = builder.node(
        "conv", "conv", [image, w], stride=ones, padding=padding, pad_code=CODES.hi, groups=groups
    )
    f = ended(builder, f, channels, end, seed)
    if pool:
        f = builder.node("pool", "max_pool", [f], kernel=(2,) * rank, stride=(2,) * rank)
    shape = builder.value(f).shape
    x = builder.input("x", (shape[0] // times, *shape[1:]), ENDS[end])
    if times > 1:
        x = builder.node("copies", "repeat", [x], axis=0, times=times)
    values = {"f": f, "x": x}
    if "j" in choice:
        values["j"] = builder.node("join", join, [x, f] if swapped else [f, x])
    y = values[choice[0]]
    if len(choice) == 2:
        select = builder.input("select", (channels, *shape[1 : 1 + frames]), BIT)
        y = builder.node("mux", "mux", [*map(values.get, choice), select])  # type: ignore[list-item]
    builder.output(y)
    if behind >= 0:
        value = builder.value(y)
        behind_ = builder.constant("w2", random_codes((3, channels, *ones), TERNARY, 7), TERNARY)
        pad: dict[str, Any] = {"padding": (behind,) * rank, "pad_code": value.type.hi}
        builder.output(builder.node("second", "conv", [y, behind_], stride=ones, **pad))
    return builder.build()


def batch(graph: Graph, images: int, seed: int = 1) -> dict[str, IntArray]:
    """Random codes; of several images the first has only the least, the last the greatest."""
    found = {}
    for number, name in enumerate(graph.inputs):
        value = graph.values[name]
        found[name] = random_codes((images, *value.shape), value.type, seed + number)
        if images > 2:
            found[name][0], found[name][-1] = value.type.lo, value.type.hi
    return found


def equal(graph: Graph, images: int = 3) -> NumbaEngine:
    """The outputs that products behind read too; the last alone; each value, and all of them."""
    inputs = batch(graph, images)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    for names in (tuple(graph.outputs), tuple(graph.outputs[-1:]), tuple(graph.results)):
        results = engine.empty(names, images)
        engine.fill(inputs, results)
        for name, codes in results.items():
            assert np.array_equal(codes, wanted[name]), (name, names)
    return engine


def fused(engine: NumbaEngine, names: tuple[str, ...] = ()) -> dict[str, Ready]:
    """The products that have a skip, by their results."""
    return {
        unit.result: unit.run.packed
        for unit in engine.plan(names or tuple(engine.graph.outputs))
        if isinstance(unit.run, PackedKernel) and unit.run.packed.skip is not None
    }


@pytest.fixture(params=of_bytes())
def level(request: pytest.FixtureRequest) -> Any:
    """A level of bytes, which takes every product that it is exact on."""
    with first(request.param):
        yield request.param


@pytest.mark.parametrize(("join", "choice", "end"), WAYS)
def test_ways_to_merge(join: str, choice: str, end: str, level: Level) -> None:
    engine = equal(block(join=join, choice=choice, end=end))
    result = "join" if choice == "j" else "mux"
    assert set(fused(engine)) == {result}
    assert {unit.result for unit in engine.plan(tuple(engine.graph.outputs))} == {result, "second"}


@pytest.mark.parametrize("channels", [16, 48, 64, 128, 208])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("behind", [-1, 0, 2])
def test_every_width(channels: int, swapped: bool, behind: int, level: Level) -> None:
    engine = equal(block(channels=channels, swapped=swapped, behind=behind))
    assert set(fused(engine)) == {"mux"}


@pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (5, 9), (13,), (2, 3, 4)])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("images", [1, 4])
def test_every_size(sizes: tuple[int, ...], kernel: int, images: int, level: Level) -> None:
    engine = equal(block(sizes=sizes, kernel=kernel), images)
    assert set(fused(engine)) == {"mux"}


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_channels_that_are_read_again(times: int, groups: int, level: Level) -> None:
    """Copies that are whole vectors at every level; else the merge is a pass of its own."""
    for part, expected in ((64, True), (16, False)):
        graph = block(channels=times * part * groups, times=times, groups=groups)
        engine = equal(graph)
        assert bool(fused(engine)) is expected
        assert "copies" not in {unit.result for unit in engine.plan(tuple(graph.outputs))}


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("behind", [-1, 1])
def test_a_select_of_each_frame(frames: int, behind: int, level: Level) -> None:
    graph = block(sizes=(3, 4, 2), frames=frames, behind=behind)
    assert set(fused(equal(graph))) == {"mux"}


@pytest.mark.parametrize(("pool", "way"), [(False, WAYS[0]), (True, WAYS[1])])
@pytest.mark.parametrize("sizes", [(4, 4), (5, 7)])
def test_behind_winograd(pool: bool, way: tuple[str, str, str], sizes: tuple[int, int]) -> None:
    join, choice, end = way
    graph = block(sizes=sizes, join=join, choice=choice, pool=pool, end=end)
    for level in OF_BYTES:
        if not level.tiles:
            with whatever_it_costs(level):
                (product,) = fused(equal(graph)).values()
                assert isinstance(product, Winograd) and product.pooled is pool


def test_behind_a_pool(level: Level) -> None:
    engine = equal(block(sizes=(6, 7), pool=True, kernel=1))
    # tiles take no pool along: what is merged with its result stays a pass
    assert bool(fused(engine)) is not level.tiles


@pytest.mark.parametrize("level_of_bits", [v for v in HERE if v.bits], ids=lambda v: v.name)
@pytest.mark.parametrize("end", ["heaviside", "sign"])
def test_behind_products_of_bits(level_of_bits: Level, end: str) -> None:
    builder = GraphBuilder("bits")
    image, x = (
        builder.input("image", (64, 5, 4), BIPOLAR),
        builder.input("x", (32, 5, 4), ENDS[end]),
    )
    w = builder.constant("w", random_codes((32, 64, 3, 3), BIPOLAR, 1), BIPOLAR)
    f = builder.node("conv", "conv", [image, w], padding=(1, 1), pad_code=1)
    f = builder.node("act", end, [f])
    builder.output(builder.node("or", "bit_or", [f, x]))
    with first(level_of_bits):
        engine = equal(builder.build())
        assert set(fused(engine)) == {"or"}
        assert engine.level == level_of_bits.name


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("kind", ["tiles", "winograd", "packed"])
def test_no_byte_beyond_a_map_is_read_and_none_beyond_the_result_is_written(
    kind: str, images: int
) -> None:
    """Fences behind all four; whatever the number of parts, each writes what is its own."""
    if kind == "tiles" and amx.missing():
        pytest.skip(amx.missing())
    outputs, copies, pixels = 192, 3, 20
    window = Window((5, 4), 16, (3, 3), (1, 1), (1, 1))
    weight = random_codes((outputs, 16, 3, 3), TERNARY, 1)
    frame = Frame.of(window, 0, 1)
    laid = frame.copy(random_codes((images, 5, 4, 16), IntType(0, 3), 2))
    other = random_codes((images, pixels, outputs // copies), IntType(-4, 3), 3)
    select = random_codes((images, 5, outputs), BIT, 4)
    fenced = []
    for array in (laid, other, select):
        fence = Fenced(array.size)
        fence.array[:] = array.astype(np.int8).view(np.uint8).reshape(-1)
        fenced.append(fence)
    target = Fenced(images * pixels * outputs)
    skip = Skip(AVERAGE, SECOND, True, outputs // copies, outputs, pixels, frames=5, less=-9)
    bias: IntArray = np.arange(outputs) - outputs // 2
    after = Rescale(bias, 2, -4, 3)
    levels = [v for v in OF_BYTES if v.tiles is (kind == "tiles")]
    for level in levels:
        product: Ready
        if kind == "winograd":
            product = Winograd(level, window, weight, 0, 3, after, skip=skip)
        else:
            product = packed_product(level, window, weight, 0, after, skip=skip)
        padded = laid[: images * frame.image].reshape(images, 7, 6, 16).astype(np.int64)
        sums = sum(
            padded[:, u : u + 5, v : v + 4] @ weight[:, :, u, v].T.astype(np.int64)
            for u in range(3)
            for v in range(3)
        )
        f = np.clip((sums + bias) >> 2, -4, 3).reshape(images, 5, 4, outputs)
        x = np.tile(other.reshape(images, 5, 4, -1), copies).astype(np.int64)
        chosen = select.reshape(images, 5, 1, outputs) == 1
        wanted = (np.where(chosen, (f + x) >> 1, x) + 9).astype(np.uint8).reshape(-1)
        places = np.arange(pixels, dtype=np.int64) * outputs
        for parts in (1, 2, 5):
            target.array[:] = 200
            beside = fenced[1].array, fenced[2].array
            task = product.task(fenced[0].array, target.array, places, pixels * outputs, beside)
            assert task is not None
            task.record[0] = images
            for part in reversed(range(parts)):
                before = target.array.copy()
                with amx.instructions() if level.tiles else whatever_it_costs(level):
                    assert call(task, part, parts) == 1
                changed = target.array != before
                assert (before[changed] == 200).all()  # by no part before
            assert np.array_equal(target.array, wanted), (level.name, parts)
            assert all(fence.untouched() for fence in (*fenced, target))


def _merging(skip: tuple[int, ...]) -> Any:
    """A compiled function that puts 32 bytes: their address, the others', the select's, the target.

    7 is taken off.
    """
    module = ir.Module("merging")
    module.triple = binding.get_process_triple()
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 4)
    function = ir.Function(module, kind, "merging")
    builder = ir.IRBuilder(function.append_basic_block())
    own, other, select, target = function.args
    emit = micro._Emitter(builder, PORTABLE.code, 1, 1)
    value = emit.load(own, ir.VectorType(ir.IntType(8), 32))
    emit.put(value, [target, other, select], [ir.IntType(8)(7)], skip)
    builder.ret_void()
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
    engine.finalize_object()
    merge = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(engine.get_function_address("merging"))
    return engine, merge


@pytest.mark.parametrize("ones", [AVERAGE, GREATEST, LEAST, FIRST, SECOND])
@pytest.mark.parametrize("zeros", [0, AVERAGE, GREATEST, LEAST, FIRST, SECOND])
@pytest.mark.parametrize("signed", [False, True])
def test_all_codes_of_a_byte(ones: int, zeros: int, signed: bool) -> None:
    """Each pair of them, for either bit."""
    some = np.arange(256).astype(np.uint8).view(np.int8 if signed else np.uint8)
    f, x = (np.ascontiguousarray(grid).reshape(-1, 32) for grid in np.meshgrid(some, some))
    a, b = f.astype(np.int64), x.astype(np.int64)
    ways = {
        AVERAGE: (a + b) >> 1, GREATEST: np.maximum(a, b), LEAST: np.minimum(a, b), FIRST: a,
        SECOND: b,
    }  # fmt: skip
    engine, merge = _merging((ones, zeros, int(signed)))
    for bit in (0, 1):
        select, found = np.full_like(f, bit), np.empty_like(f)
        for rows in zip(f, x, select, found, strict=True):
            merge(*map(address, rows))
        wanted = ways[ones if bit or not zeros else zeros] - 7
        assert np.array_equal(found.view(np.uint8), wanted.astype(np.uint8))
    del engine


def _residual(*, also: str = "", channels: int = 16, groups: int = 1, swap: str = "") -> Graph:
    """`mux(shift_add(f, x), f, select)`, and something that keeps it from being fused."""
    builder, shape = GraphBuilder("apart"), (channels, 3, 3)
    image, x = builder.input("image", shape, CODES), builder.input("x", shape, CODES)
    weight = random_codes((channels, channels // groups, 1, 1), TERNARY, 1)
    w = builder.constant("w", weight, TERNARY)
    f = builder.node("conv", "conv", [image, w], groups=groups)
    f = builder.node("act", "clip", [f], lo=0, hi=3)
    select = builder.input("select", (channels,), BIT)
    join = builder.node("join", "shift_add", [f, f if swap == "self" else x])
    rest = builder.input("z", shape, CODES) if swap == "third" else f
    builder.output(builder.node("mux", "mux", [join, rest, select]))
    if also == "sum":
        builder.output(builder.node("sum", "sum_pool", [f]))
    if also == "output":
        builder.output(f)
    return builder.build()


@pytest.mark.parametrize(
    "given",
    [{"also": "sum"}, {"also": "output"}, {"channels": 12}, {"channels": 64, "groups": 64},
     {"swap": "third"}, {"swap": "self"}],
    ids=str,
)  # fmt: skip
def test_what_is_not_fused(given: dict[str, Any]) -> None:
    with first(PORTABLE):
        engine = equal(_residual(**given))
        assert not fused(engine)
        assert set(fused(equal(_residual()))) == {"mux"}


def test_shipped_networks_are_fused() -> None:
    for name, results in (
        ("mognet", {f"block{n}.mux" for n in range(1, 6)}),
        ("billnet", {f"encoder.block{n}.mux" for n in (1, 3, 4, 5)}),
    ):
        engine = create("numba", NETWORKS[name](), threads=1)
        assert isinstance(engine, NumbaEngine)
        assert set(fused(engine)) == results


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_blocks(data: Any) -> None:
    join, choice, end = data.draw(st.sampled_from(WAYS[:2]))
    rank = data.draw(st.integers(1, 3))
    groups = data.draw(st.sampled_from([1, 2]))
    times = data.draw(st.sampled_from([1, 1, 2]))
    graph = block(
        join=join,
        choice=choice,
        end=end,
        channels=times * groups * 64 * data.draw(st.integers(1, 2)),
        sizes=data.draw(st.tuples(*[st.integers(2, 6)] * rank)),
        times=times,
        frames=data.draw(st.integers(0, rank - 1)),
        swapped=data.draw(st.booleans()),
        kernel=data.draw(st.sampled_from([1, 3])),
        groups=groups,
        behind=data.draw(st.integers(-1, 1)),
        seed=data.draw(st.integers(0, 99)),
    )
    for level in OF_BYTES:
        with first(level):
            equal(graph, data.draw(st.integers(1, 4)))
