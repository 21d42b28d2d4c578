"""Automata as sources of weights: the paper's facts (3-mognet.md 4.3), and exact arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from codesign.errors import CodesignError
from codesign.ir import IntArray, lookup
from codesign.ops.automaton import advance
from codesign.quality import AutomatonQuality, _rank, automaton_quality, longest_row
from codesign.quality._cycle import find_cycle, step_of
from codesign.quality._rank import exact_rank
from codesign.quality.automaton import Coherence


def measure(rule: int, cells: int, rows: int, columns: int, **given: Any) -> AutomatonQuality:
    """Seed 1; a warm-up of as many steps as cells unless given."""
    chosen = {"seed": 1, "warm_up": cells} | given
    return automaton_quality(rule=rule, cells=cells, shape=(rows, columns), **chosen)


@pytest.mark.parametrize("rule", [30, 45])
@pytest.mark.parametrize(("columns", "rows"), [(64, 128), (128, 256)])
def test_rules_30_and_45_are_as_good_as_random(rule: int, columns: int, rows: int) -> None:
    found = measure(rule, 2 * columns, rows, columns)
    assert found.rank == found.full_rank == columns
    assert found.warnings == ()
    assert (found.dead, found.repeated, found.cycle) == (0, 0, None)
    assert found.coherence.greatest <= 1.15 * found.random.greatest
    assert abs(found.coherence.mean - found.random.mean) < 0.003
    assert round(found.random.mean, 2) == {64: 0.1, 128: 0.07}[columns]


def test_rule_30_of_the_paper_to_the_last_digit() -> None:
    """m = 128: mean |cos| 0.07, the greatest .36 where random weights have .34."""
    found = measure(30, 256, 128, 128)
    assert found.coherence == Coherence(0.3548, 0.0704)
    assert found.random == Coherence(0.3512, 0.0705)
    assert found.codes == {-1: 4006, 0: 8266, 1: 4112}
    assert found.expected == {-1: Fraction(4096), 0: Fraction(8192), 1: Fraction(4096)}


@pytest.mark.parametrize("cells", [8, 64, 128])
@pytest.mark.parametrize("seed", [1, 0xA5])
def test_rule_90_dies_on_a_ring_of_a_power_of_two(cells: int, seed: int) -> None:
    found = measure(90, cells, 16, cells // 2, seed=seed)
    assert found.rank == 0
    assert (found.dead, found.repeated) == (16, 15)
    assert found.cycle is not None
    before, length = found.cycle
    assert length == 1
    assert before <= cells // 2
    assert found.codes == {-1: 0, 0: 8 * cells, 1: 0}
    assert found.warnings[:2] == (
        f"rule 90 on a ring of {cells} cells, a power of two, is all 0 after {cells // 2} steps "
        "from any seed; use rule 30",
        f"the ring repeats every step, from step {before} on: 16 rows are asked for, 1 different "
        "on the cycle; use another rule, seed or more cells",
    )
    assert found.coherence == Coherence(0.0, 0.0)  # no row has an angle


def test_rule_150_repeats_its_rows_on_a_ring_of_a_power_of_two() -> None:
    found = measure(150, 128, 128, 64, seed=12345, warm_up=64)
    assert found.cycle == (0, 64)
    assert found.coherence.greatest == 1.0
    assert (found.rank, found.full_rank, found.repeated) == (51, 64, 74)
    assert found.warnings == (
        "rule 150 on a ring of 128 cells, a power of two, is back at its seed after 64 steps; use "
        "rule 30",
        "the ring repeats every 64 steps, from step 0 on: 128 rows are asked for, 64 different on "
        "the cycle; use another rule, seed or more cells",
        "74 of 128 rows equal an earlier one",
        "the rank is 51, 64 is full: outputs depend on each other",
        "code -1 occurs 1,112 times, random bits give 2,048: the weights are biased",
        "code 0 occurs 5,248 times, random bits give 4,096: the weights are biased",
        "code 1 occurs 1,832 times, random bits give 2,048: the weights are biased",
        "rows are alike: |cos| is 1.00 at most and 0.260 in the mean, 0.52 and 0.100 of random "
        "weights",
    )


def test_rule_110_is_biased_and_correlated() -> None:
    found = measure(110, 128, 256, 128, mapping="binary", seed=77)
    assert found.warnings[0] == (
        "rule 110 has more ones than zeros and moving patterns; use rule 30"
    )
    assert 8 * found.codes[1] > 4.4 * 256 * 128
    assert any(line.endswith("the weights are biased") for line in found.warnings)
    assert any(line.startswith("rows are alike: ") for line in found.warnings)
    assert found.coherence.greatest > 2 * found.random.greatest


def test_a_seed_needs_steps_to_reach_every_cell() -> None:
    """The usual 64 steps of warm-up are too few for 1,024 cells, whatever the rule."""
    found = measure(30, 1024, 128, 512, seed=0xC0DE, warm_up=64)
    assert found.warnings[0] == (
        "the seed has reached 162 of 1024 cells when the first row is read; use a warm-up of 1024 "
        "steps"
    )
    assert found.codes[0] > found.expected[0] * Fraction(11, 10)
    assert measure(30, 1024, 128, 512, seed=0xC0DE).warnings == ()


def test_a_short_cycle_is_told_even_where_no_row_repeats_yet() -> None:
    found = measure(30, 16, 4, 8, warm_up=0, seed=0x5EED)
    assert found.cycle is not None
    assert found.repeated == 0
    before, length = found.cycle
    assert (
        f"the ring repeats every {length} steps, from step {before} on; use more cells where the "
        "rows go on"
    ) in found.warnings


@pytest.mark.parametrize("mapping", ["ternary", "balanced", "binary"])
def test_the_weights_measured_are_the_operations(mapping: str) -> None:
    columns = longest_row(60, mapping)
    found = measure(30, 60, 50, columns, mapping=mapping, steps=3)
    number = ["ternary", "balanced", "binary"].index(mapping)
    weights = lookup("ca_weights").reference(
        shape=(50, columns), rule=30, cells=60, seed=1, warm_up=60, steps=3, mapping=number
    )
    assert found.codes == {code: int((weights == code).sum()) for code in found.codes}
    assert sum(found.codes.values()) == sum(found.expected.values()) == 50 * columns
    assert found.rank == np.linalg.matrix_rank(weights)
    assert json.loads(json.dumps(found.facts()))["rank"] == found.rank


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 0}, "ca_weights: attribute seed is 0; give 1 to 4294967295"),
        ({"cells": 127},
         "ca_weights: a row of 64 weights takes 128 cells, the ring has 127; use 128 cells or "
         "more"),
        ({"rule": 256}, "ca_weights: attribute rule is 256; give 0 to 255"),
        ({"mapping": "quinary"},
         "mapping 'quinary' is not known; choose ternary, balanced, binary"),
        ({"limit": 0}, "limit is 0; give 1 or more steps to look for a cycle in"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesignError) as caught:
        automaton_quality(**{"cells": 128, "seed": 1, "shape": (8, 64)} | given)
    assert str(caught.value) == message


def test_a_row_needs_a_weight() -> None:
    with pytest.raises(CodesignError) as caught:
        longest_row(2, "balanced")
    assert str(caught.value) == (
        "a balanced weight takes 3 cells, the ring has 2; use 3 cells or more"
    )


def _rank_of_fractions(matrix: IntArray) -> int:
    """Elimination in fractions: slow, and without a thought."""
    rows = [[Fraction(int(x)) for x in row] for row in matrix]
    rank = 0
    for column in range(matrix.shape[1]):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for r in range(rank + 1, len(rows)):
            factor = rows[r][column] / rows[rank][column]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[rank], strict=True)]
        rank += 1
    return rank


def test_the_rank_is_exact() -> None:
    random = np.random.default_rng(4)
    seen = set()
    for case in range(200):
        rows, columns = random.integers(1, 9, 2)
        matrix = random.integers(-1, 2, (rows, columns))
        if case % 2:  # dependent rows that are not copies: entries stay within -1, 0, 1
            matrix[:, 1:] *= random.integers(0, 2, columns - 1)
            matrix = np.concatenate([matrix, np.clip(matrix[::-1] - matrix, -1, 1), -matrix])
        rank = exact_rank(matrix)
        assert rank == _rank_of_fractions(matrix)
        seen.add(rank - min(matrix.shape))
    assert {0, -1, -2} <= seen


def test_a_rank_that_one_prime_would_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A determinant of -3: 3 sees rank 3, which proves nothing, 5 sees rank 4, which does."""
    matrix = 1 - np.eye(4, dtype=np.int64)
    asked: list[int] = []
    rank_modulo = _rank._rank_modulo

    def counted(rows: IntArray, prime: int) -> int:
        asked.append(prime)
        return rank_modulo(rows, prime)

    monkeypatch.setattr(_rank, "_primes", lambda: iter((3, 5, 7)))
    monkeypatch.setattr(_rank, "_rank_modulo", counted)
    assert rank_modulo(matrix, 3) == 3
    assert exact_rank(matrix) == 4
    assert asked == [3, 5]


def test_a_matrix_without_rank() -> None:
    assert exact_rank(np.ones((5, 7), np.int64)) == 1
    assert exact_rank(np.zeros((5, 7), np.int64)) == 0


def test_steps_on_whole_words_are_the_operations() -> None:
    random = np.random.default_rng(5)
    for rule in range(256):
        cells = int(random.integers(3, 80))
        ring = random.integers(0, 2, cells)
        number = sum(int(bit) << i for i, bit in enumerate(ring))
        after = advance(ring, rule, 1)
        assert step_of(rule, cells)(number) == sum(int(bit) << i for i, bit in enumerate(after))


def test_cycles_are_those_of_a_plain_search() -> None:
    for rule in (30, 45, 90, 110, 150, 184):
        for cells in (3, 5, 8, 11):
            step = step_of(rule, cells)
            for seed in (1, 5, 7):
                seen, ring = {}, seed
                while ring not in seen:
                    seen[ring] = len(seen)
                    ring = step(ring)
                expected = (seen[ring], len(seen) - seen[ring])
                total = sum(expected)
                assert find_cycle(step, seed, total) == expected
                assert find_cycle(step, seed, total - 1) is None
