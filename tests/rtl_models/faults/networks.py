"""A fixed set of small networks that uses all of the machine, and machines of several shapes.

Rows say what a network has; its constants are random with a fixed seed. What a row is for stands
beside it: each is there because some fault of the list is seen in nothing simpler.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set, unsigned
from tests.hw.networks import digits
from tests.rtl.networks import machine, runs

Pair = tuple[int, int]

#: Four lanes of everything; odd widths, banks and skip of different depth, weight words that bits
#: do not divide; no optional unit, and activation words that the window moves in two parts.
SMALL = machine("small")
NARROW = machine(
    "narrow",
    input="2",
    output="5",
    weight="4 b",
    weight_word="13 b",
    pixels="6",
    width="24 b",
    activations="{capacity: 24 Kib, banks: 3}\n  skip: {capacity: 3 Kib}",
)
BARE = machine(
    "bare",
    input="32",
    output="2",
    weight="2 b",
    activations="{capacity: 16 Kib, banks: 2}\n"
    "units: {threshold_unit: false, pool_unit: false, argmax: false}",
)


@dataclass(frozen=True)
class Row:
    """One layer: a product unless `outputs` is 0, and what follows it in its descriptor."""

    outputs: int = 0
    groups: int = 1
    kernel: Pair = (3, 3)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    pad_code: int = 0
    levels: int = 3
    bias: int | None = 20  # the largest one; None: no normalization
    shift: int = 2
    act: str = "hwmsb"
    bits: int = 2  # of hwmsb
    further: int = 0  # its shift
    clip: Pair = (0, 0)
    pool: Pair | None = None
    pool_stride: Pair | None = None  # as the window where it is not given
    shuffle: int = 1
    end: str = ""  # sum_pool or argmax
    shape: tuple[int, ...] = ()  # a reshape behind all


@dataclass(frozen=True)
class Network:
    """A chain of rows; `outputs` names rows whose results go out besides the last."""

    name: str
    shape: tuple[int, ...]
    codes: IntType
    rows: tuple[Row, ...]
    outputs: tuple[int, ...] = ()
    second: tuple[int, ...] = ()  # shape of a second input, which goes out behind a Heaviside
    seed: int = 1

    def graph(self) -> Graph:
        """The network with its constants."""
        rng = np.random.default_rng(self.seed)
        b = GraphBuilder(self.name)
        value = b.input("image", self.shape, self.codes)
        more = b.input("more", self.second, unsigned(2)) if self.second else ""
        for number, row in enumerate(self.rows):
            value = _add(b, rng, f"l{number}", value, row)
            if number in self.outputs:
                b.output(value)
        if more:
            b.output(b.node("positive", "heaviside", [more]))
        b.output(value)
        return b.build()


U1, U2, U4, U8 = unsigned(1), unsigned(2), unsigned(4), unsigned(8)
S2, S4, S8 = IntType(-2, 1), IntType(-8, 7), IntType(-128, 127)
SIGN = IntType(-1, 1, 2)

NETWORKS = (
    # steps, blocks of whole rows, ragged tiles on both sides
    Network("plain", (6, 7, 5), U2, (Row(7, padding=(1, 1)), Row(5, kernel=(1, 1)))),
    # groups that begin inside a word, shuffled over words; strides that differ
    Network("groups", (6, 6, 7), U2, (
        Row(9, groups=3, padding=(1, 1), stride=(2, 1), shuffle=3, levels=5),
        Row(6, groups=3, kernel=(2, 3), stride=(1, 2), padding=(0, 1), shuffle=2, levels=2),
    )),
    # blocks beside each other, in bands; the last ones narrower and lower
    Network("wide", (2, 5, 23), U2, (
        Row(6, padding=(1, 1), levels=4, bias=None, act="clip", clip=(-2, 1)),
        Row(3, kernel=(2, 2), stride=(2, 3), padding=(1, 2), pad_code=-1),
    )),
    # windows in the drain, and pixels that are in none
    Network("pooled", (3, 9, 9), U2, (
        Row(5, padding=(1, 1), pool=(2, 2), shift=1),
        Row(4, kernel=(2, 2), padding=(1, 1), pool=(2, 2), end="sum_pool"),
    )),
    Network("pooled-wide", (2, 4, 21), U2, (
        Row(5, kernel=(1, 3), pool=(2, 3)), Row(4, kernel=(1, 1), pool=(1, 2), shuffle=2),
    )),
    Network("pooled-long", (2, 3, 19), U2, (Row(3, kernel=(1, 1), pool=(2, 2)),)),
    # 8 b image of one and of two channels, all weights of the greatest value
    Network("image", (1, 6, 6), U8, (Row(6, padding=(1, 1), pad_code=201, levels=8, shift=6),)),
    Network("far", (2, 4, 4), U8, (
        Row(7, padding=(1, 1), pad_code=3, levels=8, shift=9, act="clip", clip=(-20, 20)),
        Row(bias=30000, shift=12, act="clip", clip=(-9, 9)), Row(bias=3, shift=17, act="clip",
        clip=(-1, 0)),
    )),
    Network("out-of-sight", (3, 2, 2), S8, (Row(bias=9, shift=31, act="hwmsb", further=2),)),
    Network("signed-image", (2, 5, 5), S8, (
        Row(5, padding=(1, 0), pad_code=-77, levels=7, shift=5, act="clip", clip=(-100, 90)),
        Row(4, kernel=(2, 2), padding=(1, 1), pad_code=-5, levels=5, act="sign"),
        Row(6, kernel=(2, 2), padding=(1, 1), pad_code=-1, levels=4),
    )),
    Network("digits-of-4-b", (3, 5, 4), S4, (
        Row(5, padding=(1, 1), pad_code=-7, levels=8, act="clip", clip=(0, 9)),
        Row(5, kernel=(1, 2), levels=2, bits=4, act="hwmsb", shift=3),
        Row(3, kernel=(3, 1), padding=(1, 0), pad_code=6, levels=3),
    )),
    # sums over several turns and tiles, of products and of maps
    Network("sums", (5, 6, 6), U2, (Row(9, padding=(1, 1), end="sum_pool", bits=3),), seed=3),
    Network("sums-of-a-map", (7, 4, 5), U2, (
        Row(bias=None, act="clip", clip=(1, 2), end="sum_pool"), Row(shape=(7,), act="", end=""),
    )),
    # scores, ties among them, over several turns; then of a map
    Network("class", (9,), U2, (
        Row(11, act="", shift=0, levels=5), Row(act="", bias=None, end="argmax"),
    ), outputs=(0,)),
    Network("class-at-once", (6,), S2, (Row(13, act="", shift=1, bias=3, end="argmax"),)),
    Network("ties", (13,), U2, (Row(act="", bias=None, end="argmax"),)),
    Network("ties-of-products", (1,), U2, (Row(13, act="", bias=None, end="argmax"),)),
    # maps without products: windows that overlap and are moved unevenly, every form and width
    Network("windows", (5, 7, 8), U2, (
        Row(act="", bias=None, pool=(3, 2), pool_stride=(2, 1)),
        Row(act="", bias=None, pool=(2, 3), pool_stride=(1, 2)),
    )),
    Network("whole-window", (3, 3, 4), S4, (Row(act="", bias=None, pool=(3, 4)),)),
    Network("values", (7, 3, 3), S8, (
        Row(bias=3000, shift=1, act=""),
        Row(bias=99, shift=3, act="clip", clip=(-(1 << 31), (1 << 31) - 1)),
        Row(bias=7, shift=4, act="sign"),
        Row(bias=None, act="heaviside"),
    )),
    Network("signs", (6, 4, 4), SIGN, (
        Row(5, padding=(1, 1), pad_code=1, levels=2, act="sign", bias=3, shift=0),
        Row(bias=None, act="", pool=(2, 2), end="sum_pool"),
    )),
    Network("zero-or-one", (3, 4, 5), IntType(0, 1), (
        Row(9, kernel=(2, 2), levels=2, act="heaviside", shift=0), Row(bias=4, shift=0, act="clip",
        clip=(-2, 3)),
    )),
    # every code to another place; codes wider than a word
    Network("reshaped", (3, 4, 2), U2, (
        Row(bias=None, act="clip", clip=(0, 2), shape=(2, 2, 6)), Row(4, kernel=(2, 2), bias=1),
    )),
    Network("reshaped-wide", (6, 2, 3), U4, (
        Row(bias=20000, shift=0, act="", shape=(4, 3, 3)), Row(bias=None, act="heaviside"),
    )),
    # two inputs and three outputs: the stream's ends are the frame's
    Network("two", (3, 3, 3), U2, (
        Row(5, kernel=(2, 2)), Row(bias=None, act="heaviside")), outputs=(0,), second=(5, 2, 2)),
    # tiles of many words behind blocks of one pixel: the array waits for its weights
    Network("starved", (8, 2, 2), U2, (
        Row(9, kernel=(2, 2), levels=8), Row(16, kernel=(1, 1), levels=8, shuffle=8, shift=1),
    )),
    # results spread over many words: the pipe is frozen by the write unit
    Network("spread", (4, 4, 4), U2, (
        Row(16, kernel=(1, 1), shuffle=8, levels=4), Row(15, kernel=(1, 1), shuffle=5),
        Row(10, kernel=(1, 1), bits=8, shift=0), Row(act="clip", clip=(0, 300), bias=200, shift=0),
    )),
)  # fmt: skip


def networks(hardware: Hardware) -> Iterator[tuple[str, Graph]]:
    """Names and graphs of all that this machine runs: digits, the rows above, random rows."""
    known: list[tuple[str, Callable[[], Graph]]] = [("digits", digits)]
    known += [(network.name, network.graph) for network in NETWORKS]
    known += [(f"random-{seed}", partial(_random, seed)) for seed in range(16)]
    for name, build in known:
        graph = build()
        if runs(graph, hardware):
            yield name, graph


def frames(graph: Graph) -> Iterator[dict[str, IntArray]]:
    """Frames without a batch axis: random codes twice, then the extremes of every type."""
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        yield {name: _codes(rng, graph, name) for name in graph.inputs}
    for extreme in ("hi", "lo"):
        yield {
            name: np.full(value.shape, getattr(value.type, extreme), value.type.dtype)
            for name, value in ((name, graph.values[name]) for name in graph.inputs)
        }


def _codes(rng: np.random.Generator, graph: Graph, name: str) -> IntArray:
    value = graph.values[name]
    drawn = value.type.lo + value.type.step * rng.integers(0, value.type.count, value.shape)
    return np.asarray(drawn, value.type.dtype)


def _add(b: GraphBuilder, rng: np.random.Generator, name: str, source: str, row: Row) -> str:
    value = source
    if row.outputs:
        kind = code_set(row.levels)
        flat = len(b.value(value).shape) == 1
        window = () if flat else row.kernel
        shape = (row.outputs, b.value(value).shape[0] // row.groups, *window)
        weight = b.constant(f"{name}.weight", _spread(rng, kind, shape), kind)
        if flat:
            value = b.node(name, "linear", [value, weight])
        else:
            value = b.node(
                name, "conv", [value, weight],
                groups=row.groups, stride=row.stride, padding=row.padding, pad_code=row.pad_code,
            )  # fmt: skip
    if row.bias is not None:
        kind = IntType(-row.bias, row.bias)
        constant = b.constant(f"{name}.bias", _spread(rng, kind, b.value(value).shape[:1]), kind)
        value = b.node(f"{name}.norm", "bit_shift_norm", [value, constant], shift=row.shift)
    if row.act == "hwmsb":
        value = b.node(f"{name}.code", "hwmsb", [value], bits=row.bits, shift=row.further)
    elif row.act == "clip":
        value = b.node(f"{name}.code", "clip", [value], lo=row.clip[0], hi=row.clip[1])
    elif row.act:
        value = b.node(f"{name}.code", row.act, [value])
    if row.pool:
        stride = row.pool_stride or row.pool
        value = b.node(f"{name}.pool", "max_pool", [value], kernel=row.pool, stride=stride)
    if row.shuffle > 1:
        value = b.node(f"{name}.shuffle", "channel_shuffle", [value], groups=row.shuffle)
    if row.end:
        value = b.node(f"{name}.end", row.end, [value])
    if row.shape:
        value = b.node(f"{name}.shape", "reshape", [value], shape=row.shape)
    return value


def _spread(rng: np.random.Generator, kind: IntType, shape: tuple[int, ...]) -> IntArray:
    """Random codes; all of the first channel are the greatest, all of the last the least."""
    drawn = kind.lo + kind.step * rng.integers(0, kind.count, shape)
    drawn[0], drawn[-1] = kind.hi, kind.lo
    return np.asarray(drawn, kind.dtype)


def _random(seed: int) -> Graph:
    """Rows drawn until they fit the value before them."""
    rng = random.Random(seed)
    shape = (rng.randint(1, 9), rng.randint(2, 8), rng.randint(2, 8))
    codes = rng.choice((U2, U1, SIGN, IntType(-1, 1), S2, S4, U8))
    rows: list[Row] = []
    wanted = rng.randint(1, 3)
    for _ in range(60):
        if len(rows) == wanted:
            break
        try:
            Network("random", shape, codes, (*rows, row := _row(rng)), seed=seed).graph()
        except CodesignError:
            continue
        rows.append(row)
    network = Network(f"random-{seed}", shape, codes, tuple(rows), seed=seed)
    return network.graph()


def _row(rng: random.Random) -> Row:
    kernel = (rng.randint(1, 3), rng.randint(1, 3))
    groups = rng.choice((1, 1, 2, 3))
    outputs = groups * rng.randint(1, 6)
    return Row(
        outputs=rng.choice((outputs, outputs, outputs, 0)),
        groups=groups,
        kernel=kernel,
        stride=(rng.randint(1, 2), rng.randint(1, 3)),
        padding=(rng.randint(0, 2), rng.randint(0, 2)),
        pad_code=rng.choice((0, 1, -1)),
        levels=rng.randint(2, 8),
        bias=rng.choice((None, 5, 60)),
        shift=rng.randint(0, 5),
        act=rng.choice(("hwmsb", "hwmsb", "heaviside", "sign", "clip")),
        bits=rng.randint(1, 4),
        clip=(rng.randint(-6, 0), rng.randint(1, 6)),
        pool=rng.choice((None, None, (2, 2), (1, 3))),
        shuffle=rng.choice([g for g in (1, 2, 3, 4) if outputs % g == 0]),
        end=rng.choice(("", "", "", "sum_pool")),
    )
