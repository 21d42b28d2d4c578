"""Inputs of a run: complete, of the right shape, integers, and codes of their types."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray, IntType


def prepare(graph: Graph, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
    """The inputs in the graph's order, each in its type's carrier.

    Raises CodesignError naming the input, and the first wrong element where a code is wrong.
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
        value = graph.values[name]
        array = np.asarray(inputs[name])
        _check_elements(name, array, value.type)
        if array.shape[1:] != value.shape or not array.ndim:
            raise CodesignError(
                f"input {name} {_other_shape(graph.name, array.shape, value.shape)}"
            )
        _check_codes(name, array, value.type)
        images[name] = np.ascontiguousarray(array, dtype=value.type.dtype)
    counts = {name: array.shape[0] for name, array in images.items()}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise CodesignError(f"inputs have different numbers of images ({found}); give as many each")
    return images


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


def _check_elements(name: str, array: IntArray, code_type: IntType) -> None:
    if array.dtype.kind in "iu":
        return
    if array.dtype.kind == "f" and np.isnan(array).any():
        place = _place(np.isnan(array))
        raise CodesignError(
            f"input {name} holds NaN at {place}; expected integer codes {code_type}; "
            "replace it and convert to integers"
        )
    raise CodesignError(
        f"input {name} has {array.dtype} elements; expected integer codes {code_type}; "
        "convert it to integers"
    )


def _check_codes(name: str, array: IntArray, code_type: IntType) -> None:
    if code_type.contains(array):
        return
    wrong = (array < code_type.lo) | (array > code_type.hi)
    if not wrong.any():
        wrong = (array.astype(np.int64) - code_type.lo) % code_type.step != 0
    code = array[np.unravel_index(int(wrong.argmax()), wrong.shape)]
    raise CodesignError(
        f"input {name} holds {code} at {_place(wrong)}; expected codes {code_type}; "
        "bring it into its type"
    )


def _place(wrong: NDArray[np.bool_]) -> str:
    return str([int(index) for index in np.unravel_index(int(wrong.argmax()), wrong.shape)])
