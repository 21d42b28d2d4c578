"""Inputs of a run: complete, of the right shape, integers, and codes of their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray, IntType


def prepare(graph: Graph, inputs: Mapping[str, IntArray], first: int = 0) -> dict[str, IntArray]:
    """The inputs in the graph's order, each in its type's carrier.

    `first` is the number of the first image, where they are a part of more. Raises CodesignError
    naming the input, and the first wrong element where a code is wrong.
    """
    for name in inputs:
        if name not in graph.inputs:
            raise CodesignError(
                f"input {name} is not one of {graph.name}; it takes {', '.join(graph.inputs)}"
            )
    images: dict[str, IntArray] = {}
    for name in graph.inputs:
        if name not in inputs:
            raise CodesignError(
                f"input {name} is missing; {graph.name} takes {', '.join(graph.inputs)}"
            )
        code_type = graph.values[name].type
        array = np.asarray(inputs[name])
        refuse_nan(name, array, code_type, first)
        need_form(graph, name, array.shape, array.dtype)
        _check_codes(name, array, code_type, first)
        images[name] = np.ascontiguousarray(array, dtype=code_type.dtype)
    need_equal_counts({name: array.shape[0] for name, array in images.items()})
    return images


def need_form(graph: Graph, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an array of other than integers, or of another shape than the input `name` has."""
    value = graph.values[name]
    if dtype.kind not in "iu":
        raise CodesignError(
            f"input {name} has {dtype} elements; expected integer codes {value.type}; "
            "convert it to integers"
        )
    if shape[1:] != value.shape or not shape:
        raise CodesignError(f"input {name} {_other_shape(graph.name, shape, value.shape)}")


def need_equal_counts(counts: Mapping[str, int]) -> None:
    """Refuse inputs of different numbers of images."""
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise CodesignError(f"inputs have different numbers of images ({found}); give as many each")


def refuse_nan(name: str, array: NDArray[Any], code_type: IntType, first: int = 0) -> None:
    """Refuse floating point that is no number, which no conversion to integers keeps."""
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise CodesignError(
            f"input {name} holds NaN at {_place(np.isnan(array), first)}; expected integer codes "
            f"{code_type}; replace it and convert to integers"
        )


def _other_shape(model: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What is wrong with a shape; a clip of another length, or with its channels last, is named."""
    if len(wanted) == 4:
        channels, frames, *size = wanted
        own = found[-4:]
        if own == (channels, *own[1:2], *size) and len(found) in (4, 5):
            return (
                f"has {own[1]} frames, {model} takes {frames}; sample the clip to {frames} frames"
            )
        if own == (frames, *size, channels):
            return (
                f"has shape {found}, channels last; expected (N, {', '.join(map(str, wanted))}): "
                "channels, frames, height, width"
            )
    expected = ", ".join(("N", *map(str, wanted)))
    return f"has shape {found}; expected ({expected}), images first"


def _check_codes(name: str, array: IntArray, code_type: IntType, first: int) -> None:
    if code_type.contains(array):
        return
    wrong = (array < code_type.lo) | (array > code_type.hi)
    if not wrong.any():
        wrong = (array.astype(np.int64) - code_type.lo) % code_type.step != 0
    code = array[np.unravel_index(int(wrong.argmax()), wrong.shape)]
    raise CodesignError(
        f"input {name} holds {code} at {_place(wrong, first)}; expected codes {code_type}; "
        "bring it into its type"
    )


def _place(wrong: NDArray[np.bool_], first: int) -> str:
    place = [int(index) for index in np.unravel_index(int(wrong.argmax()), wrong.shape)]
    return str([first + index if axis == 0 else index for axis, index in enumerate(place)])
