"""Runs prepared kernels over a chunk of images."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.engine._numba import (
    arrange,
    coding,
    decision,
    generated,
    linear,
    pooling,
    recurrent,
    rescale,
    residual,
)
from codesign.engine._numba.layout import Kernel, Prepare, Site, channels_first, channels_last
from codesign.engine._schedule import Step, schedule
from codesign.engine.base import ChunkedEngine
from codesign.ir import Graph, IntArray

#: How each operation's kernel is prepared. A test demands one for every operation.
KERNELS: dict[str, Prepare] = {
    **linear.KERNELS,
    **rescale.KERNELS,
    **residual.KERNELS,
    **pooling.KERNELS,
    **arrange.KERNELS,
    **decision.KERNELS,
    **generated.KERNELS,
    **coding.KERNELS,
    **recurrent.KERNELS,
}


class NumbaEngine(ChunkedEngine):
    """Compiled kernels, one thread a chunk; the weights are laid out once, when it is made."""

    name = "numba"

    def __init__(self, graph: Graph, threads: int) -> None:
        super().__init__(graph, threads)
        self._kernels: dict[str, Kernel] = {
            node.name: KERNELS[node.op](Site(node, graph.arguments(node), graph.values[node.name]))
            for node in graph.nodes
        }
        self._schedules: dict[tuple[str, ...], tuple[Step, ...]] = {}

    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk."""
        values = self.graph.values
        alive = {name: channels_last(array) for name, array in inputs.items()}
        if names not in self._schedules:
            self._schedules[names] = schedule(self.graph, names)
        for step in self._schedules[names]:
            node = step.node
            maps = [alive[name] for name in node.inputs if not values[name].is_constant]
            alive[node.name] = self._kernels[node.name](*maps)
            for name in step.dead:
                del alive[name]
        return {name: channels_first(alive[name]) for name in names}
