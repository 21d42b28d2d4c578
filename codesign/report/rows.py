"""What a network says about its inputs: a record for each, kept column by column.

A run over a data set keeps arrays, a block a batch; the records are made when they are looked at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.integer[Any]]


class Record(BaseModel):
    """A frozen record without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fit(Record):
    """How a photograph became an input: centre crop, then exact box average (round half up)."""

    width: int
    height: int
    left: int
    top: int
    crop_width: int
    crop_height: int


class ClassScore(Record):
    """A class and its integer score; `name` is the index where the network names no classes."""

    index: int
    name: str
    score: int


class Codes(Record):
    """An output: its codes in row-major order, or their digest where they are many."""

    shape: list[int]
    codes: list[int] | None
    sha256: str = Field(description="of the codes as little-endian 64-bit integers")


class InputResult(Record):
    """What the network says about one input."""

    input: str
    fit: Fit | None
    winner: ClassScore | None = Field(
        validation_alias=AliasChoices("class", "winner"),
        serialization_alias="class",
        description="the class the network decides on",
    )
    scores: list[int] | None
    top: list[ClassScore]
    label: ClassScore | None = Field(description="the expected class, where labels were given")
    outputs: dict[str, Codes]


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """The classes that a classifier decided on: `scores` (N, classes), the others an index each.

    `best` (N, top) are the classes of the best scores; `labels` the expected ones, where known.
    """

    classes: Sequence[str]
    scores: Integers
    winners: Integers
    best: Integers
    labels: Sequence[int] | None

    @property
    def correct(self) -> int:
        """Inputs whose class is the expected one."""
        labels = self.labels or ()
        return sum(a == b for a, b in zip(self.winners.tolist(), labels, strict=bool(labels)))

    def records(self) -> Iterator[dict[str, Any]]:
        """The keys of a decision, an input each."""
        winners, best = self.winners.tolist(), self.best.tolist()
        labels: Sequence[int | None] = self.labels or [None] * len(winners)
        rows = zip(self.scores.tolist(), winners, best, labels, strict=True)
        for scores, winner, top, label in rows:
            yield {
                "class": self._score(winner, scores),
                "scores": scores,
                "top": [self._score(index, scores) for index in top],
                "label": None if label is None else self._score(label, scores),
            }

    def _score(self, index: int, scores: list[int]) -> dict[str, Any]:
        return {"index": index, "name": self.classes[index], "score": scores[index]}


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """One output of N inputs: `codes` (N, size) where they are few, and a digest each."""

    shape: tuple[int, ...]
    codes: Integers | None
    digests: Sequence[str]

    def records(self) -> Iterator[dict[str, Any]]:
        """What `Codes` holds, an input each."""
        every = [None] * len(self.digests) if self.codes is None else self.codes.tolist()
        for codes, digest in zip(every, self.digests, strict=True):
            yield {"shape": [*self.shape], "codes": codes, "sha256": digest}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The results of the inputs of one batch; `decisions` is None where no class is decided on."""

    names: Sequence[str]
    fits: Sequence[Fit | None]
    decisions: Decisions | None
    outputs: Mapping[str, Outputs]

    def records(self) -> Iterator[dict[str, Any]]:
        """An `InputResult` each, as in JSON."""
        nothing: dict[str, Any] = {"class": None, "scores": None, "top": [], "label": None}
        decided: Iterable[dict[str, Any]] = [nothing] * len(self.names)
        if self.decisions is not None:
            decided = self.decisions.records()
        columns = [column.records() for column in self.outputs.values()]
        shown: Iterable[tuple[dict[str, Any], ...]] = [()] * len(self.names)
        if columns:
            shown = zip(*columns, strict=True)
        rows = zip(self.names, self.fits, decided, shown, strict=True)
        for name, fit, decision, codes in rows:
            yield {
                "input": name,
                "fit": None if fit is None else fit.model_dump(),
                **decision,
                "outputs": dict(zip(self.outputs, codes, strict=True)),
            }


class Rows(Sequence[InputResult]):
    """The results of all inputs: a sequence of `InputResult`, equal to any with equal records."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = tuple(blocks)
        self._ends = tuple(accumulate(len(block.names) for block in self._blocks))

    def records(self) -> Iterator[dict[str, Any]]:
        """The records as in JSON, without making an `InputResult` of each."""
        for block in self._blocks:
            yield from block.records()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[InputResult]:
        return map(InputResult.model_validate, self.records())

    @overload
    def __getitem__(self, index: int) -> InputResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[InputResult]: ...
    def __getitem__(self, index: int | slice) -> InputResult | list[InputResult]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]  # an IndexError where there is none
        number = bisect_right(self._ends, position)
        block = self._blocks[number]
        offset = position - (self._ends[number] - len(block.names))
        return InputResult.model_validate(next(_part(block, offset).records()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        if isinstance(other, Rows):
            return all(a == b for a, b in zip(self.records(), other.records(), strict=True))
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr([*self])


def records(rows: Sequence[InputResult]) -> Iterator[dict[str, Any]]:
    """The rows as in JSON."""
    if isinstance(rows, Rows):
        return rows.records()
    return (row.model_dump(mode="json", by_alias=True) for row in rows)


def _part(block: Block, index: int) -> Block:
    """The block of one of its inputs."""
    one = slice(index, index + 1)
    decisions = block.decisions
    if decisions is not None:
        decisions = Decisions(
            decisions.classes,
            decisions.scores[one],
            decisions.winners[one],
            decisions.best[one],
            None if decisions.labels is None else decisions.labels[one],
        )
    outputs = {
        name: Outputs(
            column.shape,
            None if column.codes is None else column.codes[one],
            column.digests[one],
        )
        for name, column in block.outputs.items()
    }
    return Block(block.names[one], block.fits[one], decisions, outputs)
