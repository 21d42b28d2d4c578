"""Runs prepared kernels over a chunk of images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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
from codesign.engine._numba.flow import Flow
from codesign.engine._numba.layout import Kernel, Prepare, Site, channels_first
from codesign.engine._numba.plan import Planner, Unit
from codesign.engine._numba.team import Chunks, Team
from codesign.engine.base import ChunkedEngine, Work
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


#: Parts of a task for each thread at most: enough that nobody waits long for the last.
_PARTS = 4
#: Plans whose buffers are kept.
_PLANS = 4
_ALONE = Team(0)


class NumbaEngine(ChunkedEngine):
    """Compiled kernels; products packed and planned for the values wanted.

    Chunks go to threads; what is too little for that is done by all threads together, see `Team`.
    """

    name = "numba"

    def __init__(self, graph: Graph, threads: int) -> None:
        super().__init__(graph, threads)
        self.levels = levels()
        self._kernels: dict[str, Kernel] = {}
        # not a method: an engine without cycles ends its threads when it is forgotten
        self._planner = Planner(graph, self.levels, partial(_kernel, graph, self._kernels))
        self._plans: dict[tuple[str, ...], tuple[Unit, ...]] = {}
        self._flows: dict[tuple[str, ...], list[Flow]] = {}
        self._team = Team(threads - 1)
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
        results = self.empty(names, len(next(iter(inputs.values()))))
        self.fill(inputs, results)
        return results

    def fill(
        self, inputs: Mapping[str, IntArray], results: Mapping[str, IntArray], team: bool = False
    ) -> None:
        """Write the values of one chunk; with `team`, all threads work on it."""
        names = tuple(results)
        flow = self._flow(names, len(next(iter(inputs.values()))))
        made = flow.run(inputs, names, self._team if team else _ALONE)
        for name, array in made.items():
            results[name][...] = channels_first(array)  # proved to fit the carrier
        with self._lock:
            kept = self._flows.setdefault(names, [])
            kept.append(flow)
            del kept[: -self.threads]

    def _flow(self, names: tuple[str, ...], images: int) -> Flow:
        """A flow that nobody uses, for so many images or more."""
        units = self.plan(names)
        with self._lock:
            kept = self._flows.get(names, [])
            while kept:
                flow = kept.pop()
                if flow.images >= images:
                    return flow
            if len(self._flows) >= _PLANS:
                self._flows.clear()
        most = _PARTS * self.threads if self.threads > 1 else 1
        return Flow(
            units, images, most, {name: self.graph.values[name] for name in self.graph.inputs}
        )

    def spread(self, work: Work, count: int) -> None:
        """Rounds of whole chunks on all threads, then the rest as chunks that all work on."""
        if self.threads == 1 or not self._team.free.acquire(blocking=False):
            for start in range(0, count, self.chunk_images):
                work(start, min(start + self.chunk_images, count), False)
            return
        try:
            self._spread(work, count)
        finally:
            self._team.free.release()

    def _spread(self, work: Work, count: int) -> None:
        size = max(1, min(self.chunk_images, count // self.threads))
        together = count // (size * self.threads) * self.threads
        if together:
            self._team.share(Chunks(work, [(n * size, (n + 1) * size) for n in range(together)]))
        for start in range(together * size, count, self.chunk_images):
            work(start, min(start + self.chunk_images, count), True)


def _kernel(graph: Graph, kernels: dict[str, Kernel], node: Node) -> Kernel:
    """The kernel of a node on its own; its weights are laid out once."""
    if node.name not in kernels:
        site = Site(node, graph.arguments(node), graph.values[node.name])
        kernels[node.name] = KERNELS[node.op](site)
    return kernels[node.name]
