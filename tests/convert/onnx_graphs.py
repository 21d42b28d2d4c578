"""Graphs for the ONNX tests, and how to run them in ONNX Runtime and by the op table."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
import onnxruntime

from codesign.convert import to_onnx
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, code_set, lookup, unsigned

BIPOLAR, TERNARY, QUINARY, MIDRISE = code_set(2), code_set(3), code_set(5), code_set(4)
PIXEL, BYTE, SHIFTED, NEGATIVE = unsigned(8), IntType(-128, 127), IntType(-5, 200), IntType(-9, -2)
#: Code sets of maps that a product takes; all carriers.
MAPS = (BIPOLAR, TERNARY, MIDRISE, unsigned(1), unsigned(2), PIXEL, BYTE, SHIFTED, NEGATIVE)
WEIGHTS = (BIPOLAR, TERNARY, QUINARY, MIDRISE, code_set(7), BYTE, PIXEL)
WIDE = IntType(-(2**31), 2**31 - 1)


def draw(rng: np.random.Generator, shape: tuple[int, ...], code_type: IntType) -> IntArray:
    """Random codes of the type; the first slice holds `hi` alone, the second `lo`."""
    codes = code_type.lo + code_type.step * rng.integers(0, code_type.count, shape)
    if shape:
        codes[:1], codes[1:2] = code_type.hi, code_type.lo
    return codes.astype(code_type.dtype)


def inputs_of(graph: Graph, batch: int = 4) -> dict[str, IntArray]:
    """Inputs for a graph, the extremes first; always the same for the same graph."""
    found = {}
    for name in graph.inputs:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        found[name] = draw(rng, (batch, *graph.values[name].shape), graph.values[name].type)
    return found


def reference(graph: Graph, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
    """Every node's result, by the op table's own definitions."""
    known = {name: value.data for name, value in graph.constants.items()} | dict(inputs)
    for node in graph.nodes:
        arguments = [known[source].astype(np.int64) for source in node.inputs]
        known[node.name] = lookup(node.op).reference(*arguments, **node.attrs)
    return {name: known[name] for name in graph.results}


def onnx_runtime(data: bytes, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
    """Every output of the file, as ONNX Runtime computes it with all its optimisations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def need_equal(graph: Graph, *batches: int) -> None:
    """Every value of the graph is the same in ONNX Runtime, in its carrier."""
    data = to_onnx(graph, extra_outputs=graph.results)
    for batch in batches or (4,):
        inputs = inputs_of(graph, batch)
        expected, found = reference(graph, inputs), onnx_runtime(data, inputs)
        for name in graph.results:
            assert found[name].dtype == graph.values[name].type.dtype, name
            assert np.array_equal(found[name], expected[name]), (name, batch)


def sample() -> Graph:
    """A small network with every kind of constant, name and metadata."""
    rng = np.random.default_rng(3)
    facts = {"classes": ["cat", "dög"], "preprocessing": {"fit": "crop", "size": [8, 8]}}
    b = GraphBuilder("sample/net", facts)
    x = b.input("image", (4, 8, 8), BIPOLAR)
    weight = b.constant("conv1.weight", draw(rng, (6, 2, 3, 3), TERNARY), TERNARY)
    conv = {"padding": (1, 1), "groups": 2, "pad_code": -1}
    accumulator = b.node("conv1.acc", "conv", [x, weight], **conv)
    bias_type = IntType(-300_000, 300_000)
    bias = b.constant("conv1.bias", draw(rng, (6,), bias_type), bias_type)
    norm = b.node("features/0/norm", "bit_shift_norm", [accumulator, bias], shift=12)
    codes = b.node("conv1", "hwmsb", [norm], bits=2, shift=2)
    pooled = b.node("pool", "max_pool", [b.node("mix", "channel_shuffle", [codes], groups=3)])
    rows = b.constant("fc.weight", draw(rng, (5, 6), QUINARY), QUINARY)
    b.output(b.node("scores", "linear", [b.node("sum", "sum_pool", [pooled]), rows]))
    b.output(b.node("class", "argmax", ["scores"]))
    return b.build()


