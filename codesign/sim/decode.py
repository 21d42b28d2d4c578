"""From a network's outputs to classes and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.report.model import ClassScore, Codes, Fit, InputResult

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
        labels: Sequence[int | None],
        values: Mapping[str, IntArray],
    ) -> list[InputResult]:
        """The results of one batch, in order."""
        results: list[InputResult] = []
        for position, name in enumerate(names):
            row = {key: array[position] for key, array in values.items()}
            scores = None if self.scores is None else [int(s) for s in row[self.scores]]
            winner = label = None
            if self.decision is not None and scores is not None:
                winner = self._score(int(row[self.decision]), scores)
                expected = labels[position]
                label = None if expected is None else self._score(expected, scores)
            results.append(
                InputResult(
                    input=name,
                    fit=fits[position],
                    winner=winner,
                    scores=scores,
                    top=[] if scores is None else self._best(scores),
                    label=label,
                    outputs={key: _codes(row[key]) for key in self.others},
                )
            )
        return results

    def _best(self, scores: list[int]) -> list[ClassScore]:
        """The best scores, the first class first where several tie."""
        order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
        return [self._score(index, scores) for index in order[: self.top]]

    def _score(self, index: int, scores: list[int]) -> ClassScore:
        return ClassScore(index=index, name=self.classes[index], score=scores[index])


def _codes(array: IntArray) -> Codes:
    wide = np.ascontiguousarray(array, dtype="<i8")
    return Codes(
        shape=list(array.shape),
        codes=wide.reshape(-1).tolist() if wide.size <= FULL else None,
        sha256=hashlib.sha256(wide.tobytes()).hexdigest(),
    )
