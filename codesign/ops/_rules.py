"""Rules that several operations share."""

from __future__ import annotations

import math

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import IntArray, IntType, Value


def need_rank(label: str, value: Value, rank: int, axes: str) -> None:
    """Refuse a value whose shape has not `rank` axes."""
    if len(value.shape) != rank:
        raise CodesignError(f"{label} is {value}; its shape must be {axes}")


def need_byte(label: str, value: Value) -> None:
    """Refuse codes that do not fit a byte: products take 1 to 8 bit operands."""
    if not value.type.fits_byte:
        raise CodesignError(
            f"{label} has codes {value.type}; products take at most 8 b; rescale before it"
        )


def need_byte_carrier(label: str, value: Value) -> None:
    """Refuse codes that neither a signed nor an unsigned byte carries."""
    if value.type.dtype.itemsize != 1:
        raise CodesignError(
            f"{label} has codes {value.type}; they must lie in [-128..127] or [0..255]; "
            "rescale before it"
        )


def product_interval(rows: IntArray, operand: IntType) -> IntType:
    """Proved interval of `sum_i rows[r, i] * x_i` over every x in `operand`, all rows r.

    Exact: each bound is reached by the row's own worst input.
    """
    positive = np.maximum(rows, 0).sum(axis=1, dtype=np.int64)
    negative = rows.sum(axis=1, dtype=np.int64) - positive
    low = positive * operand.lo + negative * operand.hi
    high = positive * operand.hi + negative * operand.lo
    return IntType(int(low.min()), int(high.max()))


def window_sizes(
    label: str, sizes: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...]
) -> tuple[int, ...]:
    """Output sizes of a sliding window; refuses a window larger than what it slides over."""
    for size, width in zip(sizes, kernel, strict=True):
        if width > size:
            raise CodesignError(
                f"{label}: the window is {kernel}, larger than the padded map {sizes}; "
                "use a smaller window or more padding"
            )
    return tuple((s - k) // t + 1 for s, k, t in zip(sizes, kernel, stride, strict=True))


def need_axes(op: str, name: str, values: tuple[int, ...], rank: int) -> None:
    """Refuse an attribute that has not one integer per axis."""
    if len(values) != rank:
        raise CodesignError(
            f"{op}: attribute {name} is {values}; give {rank} integers, one an axis"
        )


def divisors(number: int) -> str:
    """The divisors of `number`, written for a message."""
    small = [d for d in range(1, math.isqrt(number) + 1) if number % d == 0]
    large = [number // d for d in reversed(small) if d * d != number]
    return ", ".join(map(str, small + large))


def union(*types: IntType) -> IntType:
    """The least code set that holds every code of `types`."""
    low, high = min(kind.lo for kind in types), max(kind.hi for kind in types)
    steps = [kind.step for kind in types if kind.count > 1]
    return IntType(low, high, math.gcd(*steps, *(kind.lo - low for kind in types)) or 1)


def need_same_shape(a: Value, b: Value) -> None:
    """Refuse two maps that do not lie element on element."""
    if a.shape != b.shape:
        raise CodesignError(f"a is {a}, b is {b}; their shapes must be equal")


def need_map(label: str, value: Value) -> int:
    """How many axes a map has behind its channels, 1 to 3; refuses any other value."""
    rank = len(value.shape) - 1
    if not 1 <= rank <= 3:
        raise CodesignError(
            f"{label} is {value}; its shape must be channels x length, channels x height x width "
            "or channels x frames x height x width"
        )
    return rank


def strided(stride: tuple[int, ...]) -> tuple[slice, ...]:
    """The index of every window that a stride keeps, of an array (N, C, windows...)."""
    return (slice(None), slice(None), *(slice(None, None, step) for step in stride))