def nqe_sized() -> Graph:
    """A graph with the constants of a 1 Mb encoder: seven 3x3 layers, wide biases."""
    rng = np.random.default_rng(5)
    b = GraphBuilder("nqe_sized")
    x, depth = b.input("image", (3, 16, 16), PIXEL), 3
    for layer, outputs in enumerate([64, 64, 64, 128, 128, 128, 128]):
        kind, wide = (TERNARY, MIDRISE)[layer % 2], IntType(-(2**19), 2**19 - 1)
        weight = b.constant(f"w{layer}", draw(rng, (outputs, depth, 3, 3), kind), kind)
        bias = b.constant(f"b{layer}", draw(rng, (outputs,), wide), wide)
        acc = b.node(f"acc{layer}", "conv", [x, weight], padding=(1, 1), pad_code=0)
        norm = b.node(f"norm{layer}", "bit_shift_norm", [acc, bias], shift=4)
        x, depth = b.node(f"conv{layer}", "hwmsb", [norm], bits=2, shift=3), outputs
    b.output(x)
    return b.build()


class Cases(GraphBuilder):
    """Many uses of one operation, each with its own input and handed out."""

    def __init__(self, op: str) -> None:
        super().__init__(op)
        self.op, self.rng, self.number = op, np.random.default_rng(zlib.crc32(op.encode())), 0

    def add(
        self,
        shape: tuple[int, ...],
        code_type: IntType,
        /,
        *constants: tuple[tuple[int, ...], IntType],
        **attrs: object,
    ) -> None:
        """One use on a fresh map, on constants of these shapes and types."""
        self.number += 1
        sources = [self.input(f"x{self.number}", shape, code_type)]
        for place, (size, kind) in enumerate(constants):
            name = f"constant{self.number}.{place}"
            sources.append(self.constant(name, draw(self.rng, size, kind), kind))
        self.output(self.node(f"y{self.number}", self.op, sources, **attrs))

    def add_maps(self, *maps: tuple[tuple[int, ...], IntType], **attrs: object) -> None:
        """One use on fresh maps alone."""
        self.number += 1
        sources = [
            self.input(f"x{self.number}.{place}", shape, kind)
            for place, (shape, kind) in enumerate(maps)
        ]
        self.output(self.node(f"y{self.number}", self.op, sources, **attrs))

    def add_given(
        self,
        shape: tuple[int, ...],
        code_type: IntType,
        /,
        *constants: tuple[IntArray, IntType],
        **attrs: object,
    ) -> None:
        """One use on a fresh map and these constants."""
        self.number += 1
        sources = [self.input(f"x{self.number}", shape, code_type)]
        for place, (codes, kind) in enumerate(constants):
            sources.append(self.constant(f"constant{self.number}.{place}", codes, kind))
        self.output(self.node(f"y{self.number}", self.op, sources, **attrs))


def conv_cases() -> Graph:
    """Every pair of code sets; groups, strides, kernels and pad codes other than zero."""
    b = Cases("conv")
    for x in MAPS:
        for weight in WEIGHTS:
            b.add((4, 6, 5), x, ((6, 2, 3, 3), weight), groups=2, padding=(1, 2), pad_code=x.hi)
        b.add((3, 7, 9), x, ((2, 3, 1, 3), BYTE), stride=(2, 3), padding=(0, 1), pad_code=x.lo)
        b.add((4, 5, 5), x, ((4, 1, 5, 5), TERNARY), groups=4)
        b.add((64, 3, 3), x, ((3, 64, 3, 3), BYTE))
        b.add((4, 9), x, ((6, 2, 3), TERNARY), groups=2, stride=(2,), padding=(1,), pad_code=x.hi)
        clip = {"stride": (1, 2, 1), "padding": (1, 0, 1), "pad_code": x.lo}
        b.add((4, 4, 5, 6), x, ((2, 2, 3, 2, 3), BYTE), groups=2, **clip)
        b.add((3, 3, 4, 4), x, ((3, 1, 3, 3, 3), BIPOLAR), groups=3, **clip)
    return b.build()


