"""Is this automaton a good source of weights? Measured, beside random weights (3-mognet.md 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import gcd, isqrt, prod
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import IntArray, lookup
from codesign.ops.generated import BALANCED, BINARY, CELLS, TERNARY, row_of
from codesign.quality._cycle import find_cycle, step_of
from codesign.quality._rank import exact_rank

#: The mappings by name.
MAPPINGS = {"ternary": TERNARY, "balanced": BALANCED, "binary": BINARY}
#: Codes of each mapping, and their shares in eighths when the cells are random bits.
EIGHTHS = {
    TERNARY: {-1: 2, 0: 4, 1: 2},
    BALANCED: {-1: 3, 0: 2, 1: 3},
    BINARY: {-1: 4, 1: 4},
}
#: Cells that the seed sets, the others are 0.
SEED_CELLS = 32
#: Random matrices that the coherence is compared with.
DRAWS = 5
#: Steps within which a cycle is looked for, unless told otherwise.
LIMIT = 1 << 14


@dataclass(frozen=True, slots=True)
class Coherence:
    """Likeness of pairs of rows, |cos| of their angle, over rows that are not all 0.

    Attributes:
        greatest: of all pairs, rounded down to 1/10,000 from exact integers.
        mean: over all pairs, rounded to 1/10,000.
    """

    greatest: float
    mean: float


@dataclass(frozen=True, slots=True)
class AutomatonQuality:
    """What `automaton_quality` finds.

    Attributes:
        rows, columns: outputs, and weights of one output.
        rank: of the weights over the rationals, exact; `full_rank` the most it could be.
        coherence, random: of the weights, and of random ones: the greatest of DRAWS matrices of
            the same size and shares, and the mean of their means.
        codes: how often each code occurs; `expected` how often it would, of random bits.
        cycle: steps before the ring's cycle and its length, None where it has not closed within
            `limit` steps of the seed.
        dead: rows whose weights are all alike; `repeated` rows that equal an earlier row.
        warnings: one line each; none for a good choice.
    """

    rule: int
    cells: int
    seed: int
    warm_up: int
    steps: int
    mapping: str
    rows: int
    columns: int
    rank: int
    full_rank: int
    coherence: Coherence
    random: Coherence
    codes: dict[int, int]
    expected: dict[int, Fraction]
    cycle: tuple[int, int] | None
    limit: int
    dead: int
    repeated: int
    warnings: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The same as plain data, for JSON; a count of codes is a list of code and count."""
        found = asdict(self)
        found["codes"] = [[code, count] for code, count in self.codes.items()]
        found["expected"] = [[code, float(count)] for code, count in self.expected.items()]
        found["cycle"] = None if self.cycle is None else list(self.cycle)
        found["warnings"] = list(self.warnings)
        return found


def longest_row(cells: int, mapping: str) -> int:
    """The most weights that a row takes from a ring of `cells`; CodesignError where it is none."""
    need = CELLS[_kind(mapping)]
    if cells < need:
        raise CodesignError(
            f"a {mapping} weight takes {need} cells, the ring has {cells}; use 3 cells or more"
        )
    return cells // need


def _kind(mapping: str) -> int:
    if mapping not in MAPPINGS:
        raise CodesignError(f"mapping {mapping!r} is not known; choose {', '.join(MAPPINGS)}")
    return MAPPINGS[mapping]


def automaton_quality(
    *,
    rule: int = 30,
    cells: int,
    seed: int,
    shape: tuple[int, ...],
    warm_up: int = 64,
    steps: int = 1,
    mapping: str = "ternary",
    limit: int = LIMIT,
) -> AutomatonQuality:
    """Measure the weights that `ca_weights` generates with these attributes.

    `shape` is outputs, then the sizes of a row. Raises CodesignError, one line, for what
    `ca_weights` refuses, an unknown mapping, or a limit below 1.
    """
    if limit < 1:
        raise CodesignError(f"limit is {limit}; give 1 or more steps to look for a cycle in")
    spec, kind = lookup("ca_weights"), _kind(mapping)
    attrs = spec.parse_attributes(
        {"shape": shape, "rule": rule, "cells": cells, "seed": seed, "warm_up": warm_up}
        | {"steps": steps, "mapping": kind}
    )
    data = spec.infer(**attrs).data
    assert data is not None  # generated weights are known
    weights = data.reshape(shape[0], prod(shape[1:])).astype(np.int64)
    rows, columns = weights.shape
    rank, cycle = exact_rank(weights), find_cycle(step_of(rule, cells), seed, limit)
    codes = {code: int((weights == code).sum()) for code in EIGHTHS[kind]}
    expected = {code: Fraction(n * weights.size, 8) for code, n in EIGHTHS[kind].items()}
    coherence, random = _coherence(weights), _random(rows, columns, kind)
    dead = int((weights == weights[:, :1]).all(axis=1).sum())
    repeated = rows - len(np.unique(weights, axis=0))
    warnings = [
        *_known(rule, cells),
        *_of_warm_up(cells, warm_up + steps),
        *_of_cycle(cycle, rows, steps),
        *_of_rows(rank, rows, columns, dead, repeated),
        *_of_codes(codes, expected, weights.size),
        *_of_coherence(coherence, random),
    ]
    return AutomatonQuality(
        rule, cells, seed, warm_up, steps, mapping, rows, columns, rank, min(rows, columns),
        coherence, random, codes, expected, cycle, limit, dead, repeated, tuple(warnings),
    )  # fmt: skip


