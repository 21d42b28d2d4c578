"""The networks that are timed: shipped or by name, with weights that need no training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codesign import load
from codesign.ir import Graph, GraphBuilder, IntType, code_set


def _cnv(weight_levels: int, bits: int) -> Graph:
    """A VGG of six 3x3 convolutions without padding and three linear layers, 32 x 32 x 3 in.

    The size that quantized-network tools commonly measure: 57.9 M MAC of convolutions and 1.6 M of
    linear layers, every weight of `weight_levels` levels, activations of `bits` bits.
    """
    random = np.random.default_rng(0)
    builder = GraphBuilder(f"cnv_{bits}b")
    codes = code_set(weight_levels)

    def weight(name: str, *shape: int) -> str:
        values = codes.lo + codes.step * random.integers(0, codes.count, shape)
        return builder.constant(f"{name}.weight", values, codes)

    def activate(name: str, x: str, fan_in: int) -> str:
        channels = builder.value(x).shape[0]
        shift = max(0, int(np.log2(np.sqrt(fan_in) * (1 << bits))) - bits + 1)
        bias = builder.constant(
            f"{name}.bias", random.integers(0, 2 << shift, channels), IntType(0, (2 << shift) - 1)
        )
        y = builder.node(f"{name}.norm", "bit_shift_norm", [x, bias], shift=shift)
        return builder.node(f"{name}.act", "hwmsb", [y], bits=bits, shift=0)

    x, depth = builder.input("image", (3, 32, 32), IntType(0, 255)), 3
    for number, width in enumerate((64, 64, 128, 128, 256, 256), start=1):
        name = f"conv{number}"
        x = builder.node(name, "conv", [x, weight(name, width, depth, 3, 3)])
        x, depth = activate(name, x, 9 * depth), width
        if number in (2, 4):
            x = builder.node(f"pool{number}", "max_pool", [x])
    x = builder.node("flat", "reshape", [x], shape=(builder.value(x).size,))
    for number, width in enumerate((512, 512, 10), start=1):
        name, features = f"fc{number}", builder.value(x).size
        x = builder.node(name, "linear", [x, weight(name, width, features)])
        if number < 3:
            x = activate(name, x, features)
    builder.output(x)
    return builder.build()


def _by_name(name: str) -> Graph:
    """A network with fresh weights whose running statistics are those of random images."""
    import torch

    from codesign import models
    from codesign.convert.torch import lower
    from codesign.nn import Input

    torch.manual_seed(0)
    network = models.create(name)
    shape = next(module.shape for module in network.modules() if isinstance(module, Input))
    with torch.no_grad():
        for _ in range(2):
            network.train()(torch.randint(0, 256, (4, *shape)).float())
    return lower(network.eval())


#: Every network by the name that the command takes.
NETWORKS: dict[str, Callable[[], Graph]] = {
    "nqe": lambda: load("nqe_cifar10"),
    "cnv_2b": lambda: _cnv(3, 2),
    "cnv_1b": lambda: _cnv(2, 1),
    "mognet": lambda: _by_name("mognet"),
    "fbnn": lambda: _by_name("fbnn"),
    "billnet": lambda: _by_name("billnet"),
}


def macs(graph: Graph) -> int:
    """Multiply-accumulates of one input."""
    from codesign.ir import lookup

    return sum(
        lookup(node.op).cost(*graph.arguments(node), **node.attrs).total("mac")
        for node in graph.nodes
    )