def wide_conv_cases() -> Graph:
    """Operands of one to three digits; every pair with weights; pad codes at their ends."""
    b = Cases("wide_conv")
    sums = (IntType(-(1 << width), (1 << width) - 1) for width in (8, 15, 23))
    for x in (PIXEL, NEGATIVE, IntType(0, 400), IntType(-70_001, 69_999, 2), *sums):
        # one tap of a byte by 24 bits fits 32; many taps only of few levels
        b.add((1, 3, 3), x, ((2, 1, 1, 1), BYTE))
        b.add((1, 3, 3), x, ((2, 1, 1, 1), PIXEL))
        for weight in (BIPOLAR, TERNARY, QUINARY, MIDRISE):
            b.add((4, 5, 5), x, ((6, 2, 3, 3), weight), groups=2, padding=(1, 2), pad_code=x.hi)
        b.add((4, 9), x, ((6, 2, 3), TERNARY), groups=2, stride=(2,), padding=(1,), pad_code=x.lo)
        clip = {"stride": (1, 2, 1), "padding": (1, 0, 1), "pad_code": x.lo}
        b.add((4, 4, 5, 6), x, ((2, 2, 3, 2, 3), TERNARY), groups=2, **clip)
    return b.build()


def linear_cases() -> Graph:
    b = Cases("linear")
    for x in (*MAPS, IntType(-70_000, 70_000, 2)):
        for weight in WEIGHTS:
            b.add((33,), x, ((7, 33), weight))
    return b.build()


def bit_shift_norm_cases() -> Graph:
    b = Cases("bit_shift_norm")
    wide = IntType(-(2**30), 2**30 - 1)
    for shift in range(32):
        b.add((3, 2, 9), wide, ((3,), wide), shift=shift)
    b.add((40,), IntType(0, 77), ((40,), IntType(-5, 2)), shift=1)
    b.add((4, 3), IntType(-300, 200), ((4,), IntType(7, 7)), shift=3)
    return b.build()


def hwmsb_cases() -> Graph:
    b = Cases("hwmsb")
    for shift in range(32):
        b.add((2, 3, 7), WIDE, bits=1 + shift % 8, shift=shift)
    for bits in range(1, 9):
        b.add((50,), IntType(-600, 600), bits=bits, shift=1)
    return b.build()


def pointwise_cases(op: str) -> Graph:
    b = Cases(op)
    for x in (*MAPS, WIDE, IntType(-1, 0), IntType(0, 0), IntType(3, 4)):
        b.add((2, 3, 5), x)
        b.add((), x)
    return b.build()


def clip_cases() -> Graph:
    b = Cases("clip")
    for x in (*MAPS, WIDE):
        b.add((3, 4), x, lo=-3, hi=100)
        b.add((3, 4), x, lo=WIDE.lo, hi=WIDE.hi)
        b.add((3, 4), x, lo=300, hi=300)
    return b.build()


def max_pool_cases() -> Graph:
    b = Cases("max_pool")
    for x in (kind for kind in MAPS if kind.dtype.itemsize == 1):
        b.add((3, 6, 8), x)
        b.add((2, 5, 7), x, kernel=(3, 2), stride=(1, 2))
        b.add((2, 9), x, kernel=(3,), stride=(2,))
        b.add((2, 4, 5, 6), x, kernel=(2, 1, 3), stride=(2, 1, 1))
    return b.build()


def sum_pool_cases() -> Graph:
    b = Cases("sum_pool")
    for x in (*MAPS, IntType(-(2**24), 2**24)):
        b.add((3, 5, 7), x)
    return b.build()


def channel_shuffle_cases() -> Graph:
    b = Cases("channel_shuffle")
    for x in (BIPOLAR, PIXEL, WIDE):
        for groups in (1, 2, 3, 4, 6, 12):
            b.add((12, 2, 3), x, groups=groups)
            b.add((12,), x, groups=groups)
    return b.build()


def reshape_cases() -> Graph:
    b = Cases("reshape")
    for x in (BIPOLAR, PIXEL, WIDE):
        b.add((3, 4, 2), x, shape=(24,))
        b.add((24,), x, shape=(2, 3, 4))
        b.add((1,), x, shape=())
    return b.build()


def argmax_cases() -> Graph:
    b = Cases("argmax")
    for x in (*MAPS, WIDE):
        b.add((10,), x)
        b.add((300,), x)
    return b.build()


def pair_cases(op: str, *kinds: IntType) -> Graph:
    """Two maps each, of equal and of different code sets."""
    b = Cases(op)
    for shape in ((2, 3, 5), (3, 2, 2, 4), (7,)):
        for x in kinds:
            b.add_maps((shape, x), (shape, x))
        b.add_maps((shape, kinds[0]), (shape, kinds[0]))
    return b.build()


