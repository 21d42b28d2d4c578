"""Networks for the tests of the hardware model, with random weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.ir import Graph, GraphBuilder, IntType, code_set, unsigned


@dataclass(frozen=True)
class Row:
    """One convolution of an encoder: outputs, groups, weight levels, pooled or not."""

    outputs: int
    groups: int = 1
    levels: int = 3
    pool: bool = False


#: The NQE that fits 1 Mb: 897,600 b of weights.
NQE = (
    Row(64, levels=5),
    Row(64, pool=True),
    Row(128, groups=2),
    Row(128, groups=2, pool=True),
    Row(256, groups=4),
    Row(256, groups=4, pool=True),
    Row(256, groups=8),
)

DIGITS = (Row(16, levels=5, pool=True), Row(16, groups=2, pool=True), Row(32))


def codes(rng: np.random.Generator, kind: IntType, shape: tuple[int, ...]) -> np.ndarray:
    """Random codes of a set; its extremes are among them."""
    drawn = kind.lo + kind.step * rng.integers(0, kind.count, shape)
    drawn.flat[0], drawn.flat[-1] = kind.lo, kind.hi
    return np.asarray(drawn)


def encoder(
    name: str,
    rows: tuple[Row, ...],
    image: tuple[int, int, int],
    pixel: IntType,
    classes: int = 10,
    seed: int = 0,
) -> Graph:
    """Convolutions with bit-shift normalization and 2 b codes, global sum, scores, class.

    Channels are shuffled between convolutions, behind one with groups.
    """
    rng = np.random.default_rng(seed)
    b = GraphBuilder(name)
    value, channels = b.input("image", image, pixel), image[0]
    for number, row in enumerate(rows, 1):
        label = f"conv{number}"
        kind = code_set(row.levels)
        shape = (row.outputs, channels // row.groups, 3, 3)
        weight = b.constant(f"{label}.weight", codes(rng, kind, shape), kind)
        value = b.node(label, "conv", [value, weight], groups=row.groups, padding=(1, 1))
        bias = rng.integers(-50, 50, row.outputs)
        constant = b.constant(f"{label}.bias", bias, IntType(-50, 50))
        value = b.node(f"{label}.norm", "bit_shift_norm", [value, constant], shift=4)
        value = b.node(f"{label}.code", "hwmsb", [value], bits=2)
        if row.pool:
            value = b.node(f"{label}.pool", "max_pool", [value])
        if row.groups > 1 and number < len(rows):
            value = b.node(f"{label}.shuffle", "channel_shuffle", [value], groups=row.groups)
        channels = row.outputs
    value = b.node("sum", "sum_pool", [value])
    kind = code_set(5)
    weight = b.constant("fc.weight", codes(rng, kind, (classes, channels)), kind)
    value = b.node("fc", "linear", [value, weight])
    bias = b.constant("fc.bias", rng.integers(-50, 50, classes), IntType(-50, 50))
    b.output(b.node("scores", "bit_shift_norm", [value, bias], shift=0))
    b.output(b.node("class", "argmax", ["scores"]))
    return b.build()


def nqe() -> Graph:
    """The shipped network's shape."""
    return encoder("nqe", NQE, (3, 32, 32), unsigned(8))


def digits() -> Graph:
    """A network for 8 x 8 digits, as large as the tiny machine holds."""
    return encoder("digits", DIGITS, (1, 8, 8), IntType(0, 16))
