"""Inputs of a run: every wrong one is refused with one line, the same on every engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codesign.engine import ENGINES, create, prepare
from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntType


def _graph() -> Graph:
    builder = GraphBuilder("pair")
    for name, kind in (("image", IntType(0, 200)), ("mask", IntType(-1, 1, 2))):
        builder.input(name, (1, 2, 2), kind)
        builder.output(builder.node(f"{name}.sum", "sum_pool", [name]))
    return builder.build()


def _good(**changes: Any) -> dict[str, Any]:
    good = {"image": np.zeros((3, 1, 2, 2), np.uint8), "mask": np.ones((3, 1, 2, 2), np.int8)}
    return {**good, **changes}


def _with(code: float, dtype: Any = np.int64) -> np.ndarray:
    array = np.zeros((3, 1, 2, 2), dtype)
    array[2, 0, 1, 0] = code
    return array


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"image": _good()["image"]}, "input mask is missing; pair takes image, mask"),
    (_good(more=np.zeros(3)), "input more is not one of pair; it takes image, mask"),
    (_good(image=np.zeros((3, 2, 2), np.uint8)),
     "input image has shape (3, 2, 2); expected (N, 1, 2, 2), images first"),
    (_good(image=np.zeros((1, 2, 2), np.uint8)),
     "input image has shape (1, 2, 2); expected (N, 1, 2, 2), images first"),
    (_good(image=np.uint8(0)), "input image has shape (); expected (N, 1, 2, 2), images first"),
    (_good(image=np.zeros((2, 1, 2, 2), np.uint8)),
     "inputs have different numbers of images (image 2, mask 3); give as many each"),
    (_good(image=np.zeros((3, 1, 2, 2))),
     "input image has float64 elements; expected integer codes [0..200]; convert it to integers"),
    (_good(image=_with(np.nan, np.float32)),
     "input image holds NaN at [2, 0, 1, 0]; expected integer codes [0..200]; replace it and "
     "convert to integers"),
    (_good(image=np.zeros((3, 1, 2, 2), bool)),
     "input image has bool elements; expected integer codes [0..200]; convert it to integers"),
    (_good(image=np.zeros((3, 1, 2, 2), object)),
     "input image has object elements; expected integer codes [0..200]; convert it to integers"),
    (_good(image=_with(201, np.uint8)),
     "input image holds 201 at [2, 0, 1, 0]; expected codes [0..200]; bring it into its type"),
    (_good(image=_with(-1)),
     "input image holds -1 at [2, 0, 1, 0]; expected codes [0..200]; bring it into its type"),
    (_good(image=_with((1 << 64) - 1, np.uint64)),
     "input image holds 18446744073709551615 at [2, 0, 1, 0]; expected codes [0..200]; bring it "
     "into its type"),
    (_good(mask=np.zeros((3, 1, 2, 2), np.int8)),
     "input mask holds 0 at [0, 0, 0, 0]; expected codes [-1..1/2]; bring it into its type"),
    (_good(mask=1 - _with(1)),
     "input mask holds 0 at [2, 0, 1, 0]; expected codes [-1..1/2]; bring it into its type"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "message"), WRONG)
def test_a_wrong_input_is_refused(inputs: dict[str, Any], message: str) -> None:
    for engine in ENGINES:
        with pytest.raises(CodesignError) as caught:
            create(engine, _graph(), threads=1).run(inputs)
        assert str(caught.value) == message
        assert caught.value.exit_code == 2


def test_good_inputs_come_in_the_graphs_order_and_carriers() -> None:
    wide = {name: array.astype(np.int64) for name, array in reversed(_good().items())}
    found = prepare(_graph(), wide)
    assert [(name, array.dtype) for name, array in found.items()] == [
        ("image", np.dtype(np.uint8)),
        ("mask", np.dtype(np.int8)),
    ]


def test_lists_of_integers_are_arrays() -> None:
    inputs: dict[str, Any] = {name: array.tolist() for name, array in _good().items()}
    assert create("numba", _graph()).run(inputs)["mask.sum"].tolist() == [[4]] * 3
