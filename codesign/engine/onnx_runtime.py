"""The independent oracle: ONNX Runtime on the very file that is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign.engine.base import ChunkedEngine
from codesign.ir import Graph, IntArray


class OnnxRuntimeEngine(ChunkedEngine):
    """Runs the ONNX form of the graph; its threads are ONNX Runtime's own."""

    name = "onnxruntime"

    def __init__(self, graph: Graph, threads: int) -> None:
        super().__init__(graph, threads)
        self._sessions: dict[tuple[str, ...], Any] = {}

    @property
    def workers(self) -> int:
        """One chunk at a time: the threads work inside it."""
        return 1

    def compute(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...]
    ) -> Mapping[str, IntArray]:
        """The values `names` of one chunk."""
        asked = [name for name in names if name not in inputs]
        results = self._session(tuple(asked)).run(asked, dict(inputs))
        found = dict(zip(asked, results, strict=True))
        return {name: found[name] if name in found else inputs[name] for name in names}

    def _session(self, names: tuple[str, ...]) -> Any:
        """The session that hands `names` out; made once for each such choice."""
        if names not in self._sessions:
            import onnxruntime

            from codesign.convert import to_onnx

            extra = [name for name in names if name not in self.graph.outputs]
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self.threads
            options.inter_op_num_threads = 1
            options.log_severity_level = 3  # warnings are about unused functions, not values
            self._sessions[names] = onnxruntime.InferenceSession(
                to_onnx(self.graph, extra_outputs=extra),
                options,
                providers=["CPUExecutionProvider"],
            )
        return self._sessions[names]
