"""A small classifier with every kind of layer of the encoder, weights fixed by a seed."""

from __future__ import annotations

import numpy as np

from codesign.ir import Graph, GraphBuilder, IntType, code_set, unsigned

CLASSES = ("cat", "dog", "frog", "horse")


def small(
    channels: int = 3, *, name: str = "small", seed: int = 0, bias: int = 0, decide: bool = True
) -> Graph:
    """8 x 8 pixels, two convolutions, four classes; `bias` is added to one bias of conv2's norm."""
    codes = np.random.RandomState(seed)
    builder = GraphBuilder(name, {"classes": list(CLASSES)} if decide else {})

    def weights(layer: str, levels: int, shape: tuple[int, ...]) -> str:
        kind = code_set(levels)
        return builder.constant(f"{layer}.weight", codes.randint(kind.lo, kind.hi + 1, shape), kind)

    def norm(layer: str, source: str, size: int, most: int, shift: int, extra: int = 0) -> str:
        values = codes.randint(-most, most, size)
        values[0] = extra
        constant = builder.constant(f"{layer}.bias", values, IntType(-most, most))
        return builder.node(layer, "bit_shift_norm", [source, constant], shift=shift)

    x = builder.input("image", (channels, 8, 8), unsigned(8))
    x = builder.node("conv1", "conv", [x, weights("conv1", 5, (8, channels, 3, 3))], padding=(1, 1))
    x = norm("norm1", x, 8, 100, 8)
    x = builder.node("act1", "hwmsb", [x], bits=2)
    x = builder.node("pool1", "max_pool", [x])
    conv2 = weights("conv2", 3, (8, 4, 3, 3))
    x = builder.node("conv2", "conv", [x, conv2], padding=(1, 1), groups=2)
    x = norm("norm2", x, 8, 10, 2, bias)
    x = builder.node("act2", "hwmsb", [x], bits=2)
    x = builder.node("shuffle2", "channel_shuffle", [x], groups=2)
    x = builder.node("sum", "sum_pool", [x])
    x = builder.node("fc", "linear", [x, weights("fc", 5, (4, 8))])
    scores = norm("scores", x, 4, 10, 0)
    builder.output(scores)
    if decide:
        builder.output(builder.node("class", "argmax", [scores]))
    return builder.build()