def mux_cases() -> Graph:
    b = Cases("mux")
    for x in (*MAPS, WIDE):
        for shape in ((3, 5), (3, 4, 5), (3, 2, 4, 5)):
            b.add_maps((shape, x), (shape, PIXEL), ((3,), unsigned(1)))
            b.add_maps((shape, x), (shape, x), (shape[:2], unsigned(1)))
    return b.build()


def threshold_cases() -> Graph:
    b = Cases("threshold")
    for x in (*MAPS, WIDE):
        for shape in ((4,), (4, 3), (4, 3, 5), (4, 2, 3, 2)):
            for count in (1, 3, 15):
                kind = IntType(-20, 20)
                levels = np.sort(draw(b.rng, (4, count), kind), axis=1)
                b.add_given(shape, x, (levels, kind), (np.array([0, 1, 1, 0]), unsigned(1)))
    return b.build()


def tgap_cases() -> Graph:
    b = Cases("tgap")
    for x in MAPS:
        for shape in ((3, 5), (3, 5, 4), (3, 5, 2, 4)):
            b.add(shape, x, ((3,), BYTE))
            for delay in (0, 1, 4):
                b.add(shape, x, ((3,), BYTE), frames=1, delay=delay)
    return b.build()


def transpose_cases() -> Graph:
    b = Cases("transpose")
    for x in (BIPOLAR, PIXEL, WIDE):
        b.add((2, 3, 4), x, axes=(2, 0, 1))
        b.add((5, 3), x, axes=(1, 0))
        b.add((2, 3, 4, 5), x, axes=(1, 0, 3, 2))
    return b.build()


def concat_cases() -> Graph:
    b = Cases("concat")
    for x in (BIPOLAR, PIXEL, WIDE):
        for y in (BIPOLAR, PIXEL, WIDE):
            for axis in range(3):
                b.add_maps(((2, 3, 4), x), ((2, 3, 4), y), axis=axis)
    return b.build()


def slice_cases() -> Graph:
    b = Cases("slice")
    for x in (BIPOLAR, PIXEL, WIDE):
        for axis in range(3):
            b.add((5, 6, 7), x, axis=axis, start=1, stop=5, step=2)
            b.add((5, 6, 7), x, axis=axis, stop=1)
    return b.build()


def repeat_cases() -> Graph:
    b = Cases("repeat")
    for x in (BIPOLAR, PIXEL, WIDE):
        for axis in range(3):
            b.add((2, 3, 4), x, axis=axis, times=1 + axis)
    return b.build()


def pad_cases() -> Graph:
    b = Cases("pad")
    for x in (BIPOLAR, PIXEL, WIDE):
        b.add((2, 3, 4), x, before=(0, 1, 2), after=(2, 0, 1), code=-5)
        b.add((3,), x, before=(1,), after=(0,))
    return b.build()


def fill_cases() -> Graph:
    b = Cases("fill")
    for code in (0, -1, 200, 300, WIDE.lo):
        b.add((2, 3), PIXEL, shape=(4, 2), code=code)
        b.add((2, 3), PIXEL, shape=(), code=code)
    return b.build()


def ca_weights_cases() -> Graph:
    """Weights of each mapping and rank, read by a product."""
    b = GraphBuilder("ca_weights")
    for number, shape in enumerate([(5, 7), (4, 3, 2), (4, 2, 3, 3), (2, 2, 1, 2, 3)]):
        for mapping in range(3):
            label, zeros = f"{number}.{mapping}", (0,) * (len(shape) - 2)
            weight = b.node(
                f"w{label}", "ca_weights", [], shape=shape, cells=60, seed=1 + number,
                rule=(30, 45)[mapping % 2], warm_up=70, steps=1 + mapping, mapping=mapping,
            )  # fmt: skip
            x = b.input(f"x{label}", shape[1:], TERNARY)
            attrs = {"stride": (1,) * len(zeros), "padding": zeros} if zeros else {}
            b.output(b.node(f"y{label}", "conv" if zeros else "linear", [x, weight], **attrs))
    return b.build()


def ycbcr_cases() -> Graph:
    b = Cases("ycbcr")
    for shape in ((3,), (3, 4), (3, 4, 5), (3, 2, 4, 5)):
        b.add(shape, PIXEL)
        b.add(shape, IntType(7, 97, 3))
    return b.build()


