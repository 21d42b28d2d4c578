"""Random networks that a machine runs whole, and machines of several shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from codesign.errors import CodesignError
from codesign.hw import Hardware, plan, shipped
from codesign.hw.layout import is_bipolar
from codesign.ir import Graph, GraphBuilder, IntType, code_set
from tests.strategies import graphs, random_codes

Draw = Callable[[st.SearchStrategy[Any]], Any]


def machine(name: str, **replaced: str) -> Hardware:
    """`tiny` under another name, with some of its lines replaced."""
    text = shipped()["tiny"].read_text().replace("name: tiny", f"name: {name}")
    for key, value in replaced.items():
        lines = [line for line in text.splitlines() if line.lstrip().startswith(f"{key}:")]
        assert len(lines) == 1, key
        text = text.replace(lines[0], f"{lines[0].split(key)[0]}{key}: {value}")
    return Hardware.parse(text)


#: Three lane configurations; the second has a skip memory and words that bits do not divide,
#: the third more input lanes than output lanes.
MACHINES = (
    machine("small"),
    machine(
        "narrow",
        input="2",
        output="5",
        weight="4 b",
        weight_word="13 b",
        pixels="6",
        width="24 b",
        activations='{capacity: 24 Kib, banks: 3}\n  skip: {capacity: 8 Kib}',
    ),
    machine("wide", input="16", output="3", weight_word="20 b", pixels="10", width="28 b"),
)  # fmt: skip

#: Codes that a machine multiplies: every form, one to four lanes.
_CODES = st.sampled_from(
    [
        IntType(0, 3),
        IntType(0, 1),
        IntType(-1, 1, 2),
        IntType(-1, 1),
        IntType(-2, 1),
        IntType(-5, 3),
        IntType(0, 9),
        IntType(0, 255),
        IntType(-128, 127),
    ]
)


@st.composite
def chains(draw: Draw) -> Graph:
    """One to six layers of convolutions with all that one descriptor may hold."""
    b = GraphBuilder("chain")
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    value = b.input("image", shape, draw(_CODES))
    for number in range(draw(st.integers(1, 6))):
        value = _layer(draw, b, f"l{number}", value)
    if draw(st.booleans()):
        value = _maybe(b, f"{value}.sum", "sum_pool", value)
    b.output(value)
    return b.build()


def _maybe(b: GraphBuilder, name: str, op: str, source: str, **attrs: object) -> str:
    """The operation if it fits the value, else the value."""
    try:
        return b.node(name, op, [source], **attrs)  # type: ignore[arg-type]
    except CodesignError:
        return source


def _layer(draw: Draw, b: GraphBuilder, name: str, source: str) -> str:
    x = b.value(source)
    channels = x.shape[0]
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    least = (max(0, kernel[0] - x.shape[1]), max(0, kernel[1] - x.shape[2]))
    padding = (draw(st.integers(least[0], 2)), draw(st.integers(least[1], 2)))
    kind = code_set(draw(st.integers(2, 5)))
    outputs = groups * draw(st.integers(1, 8))
    weight = b.constant(
        f"{name}.weight",
        random_codes((outputs, channels // groups, *kernel), kind, draw(st.integers(0, 1 << 20))),
        kind,
    )
    # a map that is proved to have no zero may be padded by it
    zero = any(padding) and not is_bipolar(x.type) and x.type.lo % x.type.step == 0
    pad_code = x.type.lo + x.type.step * draw(st.integers(0, x.type.count - 1))
    value = b.node(
        name, "conv", [source, weight],
        groups=groups, padding=padding, stride=(draw(st.integers(1, 2)), draw(st.integers(1, 3))),
        pad_code=0 if zero and draw(st.booleans()) else pad_code,
    )  # fmt: skip
    spread = b.value(value).type.width
    bias = random_codes((outputs,), IntType(-99, 99), draw(st.integers(0, 1 << 20)))
    constant = b.constant(f"{name}.bias", np.asarray(bias), IntType(-99, 99))
    shift = draw(st.integers(0, max(0, spread - 2)))
    value = b.node(f"{name}.norm", "bit_shift_norm", [value, constant], shift=shift)
    act = draw(st.sampled_from(["hwmsb", "heaviside", "sign", "clip"]))
    attrs: dict[str, Any] = {}
    if act == "hwmsb":
        attrs = {"bits": draw(st.integers(1, 4)), "shift": draw(st.integers(0, 2))}
    elif act == "clip":
        attrs = {"lo": draw(st.integers(-9, 0)), "hi": draw(st.integers(0, 9))}
    value = b.node(f"{name}.code", act, [value], **attrs)
    if draw(st.booleans()):
        window = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        stride = window if draw(st.booleans()) else (1, 2)
        value = _maybe(b, f"{name}.pool", "max_pool", value, kernel=window, stride=stride)
    if draw(st.booleans()):
        by = draw(st.sampled_from([g for g in range(1, outputs + 1) if outputs % g == 0]))
        value = b.node(f"{name}.shuffle", "channel_shuffle", [value], groups=by)
    return value


def runs(graph: Graph, hardware: Hardware) -> bool:
    """Whether nothing is left to the host and every memory holds its words."""
    result = plan(graph, hardware)
    host = any(layer.unit == "host" for layer in result.layers)
    return not host and all(memory.fits for memory in result.memories)


def fitting(hardware: Hardware) -> st.SearchStrategy[Graph]:
    """Chains of convolutions and any programs, as far as the machine runs them."""
    return st.one_of(chains(), graphs()).filter(lambda graph: runs(graph, hardware))
