"""The networks that are timed: shipped or by name, with weights that need no training."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.synthetic import cnv
from codesign import load
from codesign.ir import Graph


def _by_name(name: str) -> Graph:
    """A network with fresh weights whose running statistics are those of random images."""
    import torch

    from codesign import models
    from codesign.convert.torch import lower
    from codesign.nn import network_inputs

    torch.manual_seed(0)
    network = models.create(name)
    shape = network_inputs(network)[0].shape
    with torch.no_grad():
        for _ in range(2):
            network.train()(torch.randint(0, 256, (4, *shape)).float())
    return lower(network.eval())


#: Every network by the name that the command takes.
NETWORKS: dict[str, Callable[[], Graph]] = {
    "nqe": lambda: load("nqe_cifar10"),
    "cnv_2b": lambda: cnv(3, 2),
    "cnv_1b": lambda: cnv(2, 1),
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
