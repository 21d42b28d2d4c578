"""Products of bits: packing, every width and border, all ends, maps of bits, stray bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.engine import create
from codesign.engine._numba import bits
from codesign.engine._numba.after import Counted, Cut, Rescale
from codesign.engine._numba.bitmaps import BitFrame, cut_of, fits_bits, shared
from codesign.engine._numba.engine import NumbaEngine
from codesign.engine._numba.features import LEVELS as EVERY
from codesign.engine._numba.features import VARIABLE
from codesign.engine._numba.layout import channels_last
from codesign.engine._numba.packed import Packed
from codesign.engine._numba.windows import SLACK, Window
from codesign.ir import Graph, GraphBuilder, IntArray, IntType
from tests.engine.fence import Fenced
from tests.engine.levels import HERE, only
from tests.strategies import random_codes

LEVELS = [level for level in HERE if level.bits]
if not LEVELS:
    pytest.skip("the machine counts no bits in vectors", allow_module_level=True)

#: Channels of a 3 x 3 window that are too few to be counted.
FEW = {"popcount": 6, "nibbles": 9}
#: Levels to switch off, so that the first is one of bits: alone, and with some of bytes behind it.
OFF = sorted(
    {
        ",".join(sorted({*only(level.name).split(","), *rest} - {""}))
        for level in LEVELS
        for rest in ((), ("vnni",), ("vnni", "avx2"))
    }
)

BIT, BIPOLAR, PIXEL = IntType(0, 1), IntType(-1, 1, 2), IntType(0, 255)
PAIRS = (BIT, BIPOLAR, IntType(-1, 0), IntType(3, 4), IntType(-128, 127, 255), IntType(5, 250, 245))
ENDS = ("sign", "heaviside", "hwmsb", "clip", "passed", "flipped", "counted")


class Layers:
    """A program layer by layer; weights are -k and k, random."""

    def __init__(self, codes: IntType, shape: tuple[int, ...], seed: int = 0) -> None:
        self.builder, self.seed, self.number = GraphBuilder("bits"), seed, 0
        self.last = self.builder.input("image", shape, codes)

    def constant(self, shape: tuple[int, ...], codes: IntType) -> str:
        self.number += 1
        data = random_codes(shape, codes, self.seed + self.number)
        return self.builder.constant(f"c{self.number}", data, codes)

    def conv(
        self, name: str, outputs: int, *, kernel: int = 3, padding: int = 1, pad: str = "hi",
        stride: int = 1, groups: int = 1, k: int = 1,
    ) -> Layers:  # fmt: skip
        x = self.builder.value(self.last)
        rank = len(x.shape) - 1
        pad_code = x.type.hi if pad == "hi" else x.type.lo
        w = self.constant((outputs, x.shape[0] // groups, *(kernel,) * rank), IntType(-k, k, 2 * k))
        self.last = self.builder.node(
            name, "conv", [self.last, w], groups=groups, stride=(stride,) * rank,
            padding=(padding,) * rank, pad_code=pad_code,
        )  # fmt: skip
        return self

    def linear(self, name: str, outputs: int, k: int = 1) -> Layers:
        x = self.builder.value(self.last)
        if len(x.shape) > 1:
            self.last = self.builder.node(f"{name}.flat", "reshape", [self.last], shape=(x.size,))
        w = self.constant((outputs, x.size), IntType(-k, k, 2 * k))
        self.last = self.builder.node(name, "linear", [self.last, w])
        return self

    def end(self, name: str, how: str) -> Layers:
        """An activation; all but "passed" and "flipped" stand behind a bias."""
        builder, outputs = self.builder, self.builder.value(self.last).shape[0]
        bias = IntType(-9, 9)
        if how in ("passed", "flipped", "counted"):
            count = 3 if how == "counted" else 1
            levels = np.sort(random_codes((outputs, count), bias, self.seed + 50), axis=1)
            flip = np.arange(outputs) % 3 % 2 if how != "passed" else np.zeros(outputs, int)
            levels_name = builder.constant(f"{name}.levels", levels, bias)
            flip_name = builder.constant(f"{name}.flip", flip, BIT)
            self.last = builder.node(name, "threshold", [self.last, levels_name, flip_name])
            return self
        shift = 3 if how == "shift" else 1
        bias_name = self.constant((outputs,), bias)
        attributes: dict[str, dict[str, Any]] = {
            "hwmsb": {"bits": 1, "shift": 2}, "clip": {"lo": -2, "hi": -1},
        }  # fmt: skip
        norm = builder.node(f"{name}.norm", "bit_shift_norm", [self.last, bias_name], shift=shift)
        if how == "shift":
            self.last = norm
        else:
            self.last = builder.node(name, how, [norm], **attributes.get(how, {}))
        return self

    def pool(self, name: str, kernel: int = 2, stride: int = 2) -> Layers:
        rank = len(self.builder.value(self.last).shape) - 1
        self.last = self.builder.node(
            name, "max_pool", [self.last], kernel=(kernel,) * rank, stride=(stride,) * rank
        )
        return self

    def build(self) -> Graph:
        self.builder.output(self.last)
        return self.builder.build()


def batch(graph: Graph, images: int = 3) -> dict[str, IntArray]:
    """Random codes; the first image holds the least code everywhere, the last the greatest."""
    value = graph.values["image"]
    codes = random_codes((images, *value.shape), value.type, 9)
    codes[0], codes[-1] = value.type.lo, value.type.hi
    return {"image": codes}


def engine_of(graph: Graph) -> NumbaEngine:
    engine = create("numba", graph, threads=1)
    assert isinstance(engine, NumbaEngine)
    return engine


def levels_of(engine: NumbaEngine) -> dict[str, str]:
    """The level of each unit of the outputs that is a product."""
    units = engine.plan(tuple(engine.graph.outputs))
    return {unit.result: unit.level for unit in units if unit.level}


def assert_equal(graph: Graph, counted: int | None = None, images: int = 3) -> None:
    """Outputs alone, each value beside them, and all; so many products count bits."""
    inputs = batch(graph, images)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    engine = engine_of(graph)
    for keep in ((), *((name,) for name in graph.results), tuple(graph.results)):
        for name, codes in engine.run(inputs, keep).items():
            assert np.array_equal(codes, wanted[name]), (name, keep)
    if counted is not None:
        names = {level.name for level in LEVELS}
        assert sum(name in names for name in levels_of(engine).values()) == counted


@pytest.fixture(params=[level.name for level in LEVELS])
def counting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A level of bits; the faster ones are switched off."""
    monkeypatch.setenv(VARIABLE, only(str(request.param)))
    return str(request.param)


