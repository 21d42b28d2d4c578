"""The Verilog as an executor: the graph's program on the Verilated accelerator."""

from __future__ import annotations

import queue
from collections.abc import Mapping

import numpy as np

from codesign.engine.base import ChunkedEngine
from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.ir import Graph, IntArray
from codesign.rtl.accelerator import Accelerator
from codesign.rtl.image import image


class RtlEngine(ChunkedEngine):
    """Runs frame by frame on one machine a thread.

    It hands out what the machine writes: the maps of the layers, not the values within one.
    """

    name = "rtl"

    def __init__(self, graph: Graph, threads: int, hardware: Hardware) -> None:
        """Raises CodesignError where the graph does not fit, before anything is built."""
        super().__init__(graph, threads)
        self._image = image(graph, hardware)
        self._layers = {entry.map.value: entry.name for entry in self._image.entries}
        self._idle: queue.SimpleQueue[Accelerator] = queue.SimpleQueue()

    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk."""
        self._need_written(names)
        try:
            machine = self._idle.get_nowait()
        except queue.Empty:
            machine = Accelerator(self._image)
        count = next(iter(inputs.values())).shape[0]
        rows = [
            self._frame(machine, {key: array[at] for key, array in inputs.items()}, names)
            for at in range(count)
        ]
        self._idle.put(machine)
        return {name: np.stack([row[name] for row in rows]) for name in names}

    def _frame(
        self, machine: Accelerator, frame: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        if set(names) <= {*self.graph.outputs, *self.graph.inputs}:
            return {**frame, **machine.outputs(frame)}
        found = dict(frame)
        for step in machine.steps(frame, keep=names):
            if step.values is not None:
                found[step.entry.map.value] = step.values
        return found

    def _need_written(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self._layers and name not in self.graph.inputs:
                raise CodesignError(
                    f"keep: {self._image.hardware.name} writes no map of {name}, it is computed "
                    f"within a layer; keep one of {', '.join(self._layers)}, or use another engine"
                )
