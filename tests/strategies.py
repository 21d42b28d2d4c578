"""Random programs for property tests: any operation of the table, any legal shape and type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntArray, IntType, Value, code_set

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def int_types(draw: Draw, lo: int = -128, hi: int = 255, steps: int = 3) -> IntType:
    """A code set within [lo, hi]."""
    low, high = sorted((draw(st.integers(lo, hi)), draw(st.integers(lo, hi))))
    step = draw(st.integers(1, steps))
    return IntType(low, high - (high - low) % step, step)


#: Codes of maps: those of the papers more often than others.
map_types = st.one_of(
    st.sampled_from(
        [IntType(0, 255), IntType(0, 3), IntType(0, 1), IntType(-1, 1, 2), IntType(-1, 1)]
    ),
    int_types(-100, 127),
    int_types(0, 255),
    int_types(-(1 << 20), 1 << 20),
)

weight_types = st.one_of(st.integers(2, 8).map(code_set), int_types(-128, 127))


def random_codes(shape: tuple[int, ...], code_type: IntType, seed: int) -> IntArray:
    """Codes of the type from a seed, in its carrier."""
    random = np.random.default_rng(seed)
    codes = code_type.lo + code_type.step * random.integers(0, code_type.count, shape)
    return codes.astype(code_type.dtype)


@st.composite
def graphs(draw: Draw, max_nodes: int = 8) -> Graph:
    """A checked program of 1 to `max_nodes` nodes on one or two inputs, branches included."""
    builder = GraphBuilder("random", draw(st.sampled_from([{}, {"classes": ["a", "b"]}])))
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    names = [builder.input("image", shape, draw(map_types))]
    if draw(st.booleans()):
        names.append(builder.input("more", (draw(st.integers(1, 12)),), draw(map_types)))
    nodes: list[str] = []
    for _ in range(draw(st.integers(1, max_nodes)) * 2):
        if len(nodes) == max_nodes:
            break
        # the latest value most often, so that chains grow long
        source = names[-1] if draw(st.integers(0, 3)) else draw(st.sampled_from(names))
        name = f"n{len(nodes)}"
        try:
            _OPERATIONS[draw(st.sampled_from(sorted(_OPERATIONS)))](draw, builder, name, source)
        except CodesignError:
            continue  # does not fit this value; the refusals have tests of their own
        nodes.append(name)
        names.append(name)
    if not nodes:
        nodes.append(builder.node("n0", "heaviside", ["image"]))
    for name in nodes[:-1]:
        if draw(st.integers(0, 5)) == 0:
            builder.output(name)
    builder.output(nodes[-1])
    return builder.build()


@st.composite
def batches(draw: Draw, graph: Graph, max_images: int = 4) -> dict[str, IntArray]:
    """Inputs for `graph`: random images, the extremes of each type among them."""
    count, seed = draw(st.integers(1, max_images)), draw(st.integers(0, 1 << 30))
    batch = {}
    for index, name in enumerate(graph.inputs):
        value = graph.values[name]
        codes = random_codes((count, *value.shape), value.type, seed + index)
        codes[0] = draw(st.sampled_from([codes[0], value.type.lo, value.type.hi]))
        batch[name] = codes
    return batch


def _constant(
    draw: Draw, builder: GraphBuilder, name: str, shape: tuple[int, ...], kind: IntType
) -> str:
    codes = random_codes(shape, kind, draw(st.integers(0, 1 << 30)))
    return builder.constant(name, codes, kind)


def _wide_conv(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    _conv(draw, builder, name, source, "wide_conv")


def _conv(draw: Draw, builder: GraphBuilder, name: str, source: str, op: str = "conv") -> None:
    x = builder.value(source)
    rank = len(x.shape) - 1
    if not 1 <= rank <= 3:
        raise CodesignError("another rank is needed")
    groups = draw(st.sampled_from([g for g in range(1, x.shape[0] + 1) if x.shape[0] % g == 0]))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    outputs = groups * draw(st.integers(1, 6 // groups or 1))
    code = x.type.lo + x.type.step * draw(st.integers(0, x.type.count - 1))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(rank))
    sizes = tuple(s + 2 * p - k for s, p, k in zip(x.shape[1:], padding, kernel, strict=True))
    if min(sizes) < 0 or abs(code) > (127 if op == "conv" else (1 << 23) - 1):
        raise CodesignError("the window does not fit")
    weight = _constant(
        draw,
        builder,
        f"{name}.weight",
        (outputs, x.shape[0] // groups, *kernel),
        draw(weight_types),
    )
    stride = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    builder.node(
        name, op, [source, weight],
        groups=groups, stride=stride, padding=padding, pad_code=code,
    )  # fmt: skip


def _ca_weights(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    """Generated weights and the layer that reads them."""
    x = builder.value(source)
    _need(x, 1)
    mapping = draw(st.integers(0, 2))
    cells = 3 * x.shape[0] + draw(st.integers(0, 40))
    builder.node(
        f"{name}.weight", "ca_weights", [],
        shape=(draw(st.integers(1, 6)), x.shape[0]), cells=cells, mapping=mapping,
        seed=draw(st.integers(1, (1 << min(32, cells)) - 1)),
        rule=draw(st.sampled_from([30, 45, 90])),
        warm_up=draw(st.integers(0, 70)), steps=draw(st.integers(1, 4)),
    )  # fmt: skip
    builder.node(name, "linear", [source, f"{name}.weight"])


def _linear(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    _need(x, 1)
    shape = (draw(st.integers(1, 9)), x.shape[0])
    weight = _constant(draw, builder, f"{name}.weight", shape, draw(weight_types))
    builder.node(name, "linear", [source, weight])


def _bit_shift_norm(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    if not x.shape:
        raise CodesignError("a scalar has no channels")
    bias = _constant(
        draw, builder, f"{name}.bias", x.shape[:1], draw(int_types(-5000, 5000))
    )  # fmt: skip
    builder.node(name, "bit_shift_norm", [source, bias], shift=draw(st.integers(0, 12)))


def _hwmsb(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    bits, shift = draw(st.integers(1, 8)), draw(st.integers(0, 12))
    builder.node(name, "hwmsb", [source], bits=bits, shift=shift)


def _clip(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    lo, hi = sorted((draw(st.integers(-300, 300)), draw(st.integers(-300, 300))))
    builder.node(name, "clip", [source], lo=lo, hi=hi)


def _max_pool(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    kernel = tuple(draw(st.integers(1, min(3, size))) for size in x.shape[1:])
    stride = tuple(draw(st.integers(1, 3)) for _ in kernel)
    builder.node(name, "max_pool", [source], kernel=kernel, stride=stride)


def _shuffle(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    channels = x.shape[0] if x.shape else 1
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    builder.node(name, "channel_shuffle", [source], groups=groups)


def _reshape(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    first = draw(st.sampled_from([d for d in range(1, x.size + 1) if x.size % d == 0]))
    shapes = [(x.size,), (first, x.size // first), (first, x.size // first, 1), (1, *x.shape)]
    builder.node(name, "reshape", [source], shape=draw(st.sampled_from(shapes)))


def _other(draw: Draw, builder: GraphBuilder, x: Value) -> str:
    """Another map of x's shape, or the same."""
    found = [name for name, value in builder.maps.items() if value.shape == x.shape]
    return str(draw(st.sampled_from(found)))