def thermometer_cases() -> Graph:
    b = Cases("thermometer")
    for x in (*MAPS, WIDE):
        for shape in ((3,), (3, 4), (3, 2, 5), (3, 2, 2, 3)):
            levels = (np.array([-3, 0, 9, -3, 1, 2, 0, 0, 7]), BYTE)
            b.add_given(shape, x, levels, counts=(3,))
            b.add_given(shape, x, (levels[0][:6], BYTE), counts=(3, 1, 2), low=-1)
    return b.build()


def recurrent_cases(op: str, gates: int, state: IntType) -> Graph:
    b = Cases(op)
    for x in MAPS:
        for kind in (BIPOLAR, TERNARY, BYTE):
            b.number += 1
            constants = [
                b.constant(f"constant{b.number}.{place}", draw(b.rng, shape, kind), kind)
                for place, shape in enumerate([(gates * 3, 4), (gates * 3, 3), (gates * 3,)])
            ]
            source = b.input(f"x{b.number}", (5, 4), x)
            before = b.input(f"state{b.number}", (3,), state)
            attrs = {"bits": 3, "ternary": b.number % 2} if op == "lstm" else {}
            b.output(b.node(f"y{b.number}", op, [source, before, *constants], **attrs))
    return b.build()


def lstm_hidden_cases() -> Graph:
    b = Cases("lstm_hidden")
    for x in (*MAPS, WIDE):
        for ternary in (0, 1):
            b.add((3, 4), x, ternary=ternary)
    return b.build()


def bmm_score_cases() -> Graph:
    b = Cases("bmm_score")
    for bits, shape in ((2, (3, 1, 9)), (8, (4, 3, 50)), (4, (1, 2, 7))):
        logs = ((2, 1 << bits), IntType(-16 * bits, 0))
        b.add(shape[2:], unsigned(1), (shape, unsigned(bits)), (shape[:2], BYTE), logs)
    return b.build()


def bernoulli_sample_cases() -> Graph:
    b = Cases("bernoulli_sample")
    for bits, cells in ((1, 3), (4, 16), (8, 31), (16, 16)):
        means = ((7,), IntType(0, 1 << bits))
        b.add_maps(means, ((cells,), unsigned(1)), bits=bits, steps=1 + bits % 3)
    return b.build()


def ca_step_cases() -> Graph:
    b = Cases("ca_step")
    for rule in (30, 90, 255):
        b.add((11,), unsigned(1), rule=rule, steps=1 + rule % 7)
    return b.build()


#: For each operation of the table, a graph of many cases.
CASES: dict[str, Callable[[], Graph]] = {
    "argmax": argmax_cases,
    "bernoulli_sample": bernoulli_sample_cases,
    "bit_and": lambda: pair_cases("bit_and", unsigned(1), BIPOLAR),
    "bit_or": lambda: pair_cases("bit_or", unsigned(1), BIPOLAR),
    "bit_shift_norm": bit_shift_norm_cases,
    "bmm_score": bmm_score_cases,
    "ca_step": ca_step_cases,
    "ca_weights": ca_weights_cases,
    "channel_shuffle": channel_shuffle_cases,
    "clip": clip_cases,
    "concat": concat_cases,
    "conv": conv_cases,
    "fill": fill_cases,
    "gru": lambda: recurrent_cases("gru", 3, BIPOLAR),
    "heaviside": lambda: pointwise_cases("heaviside"),
    "hwmsb": hwmsb_cases,
    "linear": linear_cases,
    "lstm": lambda: recurrent_cases("lstm", 4, IntType(-6, 7)),
    "lstm_hidden": lstm_hidden_cases,
    "max_pool": max_pool_cases,
    "maximum": lambda: pair_cases("maximum", *MAPS, WIDE),
    "mux": mux_cases,
    "pad": pad_cases,
    "repeat": repeat_cases,
    "reshape": reshape_cases,
    "shift_add": lambda: pair_cases("shift_add", *MAPS, WIDE),
    "sign": lambda: pointwise_cases("sign"),
    "slice": slice_cases,
    "sum_pool": sum_pool_cases,
    "tgap": tgap_cases,
    "thermometer": thermometer_cases,
    "threshold": threshold_cases,
    "transpose": transpose_cases,
    "wide_conv": wide_conv_cases,
    "ycbcr": ycbcr_cases,
}
