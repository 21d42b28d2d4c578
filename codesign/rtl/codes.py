"""Encodings of the descriptor's fields: what a number in a field stands for.

Declared once: the encoder and the interpreter use them, docs/hardware/program.md lists them
by these names and numbers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from codesign.hw.layout import is_bipolar
from codesign.ir import IntArray, IntType


class Operation(IntEnum):
    """Field `operation`; an empty word of the program memory is none of them."""

    ILLEGAL = 0
    LOAD = 1
    STORE = 2
    PRODUCT = 3
    VECTOR = 4
    REORDER = 5


class Form(IntEnum):
    """Fields `input_form` and `output_form`: how a code stands for a value.

    A bipolar code is 1 b: 0 is -1, 1 is +1. The others are the value, in all lanes of the code.
    """

    UNSIGNED = 0
    SIGNED = 1
    BIPOLAR = 2


class Activation(IntEnum):
    """Field `activation`; the value follows the shift."""

    NONE = 0
    HEAVISIDE = 1
    SIGN = 2
    CLIP = 3


class Reduce(IntEnum):
    """Field `reduce`."""

    NONE = 0
    SUM = 1
    INDEX = 2


def form_of(code_type: IntType) -> Form:
    """The form in which codes of this type are stored."""
    if code_type.lo >= 0:
        return Form.UNSIGNED
    return Form.BIPOLAR if is_bipolar(code_type) else Form.SIGNED


def encode(values: IntArray, form: Form, bits: int) -> IntArray:
    """Values as the codes that are stored, `0 .. 2^bits - 1`, int64."""
    wide = values.astype(np.int64)
    stored = (wide + 1) >> 1 if form is Form.BIPOLAR else wide
    return np.asarray(stored & ((1 << bits) - 1))


def decode(codes: IntArray, form: Form, bits: int) -> IntArray:
    """The values of stored codes, int64."""
    if form is Form.BIPOLAR:
        return np.asarray(2 * (codes & 1) - 1)
    if form is Form.SIGNED:
        return np.asarray(codes - ((codes >> (bits - 1)) << bits))
    return codes
