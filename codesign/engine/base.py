"""What every engine offers, and the driver they share: images in chunks, chunks on threads."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import numpy as np

from codesign.engine._inputs import prepare
from codesign.engine._schedule import largest_step, wanted_values
from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray

if TYPE_CHECKING:
    from codesign.hw import Hardware

#: The engines by name; the first is the definition, the second the default of the commands.
ENGINES = ("reference", "numba", "onnxruntime")
#: The engine that is a machine: it needs the hardware's description, not the graph alone.
MACHINE = "rtl"

#: Elements that one step of a chunk may read and write: bounds the memory, and fits a cache.
CHUNK_ELEMENTS = 1 << 20

#: Computes the images from one number to another; True if no other thread has work meanwhile.
Work = Callable[[int, int, bool], None]


class Engine(Protocol):
    """Computes a graph's values; every engine gives the same integers.

    `level` names the kinds of instructions that it multiplied with (before the first run: that
    the outputs take), the fastest first, where it has a choice; else empty.
    """

    name: str

    @property
    def level(self) -> str: ...

    def run(
        self, inputs: Mapping[str, IntArray], keep: Collection[str] = ()
    ) -> dict[str, IntArray]:
        """The graph's outputs in order, then the values named in `keep` (nodes or inputs).

        `inputs` are integer arrays of any integer type with a leading batch axis N >= 0;
        the results have it too, C-contiguous, in each value's narrowest carrier.
        Raises CodesignError, one line, where an input or a name in `keep` is wrong.
        """


def need_engine(name: str, threads: int | None = None, *, machine: bool = False) -> None:
    """Refuse an unknown engine, or less than one thread, before any work.

    `machine`: whether the hardware is known that the engine `rtl` runs on.
    """
    if name == MACHINE and not machine:
        raise CodesignError(
            f"engine {MACHINE} runs on a machine, which is not known here; use it with "
            "codesign simulate --hw, or give hardware"
        )
    known = (*ENGINES, MACHINE) if machine else ENGINES
    if name not in known:
        raise CodesignError(f"engine {name!r} is not known; choose {', '.join(known)}")
    if threads is not None and threads < 1:
        raise CodesignError(f"threads is {threads}; give 1 or more")


def create(
    name: str,
    graph: Graph,
    *,
    threads: int | None = None,
    hardware: Hardware | None = None,
) -> Engine:
    """The engine `name` for `graph`, on `threads` threads (default: all that may be used).

    `hardware` is what the engine `rtl` runs on; the results of the others do not depend on one.
    Raises CodesignError for an unknown name or less than one thread, and where `rtl` has no
    hardware, or one that the graph does not fit.
    """
    need_engine(name, threads, machine=hardware is not None)
    count = threads or usable_cores()
    if name == MACHINE:
        from codesign.engine.rtl import RtlEngine

        assert hardware is not None  # need_engine has seen to it
        return RtlEngine(graph, count, hardware)
    if name == "reference":
        from codesign.engine.reference import ReferenceEngine

        return ReferenceEngine(graph, count)
    if name == "numba":
        from codesign.engine._numba import NumbaEngine

        return NumbaEngine(graph, count)
    from codesign.engine.onnx_runtime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(graph, count)


class ChunkedEngine(ABC):
    """Runs `compute` over chunks of images; a subclass only computes one chunk.

    Attributes:
        chunk_images: the most images in a chunk; changes memory and speed, never a result.
    """

    name: str

    def __init__(self, graph: Graph, threads: int) -> None:
        self.graph = graph
        self.threads = threads
        self.chunk_images = max(1, CHUNK_ELEMENTS // largest_step(graph))

    @property
    def level(self) -> str:
        """See `Engine`."""
        return ""

    @property
    def workers(self) -> int:
        """Chunks computed at the same time."""
        return self.threads

    @abstractmethod
    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk of at least one image."""

    def run(
        self, inputs: Mapping[str, IntArray], keep: Collection[str] = ()
    ) -> dict[str, IntArray]:
        """See `Engine.run`."""
        names = wanted_values(self.graph, keep)
        images = prepare(self.graph, inputs)
        count = next(iter(images.values())).shape[0]
        results = self.empty(names, count)

        def work(start: int, stop: int, team: bool) -> None:
            chunk = {name: array[start:stop] for name, array in images.items()}
            self.fill(chunk, {name: array[start:stop] for name, array in results.items()}, team)

        self.spread(work, count)
        return results

    def empty(self, names: tuple[str, ...], count: int) -> dict[str, IntArray]:
        """Arrays that `count` images' values `names` go into."""
        values = {name: self.graph.values[name] for name in names}
        return {n: np.empty((count, *v.shape), v.type.dtype) for n, v in values.items()}

    def fill(
        self, inputs: Mapping[str, IntArray], results: Mapping[str, IntArray], team: bool = False
    ) -> None:
        """Write the values of one chunk into `results`; `team`: no other thread has work."""
        for name, array in self.compute(inputs, tuple(results)).items():
            results[name][...] = array  # proved to fit the carrier

    def spread(self, work: Work, count: int) -> None:
        """All of `count` images, in chunks, chunks on threads."""
        size = min(self.chunk_images, max(1, -(-count // self.workers)))
        spans = [(start, min(start + size, count)) for start in range(0, count, size)]
        if self.workers == 1 or len(spans) < 2:
            for span in spans:
                work(*span, True)
            return
        pool = ThreadPoolExecutor(min(self.workers, len(spans)), thread_name_prefix="codesign")
        try:
            for future in [pool.submit(work, *span, False) for span in spans]:
                future.result()
        finally:
            # after an error or Ctrl-C the chunks not begun are dropped, not computed
            pool.shutdown(wait=True, cancel_futures=True)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
