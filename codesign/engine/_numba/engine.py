"""Runs prepared kernels over a chunk of images."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

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
from codesign.engine._numba.features import LEVELS, levels
from codesign.engine._numba.layout import Kernel, Prepare, Site, channels_first, channels_last
from codesign.engine._numba.plan import Planner, Unit
from codesign.engine.base import ChunkedEngine
from codesign.ir import Graph, IntArray, Node

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
    """Compiled kernels, one thread a chunk; products packed and planned for the values wanted."""

    name = "numba"

    def __init__(self, graph: Graph, threads: int) -> None:
        super().__init__(graph, threads)
        self.levels = levels()
        self._kernels: dict[str, Kernel] = {}
        self._planner = Planner(graph, self.levels, self._kernel)
        self._plans: dict[tuple[str, ...], tuple[Unit, ...]] = {}
        self._lock = Lock()

    @property
    def level(self) -> str:
        """The levels of the products planned so far, or of those that the outputs take."""
        with self._lock:
            plans = list(self._plans.values())
        plans = plans or [self.plan(tuple(self.graph.outputs))]
        used = {unit.level for plan in plans for unit in plan}
        return ", ".join(level.name for level in LEVELS if level.name in used)

    def plan(self, names: tuple[str, ...]) -> tuple[Unit, ...]:
        """The calls that compute the values `names`; made once."""
        with self._lock:
            if names not in self._plans:
                self._plans[names] = self._planner.units(names)
            return self._plans[names]

    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk."""
        alive = {name: channels_last(array) for name, array in inputs.items()}
        for unit in self.plan(names):
            alive[unit.result] = unit.run(*[alive[name] for name in unit.sources])
            for name in unit.dead:
                del alive[name]
        return {name: channels_first(alive[name]) for name in names}

    def _kernel(self, node: Node) -> Kernel:
        """The kernel of a node on its own; its weights are laid out once."""
        if node.name not in self._kernels:
            site = Site(node, self.graph.arguments(node), self.graph.values[node.name])
            self._kernels[node.name] = KERNELS[node.op](site)
        return self._kernels[node.name]