@pytest.fixture(params=OFF)
def off(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Levels switched off: those before one of bits, and some of bytes behind it."""
    monkeypatch.setenv(VARIABLE, request.param)
    return str(request.param)


@pytest.mark.parametrize("codes", PAIRS, ids=str)
def test_bits_are_packed_in_words_of_the_pixel(codes: IntType) -> None:
    for channels in range(1, 71):
        for sizes, padding, pad in (((5,), (0,), codes.lo), ((2, 3), (1, 2), codes.hi)):
            frame = BitFrame(sizes, padding, channels, codes, pad)
            x = random_codes((2, *sizes, channels), codes, channels)
            border = [(0, 0), *((p, p) for p in padding), (0, 0)]
            padded = np.pad(x, border, constant_values=pad) == codes.hi
            words = np.zeros((*padded.shape[:-1], frame.pixel * 8), np.uint8)
            words[..., :channels] = padded
            wanted = np.packbits(words, axis=-1, bitorder="little").reshape(-1)
            for carrier in (x, x.astype(np.int64), np.asfortranarray(x)):
                found = frame.copy(carrier)
                assert len(found) == len(wanted) + SLACK == 2 * frame.image + SLACK
                assert np.array_equal(found[: len(wanted)], wanted)


@pytest.mark.parametrize("packed", LEVELS, ids=lambda level: level.name)
@pytest.mark.parametrize("codes", PAIRS, ids=str)
@pytest.mark.parametrize("pad", ["lo", "hi"])
def test_sums_of_every_number_of_channels(packed: Any, codes: IntType, pad: str) -> None:
    pad_code = codes.lo if pad == "lo" else codes.hi
    for channels in range(1, 71):
        k = 1 + channels % 3
        weight = random_codes((5, channels, 2, 3), IntType(-k, k, 2 * k), channels)
        if channels % 10 == 0:
            weight[...] = k if channels % 20 else -k
        window = Window((3, 4), channels, (2, 3), (1, 1), (1, 1))
        x = random_codes((2, 3, 4, channels), codes, 1)
        frame = BitFrame.of(window, codes, pad_code)
        product = Packed(packed, window, weight, codes.lo, None, codes.step)
        y = np.empty((2, 4, 4, 5), np.int32)
        product.run(frame.copy(x), 2, y.reshape(-1), np.arange(16) * 5, 80)
        padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=pad_code)
        seen = np.lib.stride_tricks.sliding_window_view(padded.astype(np.int64), (2, 3), (1, 2))
        assert np.array_equal(y, np.einsum("nijcuv,ocuv->nijo", seen, weight.astype(np.int64)))


@pytest.mark.parametrize("outputs", [1, 7, 8, 9, 16, 17, 31, 32, 33, 40, 48, 64, 80, 96, 130])
def test_every_width_of_a_tile(outputs: int, counting: str) -> None:
    graph = (
        Layers(BIPOLAR, (32, 7, 5)).conv("a", outputs).end("a.act", "sign")
        .conv("b", outputs).end("b.act", "hwmsb").conv("c", 3, k=2).build()
    )  # fmt: skip
    assert_equal(graph, 3 if outputs > FEW[counting] else 1)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 12, 13, 25])
@pytest.mark.parametrize("images", [1, 3])
def test_every_number_of_pixels(size: int, images: int, counting: str) -> None:
    graph = Layers(BIT, (33, 1, size)).conv("a", 33).end("a.act", "heaviside").conv("b", 9).build()
    assert_equal(graph, 2, images)


@pytest.mark.parametrize("codes", [*PAIRS, PIXEL], ids=str)
@pytest.mark.parametrize("end", ENDS)
def test_all_ends(codes: IntType, end: str, off: str) -> None:
    graph = (
        Layers(codes, (20, 6, 5), len(end)).conv("a", 24, pad="lo").end("a.act", end)
        .conv("b", 17, pad="hi").end("b.act", end).pool("b.pool")
        .conv("c", 40, pad="lo", k=3).end("c.shifted", "shift").build()
    )  # fmt: skip
    assert_equal(graph, (codes.count == 2) + (2 if end != "counted" else 0))


@pytest.mark.usefixtures("off")
def test_the_maps_between_lie_as_bits() -> None:
    """Also those that a product writes pooled, and those of other pools."""
    graph = (
        Layers(PIXEL, (3, 14, 14)).conv("a", 40, padding=0).end("a.act", "hwmsb").pool("a.pool")
        .conv("b", 64, pad="hi").end("b.act", "sign").conv("c", 32, pad="lo")
        .end("c.act", "flipped").pool("c.pool").pool("c.again", 1, 1).conv("d", 5).build()
    )  # fmt: skip
    engine, inputs = engine_of(graph), batch(graph)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    alive = {"image": channels_last(inputs["image"])}
    for unit in engine.plan(tuple(graph.outputs)):
        alive[unit.result] = unit.run(*[alive[name] for name in unit.sources])
    sizes = {name: len(array) - SLACK for name, array in alive.items() if array.ndim == 1}
    assert sizes == {
        "a.pool": 3 * 8 * 8 * 8,
        "b.act": 3 * 8 * 8 * 8,
        "c.pool": 3 * 3 * 3 * 4,
        "c.again": 3 * 5 * 5 * 4,
    }
    pooled = BitFrame((6, 6), (1, 1), 40, BIT, 1).copy(channels_last(wanted["a.pool"]))
    assert np.array_equal(alive["a.pool"][:-SLACK], pooled[:-SLACK])
    assert np.array_equal(np.moveaxis(alive["d"], -1, 1), wanted["d"])


def test_a_map_with_other_readers_stays_bytes(counting: str) -> None:
    """Two frames, a pool whose result is an output, and a product of bytes beside one of bits."""
    builder = GraphBuilder("readers")
    x = builder.input("image", (32, 6, 6), BIT)

    def conv(name: str, source: str, codes: IntType, padding: int = 0) -> str:
        data = random_codes((32, 32, 3, 3), codes, len(name))
        weight = builder.constant(f"{name}.w", data, codes)
        return builder.node(name, "conv", [source, weight], padding=(padding,) * 2)

    def act(name: str, source: str) -> str:
        return builder.node(name, "heaviside", [source])

    a = act("a.act", conv("a", x, BIPOLAR, 1))
    for number, padding in enumerate((0, 1)):
        builder.output(conv(f"two{number}", a, BIPOLAR, padding))
    b = act("b.act", conv("b", x, BIPOLAR, 1))
    builder.output(builder.node("b.pool", "max_pool", [b]))
    builder.output(conv("b.next", b, BIPOLAR))
    c = act("c.act", conv("c", x, BIPOLAR, 1))
    builder.output(conv("c.bits", c, BIPOLAR))
    builder.output(conv("c.bytes", c, IntType(-1, 1)))
    d = act("d.act", conv("d", x, BIPOLAR, 1))
    builder.output(conv("d.pooled", builder.node("d.pool", "max_pool", [d]), BIPOLAR))
    builder.output(conv("d.plain", d, BIPOLAR))
    graph = builder.build()
    assert_equal(graph)
    engine, inputs = engine_of(graph), batch(graph)
    alive = {"image": channels_last(inputs["image"])}
    for unit in engine.plan(tuple(graph.outputs)):
        alive[unit.result] = unit.run(*[alive[name] for name in unit.sources])
    assert {name for name, array in alive.items() if array.ndim == 1} == {"d.act", "d.pool"}


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("outputs", [4, 8, 24])
def test_groups(groups: int, outputs: int, counting: str) -> None:
    """Groups of whole words count bits; results of groups that share a byte are packed later."""
    graph = (
        Layers(BIPOLAR, (32 * groups, 5, 5)).conv("a", outputs * groups, groups=groups)
        .end("a.act", "sign").conv("b", 8).build()
    )  # fmt: skip
    assert_equal(graph, 1 + (outputs * groups > FEW[counting]))


@pytest.mark.parametrize("shape", [(40, 9), (33, 4, 5, 3), (40, 3, 3, 3)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_one_axis_or_three(shape: tuple[int, ...], stride: int, kernel: int, counting: str) -> None:
    graph = (
        Layers(BIPOLAR, shape).conv("a", 20, stride=stride, kernel=kernel).end("a.act", "sign")
        .conv("b", 12, pad="lo").end("b.act", "hwmsb").conv("c", 4).build()
    )  # fmt: skip
    assert_equal(graph, 3)


@pytest.mark.parametrize("features", [1, 31, 32, 33, 64, 100, 513])
def test_linear_layers(features: int, counting: str) -> None:
    graph = (
        Layers(BIPOLAR, (features,)).linear("a", 70).end("a.act", "sign").linear("b", 33)
        .end("b.act", "flipped").linear("c", 10, k=5).build()
    )  # fmt: skip
    assert_equal(graph, 3 if features > 4 else 2)


def test_a_linear_layer_behind_maps_packs_its_input(off: str) -> None:
    graph = (
        Layers(PIXEL, (3, 8, 8)).conv("a", 24).end("a.act", "sign").pool("a.pool")
        .linear("b", 40).end("b.act", "sign").linear("c", 10).build()
    )  # fmt: skip
    assert_equal(graph, 2)


def test_a_shuffled_map_is_no_map_of_bits(counting: str) -> None:
    layers = Layers(BIPOLAR, (64, 4, 4))
    layers.last = layers.builder.node("shuffle", "channel_shuffle", [layers.last], groups=4)
    graph = layers.conv("a", 16, groups=2).end("a.act", "sign").conv("b", 8).build()
    assert_equal(graph, 1)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_random_chains(data: Any) -> None:
    shape = (data.draw(st.integers(1, 70)), *data.draw(st.tuples(*[st.integers(5, 9)] * 2)))
    layers = Layers(
        data.draw(st.sampled_from([*PAIRS, PIXEL])), shape, data.draw(st.integers(0, 9))
    )
    for number in range(data.draw(st.integers(1, 3))):
        name, sizes = f"l{number}", layers.builder.value(layers.last).shape
        layers.conv(
            name,
            data.draw(st.integers(1, 70)),
            kernel=data.draw(st.integers(1, min(3, *sizes[1:]))),
            padding=data.draw(st.integers(0, 2)),
            pad=data.draw(st.sampled_from(["lo", "hi"])),
            stride=data.draw(st.integers(1, 2)),
            k=data.draw(st.sampled_from([1, 2, 127])),
        )
        layers.end(f"{name}.act", data.draw(st.sampled_from(ENDS)))
        if min(layers.builder.value(layers.last).shape[1:]) > 1 and data.draw(st.booleans()):
            layers.pool(f"{name}.pool", 2, data.draw(st.integers(1, 2)))
    graph = layers.linear("last", data.draw(st.integers(1, 40))).build()
    inputs = batch(graph)
    wanted = create("reference", graph, threads=1).run(inputs, graph.results)
    with pytest.MonkeyPatch.context() as patch:
        for off in (*OFF, only("avx2") + ",nibbles"):
            patch.setenv(VARIABLE, off)
            for keep in ((), graph.results):
                found = create("numba", graph, threads=1).run(inputs, keep)
                for name, codes in found.items():
                    assert np.array_equal(codes, wanted[name]), (name, off)


@pytest.mark.parametrize("packed", LEVELS, ids=lambda level: level.name)
@pytest.mark.parametrize("channels", [1, 32, 40])
@pytest.mark.parametrize("outputs", [5, 16, 40, 64])
@pytest.mark.parametrize("end", ["bits", "codes", "sums"])
def test_no_byte_beyond_the_frame_is_read_and_none_beyond_the_result_is_written(
    packed: Any, channels: int, outputs: int, end: str
) -> None:
    window = Window((5, 4), channels, (3, 3), (1, 1), (1, 1))
    weight = random_codes((outputs, channels, 3, 3), BIPOLAR, 1)
    frame, x = BitFrame.of(window, BIT, 1), random_codes((2, 5, 4, channels), BIT, 2)
    source = Fenced(2 * frame.image + SLACK)
    source.array[:] = frame.copy(x)
    bias = np.arange(outputs) - outputs // 2
    after: Any = {
        "bits": Cut(np.ones(outputs, np.int64), -bias),
        "codes": Rescale(bias, 0, 0, 1),
        "sums": None,
    }[end]
    product = Packed(packed, window, weight, 0, after)
    width = -(-outputs // 8) if end == "bits" else outputs
    target = Fenced(40 * width * (4 if end == "sums" else 1))
    result = target.array.view(np.int32) if end == "sums" else target.array
    product.run(source.array, 2, result, np.arange(20, dtype=np.int64) * width, 20 * width)
    assert source.untouched() and target.untouched()
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1).astype(np.int64)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    sums = np.einsum("nijcuv,ocuv->nijo", seen, weight.astype(np.int64))
    found = result.reshape(2, 5, 4, width)
    if end == "sums":
        assert np.array_equal(found, sums)
    elif end == "codes":
        assert np.array_equal(found, np.clip(sums + bias, 0, 1))
    else:
        wanted = np.packbits(sums + bias >= 0, axis=-1, bitorder="little")
        assert np.array_equal(found, wanted)


def window(channels: int, kernel: int = 3, groups: int = 1) -> Window:
    return Window((8, 8), channels, (kernel,) * 2, (1, 1), (1, 1), groups)


@pytest.mark.parametrize(
    ("seen", "codes", "pad", "weights", "fits"),
    [
        (window(32), BIT, 0, (-1, 1), True),
        (window(32), BIPOLAR, 0, (-1, 1), False),  # neither code
        (window(32), IntType(0, 2), 0, (-1, 1), False),
        (window(32), IntType(0, 256, 256), 0, (-1, 1), False),  # one byte holds only one of them
        (window(32), BIT, 0, (-3, 3), True),
        (window(32), BIT, 0, (3, 3), True),
        (window(32), BIT, 0, (-1, 0), False),
        (window(32), BIT, 0, (-1, 2), False),
        (window(32), BIT, 0, (0, 0), False),
        (window(64, groups=2), BIT, 0, (-1, 1), True),
        (window(48, groups=2), BIT, 0, (-1, 1), False),  # 24 channels: half a word and more
        (window(8), BIT, 0, (-1, 1), True),  # 9 steps for 18
        (window(7), BIT, 0, (-1, 1), True),  # 9 steps for 18: 21 bytes take six fours
        (window(6), BIT, 0, (-1, 1), False),  # 9 steps for 15
        (window(5, 1), BIT, 0, (-1, 1), True),
        (window(4, 1), BIT, 0, (-1, 1), False),
    ],
)
def test_which_products_count_bits(
    seen: Window, codes: IntType, pad: int, weights: tuple[int, int], fits: bool
) -> None:
    shape = (2, seen.channels // seen.groups, *seen.kernel)
    weight = np.resize(np.array(weights, np.int8), shape)
    popcount, nibbles, vnni = (
        next(level for level in EVERY if level.name == name)
        for name in ("popcount", "nibbles", "vnni")
    )
    assert fits_bits(popcount, seen, codes, pad, weight) is fits
    assert not fits_bits(vnni, seen, codes, pad, weight)
    # a step of it takes as long as three of bytes
    assert fits_bits(nibbles, seen, codes, pad, weight) is (fits and seen.channels > 8)


def test_what_is_no_comparison_stays_codes() -> None:
    zero, total = np.zeros(2, np.int64), IntType(-99, 99)
    one, two = np.ones((2, 1), np.int64), np.ones((2, 2), np.int64)
    assert cut_of(None, BIT, total) is None
    assert cut_of(Rescale(zero, 1, 0, 3), IntType(0, 3), total) is None
    assert cut_of(Rescale(zero, 1, 1, 3), IntType(0, 1), total) is None  # always the greater
    assert cut_of(Counted(zero, zero + 1, two), IntType(0, 1), total) is None
    for wide in (IntType(-(2**31) + 1, 9), IntType(-9, 2**31 - 1)):
        assert cut_of(Rescale(zero, 1, 0, 1), BIT, wide) is None
    cut = cut_of(Rescale(zero + 3, 2, 0, 1), BIT, total)
    assert cut is not None and cut.levels.tolist() == [1, 1] and cut.side.tolist() == [1, 1]
    cut = cut_of(Rescale(zero, 0, -1, 0, 1, 1), BIPOLAR, total)  # sign
    assert cut is not None and cut.levels.tolist() == [0, 0]
    cut = cut_of(Counted(zero + 2, zero - 1, 5 * one), BIT, total)
    assert cut is not None and cut.levels.tolist() == [7, 7] and cut.side.tolist() == [-1, -1]


def test_a_pool_of_bits_needs_them_on_both_sides() -> None:
    plain, padded = (BitFrame((4, 4), (p, p), 32, BIT, 0) for p in (0, 1))
    pools, sources = {"pool": plain}, {"pool": "act"}
    both = {"act": set[BitFrame](), "pool": {padded}}
    assert shared(both, pools, sources) == {"act": plain, "pool": padded}
    assert shared({"pool": {padded}}, {}, sources) == {}  # nothing writes its source as bits
    assert shared({"act": {plain}}, pools, sources) == {}  # its result is read as bytes
    assert shared({"act": {padded}, "pool": {padded}}, pools, sources) == {}  # two frames
    assert shared({"act": {plain}, "pool": {padded}}, pools, sources)["act"] == plain


def test_off_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Layers(BIT, (32, 4, 4)).conv("a", 16).end("a.act", "sign").conv("b", 4).build()
    monkeypatch.setenv(VARIABLE, ",".join(level.name for level in LEVELS))
    assert_equal(graph, 0)
    for level in LEVELS:
        monkeypatch.setenv(VARIABLE, only(level.name))
        assert_equal(graph, 2)
        assert engine_of(graph).level == level.name


def test_the_engine_names_the_levels_that_products_took(off: str) -> None:
    graph = (
        Layers(PIXEL, (3, 6, 6)).conv("a", 32).end("a.act", "sign").conv("b", 8, k=100)
        .end("b.act", "counted").conv("c", 4, kernel=1).build()
    )  # fmt: skip
    left = [level for level in HERE if level.name not in off.split(",")]
    count = next(level.name for level in left if level.bits)
    rest = next(level.name for level in left if not level.bits)
    engine = engine_of(graph)
    assert engine.level == f"{count}, {rest}"  # planned, not yet run
    engine.run(batch(graph), ["b"])
    assert engine.level == f"{count}, {rest}"
    alone = Layers(BIPOLAR, (32, 4, 4)).conv("a", 8).build()
    assert engine_of(alone).level == count
    idle = Layers(BIPOLAR, (32, 4, 4)).pool("a").build()
    assert engine_of(idle).level == ""


def test_negative_weights_are_set_bits() -> None:
    weight = np.ones((1, 40, 2), np.int8)
    weight[0, [0, 9, 39], 0] = -1
    found = bits.negative_bits(weight).view(np.uint8)
    assert found.shape == (1, 8, 2)
    assert found[0, :, 0].tolist() == [1, 2, 0, 0, 128, 0, 0, 0] and not found[0, :, 1].any()