def _threshold(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    if not x.shape:
        raise CodesignError("a scalar has no channels")
    reach = draw(st.sampled_from([4, 300, 1 << 20]))
    kind = IntType(-reach, reach)
    shape = (x.shape[0], draw(st.integers(1, 15)))
    levels = np.sort(random_codes(shape, kind, draw(st.integers(0, 1 << 30))), axis=1)
    thresholds = builder.constant(f"{name}.thresholds", levels, kind)
    flip = _constant(draw, builder, f"{name}.flip", x.shape[:1], IntType(0, 1))
    builder.node(name, "threshold", [source, thresholds, flip])


def _tgap(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    if not x.shape:
        raise CodesignError("a scalar has no channels")
    reach = draw(st.sampled_from([2, 100]))
    theta = _constant(draw, builder, f"{name}.theta", x.shape[:1], IntType(-reach, reach))
    frames, delay = draw(st.sampled_from([(0, 0), (1, 0), (1, 1), (1, 2)]))
    builder.node(name, "tgap", [source, theta], frames=frames, delay=delay)


def _pair(op: str) -> Callable[[Draw, GraphBuilder, str, str], None]:
    def add(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
        other = _other(draw, builder, builder.value(source))
        builder.node(name, op, [source, other])

    return add


def _mux(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    bits = [
        key
        for key, value in builder.maps.items()
        if value.shape
        and value.shape == x.shape[: len(value.shape)]
        and IntType(0, 1).holds(value.type)
    ]
    if not bits:
        raise CodesignError("no bits to select with")
    other = _other(draw, builder, x)
    builder.node(name, "mux", [source, other, draw(st.sampled_from(bits))])


def _axis(draw: Draw, x: Value) -> int:
    if not x.shape:
        raise CodesignError("a scalar has no axis")
    return int(draw(st.integers(0, len(x.shape) - 1)))


def _transpose(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    axes = draw(st.permutations(range(len(builder.value(source).shape))))
    builder.node(name, "transpose", [source], axes=axes)


def _concat(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    _need_small(x)
    builder.node(name, "concat", [source, _other(draw, builder, x)], axis=_axis(draw, x))


def _slice(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    axis = _axis(draw, x)
    start = draw(st.integers(0, x.shape[axis] - 1))
    stop, step = draw(st.integers(start + 1, x.shape[axis])), draw(st.integers(1, 3))
    builder.node(name, "slice", [source], axis=axis, start=start, stop=stop, step=step)


def _repeat(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    _need_small(x)
    builder.node(name, "repeat", [source], axis=_axis(draw, x), times=draw(st.integers(1, 3)))


def _pad(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    _need_small(x)
    before, after = (tuple(draw(st.integers(0, 2)) for _ in x.shape) for _ in range(2))
    code = draw(st.integers(-130, 260))
    builder.node(name, "pad", [source], before=before, after=after, code=code)


def _fill(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    shape = draw(st.lists(st.integers(1, 4), max_size=3))
    builder.node(name, "fill", [source], shape=shape, code=draw(st.integers(-130, 260)))


def _need_small(x: Value) -> None:
    if x.size > 2000:
        raise CodesignError("large enough")


def _ycbcr(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    """Three channels of pixels, made of what there is."""
    x = builder.value(source)
    if not x.shape:
        raise CodesignError("a scalar has no channels")
    first = builder.node(f"{name}.first", "slice", [source], stop=1)
    three = builder.node(f"{name}.three", "repeat", [first], times=3)
    pixels = builder.node(f"{name}.pixels", "clip", [three], lo=0, hi=draw(st.integers(0, 255)))
    builder.node(name, "ycbcr", [pixels])


def _thermometer(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = builder.value(source)
    if not x.shape:
        raise CodesignError("a scalar has no components")
    counts = tuple(draw(st.integers(1, 3)) for _ in x.shape[:1] * draw(st.integers(0, 1)))
    counts = counts if len(counts) == x.shape[0] else (draw(st.integers(1, 3)),)
    each = counts if len(counts) == x.shape[0] else counts * x.shape[0]
    kind = IntType(-100, 100)
    seed = draw(st.integers(0, 1 << 30))
    rows = [np.sort(random_codes((count,), kind, seed + c)) for c, count in enumerate(each)]
    levels = builder.constant(f"{name}.levels", np.concatenate(rows), kind)
    builder.node(name, "thermometer", [source, levels], counts=counts, low=-draw(st.integers(0, 1)))


def _recurrent(op: str, gates: int) -> Callable[[Draw, GraphBuilder, str, str], None]:
    def add(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
        x = builder.value(source)
        if len(x.shape) != 2:
            _need_small(x)
            first = draw(st.sampled_from([d for d in (1, 2, 3, 4) if x.size % d == 0]))
            shape = (first, x.size // first)
            source = builder.node(f"{name}.steps", "reshape", [source], shape=shape)
            x = builder.value(source)
        units = draw(st.integers(1, 4))
        kind = draw(st.sampled_from([code_set(2), code_set(3), code_set(5)]))
        shapes = {"weight": (gates * units, x.shape[1]), "recurrent": (gates * units, units)}
        constants = [
            _constant(draw, builder, f"{name}.{label}", shape, kind)
            for label, shape in shapes.items()
        ]
        bias = _constant(draw, builder, f"{name}.bias", (gates * units,), IntType(-9, 9))
        code = draw(st.sampled_from([-1, 1]))
        state = builder.node(f"{name}.state", "fill", [source], shape=(units,), code=code)
        attrs = {}
        if op == "lstm":
            attrs = {"bits": draw(st.integers(2, 8)), "ternary": draw(st.integers(0, 1))}
        builder.node(name, op, [source, state, *constants, bias], **attrs)

    return add


def _lstm_hidden(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    builder.node(name, "lstm_hidden", [source], ternary=draw(st.integers(0, 1)))


def _bits_of(builder: GraphBuilder, name: str, source: str) -> str:
    """A row of bits, made of what there is."""
    x = builder.value(source)
    if x.size > 200:
        raise CodesignError("too long")
    row = builder.node(f"{name}.row", "reshape", [source], shape=(x.size,))
    return builder.node(f"{name}.bits", "heaviside", [row])


def _bmm_score(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    x = _bits_of(builder, name, source)
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 3)), builder.value(x).size)
    bits = draw(st.integers(1, 8))
    means = _constant(draw, builder, f"{name}.means", shape, IntType(0, (1 << bits) - 1))
    prior = _constant(draw, builder, f"{name}.prior", shape[:2], IntType(-128, 0))
    logs = _constant(draw, builder, f"{name}.logs", (2, 1 << bits), IntType(-16 * bits, 0))
    builder.node(name, "bmm_score", [x, means, prior, logs])


def _bernoulli_sample(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    state = _bits_of(builder, name, source)
    rows = builder.node(f"{name}.clip", "clip", [f"{name}.row"], lo=0, hi=4)
    steps = draw(st.integers(1, 3))
    builder.node(name, "bernoulli_sample", [rows, state], bits=2, steps=steps)


def _ca_step(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
    state = _bits_of(builder, name, source)
    rule = draw(st.sampled_from([30, 45, 90]))
    builder.node(name, "ca_step", [state], rule=rule, steps=draw(st.integers(1, 20)))


def _plain(op: str) -> Callable[[Draw, GraphBuilder, str, str], None]:
    def add(draw: Draw, builder: GraphBuilder, name: str, source: str) -> None:
        builder.node(name, op, [source])

    return add


def _need(x: Value, rank: int) -> None:
    if len(x.shape) != rank:
        raise CodesignError("another rank is needed")


#: How each operation is drawn; a test demands one for every operation of the table.
_OPERATIONS: dict[str, Callable[[Draw, GraphBuilder, str, str], None]] = {
    "argmax": _plain("argmax"),
    "bernoulli_sample": _bernoulli_sample,
    "bit_and": _pair("bit_and"),
    "bit_or": _pair("bit_or"),
    "bit_shift_norm": _bit_shift_norm,
    "bmm_score": _bmm_score,
    "ca_step": _ca_step,
    "ca_weights": _ca_weights,
    "channel_shuffle": _shuffle,
    "clip": _clip,
    "concat": _concat,
    "conv": _conv,
    "fill": _fill,
    "gru": _recurrent("gru", 3),
    "heaviside": _plain("heaviside"),
    "hwmsb": _hwmsb,
    "linear": _linear,
    "lstm": _recurrent("lstm", 4),
    "lstm_hidden": _lstm_hidden,
    "max_pool": _max_pool,
    "maximum": _pair("maximum"),
    "mux": _mux,
    "pad": _pad,
    "repeat": _repeat,
    "reshape": _reshape,
    "shift_add": _pair("shift_add"),
    "sign": _plain("sign"),
    "slice": _slice,
    "sum_pool": _plain("sum_pool"),
    "tgap": _tgap,
    "thermometer": _thermometer,
    "threshold": _threshold,
    "transpose": _transpose,
    "wide_conv": _wide_conv,
    "ycbcr": _ycbcr,
}
OPERATIONS = frozenset(_OPERATIONS)