def _coherence(weights: IntArray) -> Coherence:
    gram = weights @ weights.T
    norms = np.diagonal(gram)
    alive = np.flatnonzero(norms)
    gram, norms = gram[np.ix_(alive, alive)], norms[alive]
    first, second = np.triu_indices(len(alive), 1)
    if not len(first):
        return Coherence(0.0, 0.0)
    products, squares = gram[first, second], norms[first] * norms[second]
    cosines = np.abs(products) / np.sqrt(squares)
    best = int(np.argmax(cosines))
    greatest = isqrt(10**8 * int(products[best]) ** 2 // int(squares[best]))
    return Coherence(greatest / 10**4, round(float(cosines.mean()), 4))


def _random(rows: int, columns: int, kind: int) -> Coherence:
    """The same of random rings; the bits are PCG64's, whose numbers never change."""
    cells = CELLS[kind] * columns
    found = []
    for seed in range(DRAWS):
        words = np.random.PCG64(seed).random_raw(-(-rows * cells // 32))
        bits = (words[:, None] >> np.arange(32, 64, dtype=np.uint64) & np.uint64(1)).reshape(-1)
        rings = bits[: rows * cells].astype(np.int64).reshape(rows, cells)
        found.append(_coherence(row_of(rings, columns, kind)))
    mean = sum(one.mean for one in found) / DRAWS
    return Coherence(max(one.greatest for one in found), round(mean, 4))


def _known(rule: int, cells: int) -> Iterator[str]:
    """What is proved, or known, of a rule before anything is measured."""
    power = cells & (cells - 1) == 0
    if rule == 90 and power:
        yield (
            f"rule 90 on a ring of {cells} cells, a power of two, is all 0 after {cells // 2} "
            "steps from any seed; use rule 30"
        )
    if rule == 150 and power:
        yield (
            f"rule 150 on a ring of {cells} cells, a power of two, is back at its seed after "
            f"{cells // 2} steps; use rule 30"
        )
    if rule == 110:
        yield "rule 110 has more ones than zeros and moving patterns; use rule 30"


def _of_warm_up(cells: int, before: int) -> Iterator[str]:
    """A cell hears of its neighbours one step later, so that 32 cells reach two more a step."""
    reached = SEED_CELLS + 2 * before
    if reached < cells:
        yield (
            f"the seed has reached {reached} of {cells} cells when the first row is read; use a "
            f"warm-up of {cells} steps"
        )


def _of_cycle(cycle: tuple[int, int] | None, rows: int, steps: int) -> Iterator[str]:
    if cycle is None:
        return
    before, length = cycle
    every = f"every {length} steps" if length > 1 else "every step"
    different = length // gcd(length, steps)
    if different < rows:
        yield (
            f"the ring repeats {every}, from step {before} on: {rows} rows are asked for, "
            f"{different} different on the cycle; use another rule, seed or more cells"
        )
    else:
        yield (
            f"the ring repeats {every}, from step {before} on; use more cells where the rows go on"
        )


def _of_rows(rank: int, rows: int, columns: int, dead: int, repeated: int) -> Iterator[str]:
    if dead:
        yield f"{dead} of {rows} rows have all weights alike"
    if repeated:
        yield f"{repeated} of {rows} rows equal an earlier one"
    if rank < min(rows, columns):
        yield f"the rank is {rank}, {min(rows, columns)} is full: outputs depend on each other"


def _of_codes(codes: dict[int, int], expected: dict[int, Fraction], size: int) -> Iterator[str]:
    """Codes further from their share than five standard deviations of independent weights."""
    for code, count in codes.items():
        mean = expected[code]
        if (count - mean) ** 2 > 25 * mean * (1 - mean / size):
            yield (
                f"code {code} occurs {count:,} times, random bits give {float(mean):,.0f}: the "
                "weights are biased"
            )


def _of_coherence(found: Coherence, random: Coherence) -> Iterator[str]:
    if found.greatest > 1.25 * random.greatest or found.mean > 1.25 * random.mean:
        yield (
            f"rows are alike: |cos| is {found.greatest:.2f} at most and {found.mean:.3f} in the "
            f"mean, {random.greatest:.2f} and {random.mean:.3f} of random weights"
        )
