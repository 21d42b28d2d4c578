"""The exact rank of a small integer matrix, with a proof: no floating point decides it.

The rank modulo a prime is never above the rank over the rationals, so that the greatest one found
is a lower bound. It is the rank where it is full. Else primes are added until their product is
above every minor of the next order (Hadamard's bound): a minor that all of them divide is zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from codesign.ir import IntArray

#: Primes are below this: a product of two residues fits 64 bits.
_BELOW = 1 << 31


def exact_rank(matrix: IntArray) -> int:
    """Rank over the rationals of an integer matrix whose entries are at most 1 in magnitude.

    A zero row, and a row that equals another one or its negative, adds nothing and is left out.
    """
    rows = _different(matrix.astype(np.int64))
    if not len(rows):
        return 0
    full, found, product = min(rows.shape), 0, 1
    for prime in _primes():
        found = max(found, _rank_modulo(rows, prime))
        product *= prime
        order = found + 1
        if found == full or product * product > order**order:
            return found
    raise AssertionError("primes do not end")


def _different(rows: IntArray) -> IntArray:
    """The rows without zeros and repetitions; the first entry that is not 0 is positive."""
    rows = rows[rows.any(axis=1)]
    if not len(rows):
        return rows
    leading = rows[np.arange(len(rows)), (rows != 0).argmax(axis=1)]
    unique: IntArray = np.unique(rows * np.sign(leading)[:, None], axis=0)
    return unique


def _rank_modulo(matrix: IntArray, prime: int) -> int:
    """Rank over the integers modulo `prime`, by elimination."""
    left = matrix % prime
    if len(left) > left.shape[1]:
        left = left.T.copy()
    rank = 0
    for column in range(left.shape[1]):
        below = np.flatnonzero(left[rank:, column])
        if not len(below):
            continue
        pivot = rank + int(below[0])
        left[[rank, pivot]] = left[[pivot, rank]]
        row = left[rank, column:] * pow(int(left[rank, column]), -1, prime) % prime
        others = rank + 1 + np.flatnonzero(left[rank + 1 :, column])
        factors = left[others, column]
        left[others, column:] = (left[others, column:] - factors[:, None] * row) % prime
        rank += 1
        if rank == len(left):
            break
    return rank


def _primes() -> Iterator[int]:
    """Primes from the greatest below `_BELOW` down."""
    divisors = np.arange(3, 46342, 2)  # up to the root of _BELOW
    for candidate in range(_BELOW - 1, 2, -2):
        if (candidate % divisors).all():
            yield candidate
