"""Results column by column: the same records, whatever asks for them."""

from __future__ import annotations

import numpy as np
import pytest

from codesign.report.model import Accuracy, Results
from codesign.report.rows import Block, Decisions, Fit, InputResult, Outputs, Rows, records

FIT = Fit(width=9, height=8, left=1, top=0, crop_width=7, crop_height=8)


def block(first: int, count: int, *, labels: bool = True, fit: Fit | None = None) -> Block:
    scores = np.arange(3 * count, dtype=np.int8).reshape(count, 3) + first
    return Block(
        names=[f"x[{first + i}]" for i in range(count)],
        fits=(fit,) * count,
        decisions=Decisions(
            classes=("cat", "dog", "frog"),
            scores=scores,
            winners=np.full(count, 2, np.uint8),
            best=np.tile(np.array([2, 1], np.int32), (count, 1)),
            labels=[i % 3 for i in range(count)] if labels else None,
        ),
        outputs={
            "y": Outputs((2, 1), np.arange(2 * count).reshape(count, 2), ["ab"] * count),
            "z": Outputs((2000,), None, ["cd"] * count),
        },
    )


ROWS = Rows([block(0, 2, fit=FIT), block(2, 5, labels=False), block(7, 1)])


def test_a_row() -> None:
    assert ROWS[1].model_dump(by_alias=True) == {
        "input": "x[1]",
        "fit": FIT.model_dump(),
        "class": {"index": 2, "name": "frog", "score": 5},
        "scores": [3, 4, 5],
        "top": [{"index": 2, "name": "frog", "score": 5}, {"index": 1, "name": "dog", "score": 4}],
        "label": {"index": 1, "name": "dog", "score": 4},
        "outputs": {
            "y": {"shape": [2, 1], "codes": [2, 3], "sha256": "ab"},
            "z": {"shape": [2000], "codes": None, "sha256": "cd"},
        },
    }
    assert ROWS[2].label is None
    assert ROWS[2].fit is None


def test_a_sequence_like_any() -> None:
    made = list(ROWS)
    assert all(isinstance(row, InputResult) for row in made)
    assert len(ROWS) == len(made) == 8
    assert [ROWS[i] for i in range(-8, 8)] == made + made
    for part in (slice(None), slice(1, 6, 2), slice(-3, None), slice(5, 1, -1), slice(9, 12)):
        assert ROWS[part] == made[part]
    for index in (8, -9):
        with pytest.raises(IndexError):
            ROWS[index]
    assert made == ROWS
    assert ROWS.__eq__(made)
    assert repr(ROWS) == repr(made)
    assert made[3] in ROWS
    assert list(records(ROWS)) == list(records(made))


def test_equality() -> None:
    assert Rows([block(0, 2), block(2, 2)]) == Rows([block(0, 2), block(2, 2)])
    assert Rows([block(0, 4)]) != Rows([block(0, 3)])
    assert Rows([block(0, 4)]) != Rows([block(1, 4)])
    assert Rows([block(0, 4)]) != [*Rows([block(0, 3)]), *Rows([block(9, 1)])]
    assert Rows([block(0, 1)]) != "x"
    assert Rows([]) == []
    assert len(Rows([])) == 0


def test_correct() -> None:
    for labels, correct in (([2, 2, 0], 2), ([0, 1, 1], 0), ([2, 2, 2], 3)):
        found = Decisions((), np.zeros((3, 0)), np.full(3, 2), np.zeros((3, 0)), labels)
        assert found.correct == correct


def test_results_of_columns_are_those_of_records() -> None:
    accuracy = Accuracy(correct=3, total=8)
    columns = Results(engine="numba", accuracy=accuracy, inputs=ROWS)
    listed = Results(engine="numba", accuracy=accuracy, inputs=list(ROWS))
    assert columns.inputs is ROWS
    assert columns == listed
    assert columns.model_dump() == listed.model_dump()
    assert columns.model_dump_json(by_alias=True) == listed.model_dump_json(by_alias=True)
    assert Results.model_validate_json(columns.model_dump_json(by_alias=True)) == columns
