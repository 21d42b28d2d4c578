"""From a network's outputs to classes and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.report.rows import Block, Decisions, Fit, Outputs

#: An output of at most this many codes is reported in full; of a larger one, the digest.
FULL = 1024


@dataclass(frozen=True, slots=True)
class Decoder:
    """How to read the outputs of one graph.

    A classifier hands out an `argmax`: its argument holds the scores. The other outputs are
    reported as they are.

    Attributes:
        decision: the output that holds the class, or None.
        scores: the value that holds the scores, or None.
        classes: the classes' names; their indices where the graph names none.
        others: the outputs that are neither.
        top: how many of the best scores are listed.
    """

    decision: str | None
    scores: str | None
    classes: tuple[str, ...]
    others: tuple[str, ...]
    top: int

    @classmethod
    def of(cls, graph: Graph, top: int = 3) -> Decoder:
        """The decoder of `graph`; CodesignError where its classes do not match its scores."""
        decisions = [name for name in graph.outputs if graph.node(name).op == "argmax"]
        if top < 1:
            raise CodesignError(f"top is {top}; give 1 or more")
        if len(decisions) != 1:
            return cls(None, None, (), graph.outputs, top)
        decision = decisions[0]
        scores = graph.node(decision).inputs[0]
        count = graph.values[scores].size
        classes = tuple(map(str, graph.metadata.get("classes") or range(count)))
        if len(classes) != count:
            raise CodesignError(
                f"{graph.name}: names {len(classes)} classes for {count} scores; "
                "export it with one name a score"
            )
        others = tuple(name for name in graph.outputs if name not in (decision, scores))
        return cls(decision, scores, classes, others, top)

    @property
    def keep(self) -> tuple[str, ...]:
        """The values that a run must keep beside the outputs."""
        return () if self.scores is None else (self.scores,)

    def decode(
        self,
        names: Sequence[str],
        fits: Sequence[Fit | None],
        labels: Sequence[int] | None,
        values: Mapping[str, IntArray],
    ) -> Block:
        """The results of one batch, in order."""
        decisions = None
        if self.decision is not None and self.scores is not None:
            scores = values[self.scores]
            decisions = Decisions(
                classes=self.classes,
                scores=scores,
                winners=values[self.decision],
                best=_best(scores, self.top),
                labels=labels,
            )
        outputs = {name: _codes(values[name]) for name in self.others}
        return Block(names, fits, decisions, outputs)


def _best(scores: IntArray, top: int) -> IntArray:
    """Indices (N, top) of the best scores, the first class first where several tie."""
    order = np.argsort(-scores.astype(np.int64), axis=1, kind="stable")
    return order[:, :top].astype(np.int32)


def _codes(arrays: IntArray) -> Outputs:
    """One output (N, ...) of a batch."""
    count = len(arrays)
    wide = np.ascontiguousarray(arrays, dtype="<i8").reshape(count, -1)
    return Outputs(
        shape=arrays.shape[1:],
        codes=arrays.reshape(count, -1) if wide.shape[1] <= FULL else None,
        digests=[hashlib.sha256(row.data).hexdigest() for row in wide],
    )
