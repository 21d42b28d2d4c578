"""The definition: the op table's own functions, int64, nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from codesign.engine._schedule import schedule
from codesign.engine.base import ChunkedEngine
from codesign.ir import IntArray, lookup


class ReferenceEngine(ChunkedEngine):
    """Runs `OpSpec.reference` of each node on int64 arrays."""

    name = "reference"

    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk."""
        alive: dict[str, IntArray] = {
            name: array.astype(np.int64) for name, array in inputs.items()
        }
        for name, value in self.graph.constants.items():
            assert value.data is not None  # what makes it a constant
            alive[name] = value.data.astype(np.int64)
        for step in schedule(self.graph, names):
            node = step.node
            arguments = [alive[source] for source in node.inputs]
            alive[node.name] = lookup(node.op).reference(*arguments, **node.attrs)
            for name in step.dead:
                del alive[name]
        return {name: alive[name] for name in names}
