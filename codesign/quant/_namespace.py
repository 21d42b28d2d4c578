"""One spelling of the mathematics for NumPy arrays and torch tensors."""

from __future__ import annotations

from typing import Any, TypeVar

from array_api_compat import array_namespace

#: A NumPy array or a torch tensor; a function gives back the kind it was given.
ArrayT = TypeVar("ArrayT")


def namespace(array: object) -> Any:
    """The array-API namespace (`numpy`, `torch`) that `array` belongs to."""
    return array_namespace(array)


def is_integer(array: Any) -> bool:
    """Whether the elements are integers by dtype."""
    return bool(namespace(array).isdtype(array.dtype, "integral"))


def floor_divide_power(array: Any, shift: int) -> Any:
    """`floor(array / 2^shift)`: an arithmetic shift for integers, exact for floats."""
    if is_integer(array):
        return array >> shift
    return namespace(array).floor(array * 2.0**-shift)
