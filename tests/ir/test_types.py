"""Code sets: widths, carriers, membership."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import CodesignError
from codesign.ir import CARRIERS, IntArray, IntType, code_set, unsigned
from tests.strategies import int_types

_SETTINGS = settings(max_examples=200, derandomize=True, deadline=None)
small = int_types(-40, 40, steps=7)
wide = int_types(-(1 << 40), 1 << 40, steps=1000)


def _codes(code_type: IntType) -> list[int]:
    return list(range(code_type.lo, code_type.hi + 1, code_type.step))


@_SETTINGS
@given(small)
def test_the_codes_are_counted_and_numbered_in_the_storage_bits(code_type: IntType) -> None:
    codes = _codes(code_type)
    assert code_type.count == len(codes)
    assert (1 << code_type.storage_bits) >= len(codes)
    assert code_type.storage_bits == 1 or (1 << (code_type.storage_bits - 1)) < len(codes)


@_SETTINGS
@given(wide)
def test_the_register_is_the_narrowest_that_holds_both_ends(code_type: IntType) -> None:
    def holds(width: int) -> bool:
        if code_type.lo < 0:
            return -(1 << width - 1) <= code_type.lo and code_type.hi < 1 << width - 1
        return code_type.hi < 1 << width

    assert holds(code_type.width)
    assert code_type.width == 1 or not holds(code_type.width - 1)
    assert code_type.signed == (code_type.lo < 0)
    assert code_type.signed_width == next(
        width
        for width in range(1, 64)
        if -(1 << width - 1) <= code_type.lo and code_type.hi < 1 << width - 1
    )


@_SETTINGS
@given(wide)
def test_the_carrier_is_the_first_that_holds_both_ends(code_type: IntType) -> None:
    ends = np.array([code_type.lo, code_type.hi], dtype=object)
    fitting = [
        carrier
        for carrier in CARRIERS
        if np.iinfo(carrier).min <= ends.min() and ends.max() <= np.iinfo(carrier).max
    ]
    assert code_type.dtype == fitting[0]
    assert code_type.fits_register == (np.dtype(fitting[0]).itemsize <= 4)


@pytest.mark.parametrize(
    ("low", "high", "fits"),
    [
        *((-128, 127, True), (0, 255, True), (-1, 254, True), (100, 255, True), (-128, -1, True)),
        *((-129, 0, False), (0, 256, False), (-1, 255, False), (-128, 128, False)),
    ],
)
def test_a_byte_holds_256_codes_of_which_the_least_may_be_taken_away(
    low: int, high: int, fits: bool
) -> None:
    assert IntType(low, high).fits_byte == fits


@_SETTINGS
@given(small, small)
def test_a_type_holds_another_if_it_holds_each_of_its_codes(a: IntType, b: IntType) -> None:
    assert a.holds(b) == (set(_codes(b)) <= set(_codes(a)))


@_SETTINGS
@given(small, st.lists(st.integers(-50, 50), max_size=4))
def test_contains_is_membership_of_each_element(code_type: IntType, elements: list[int]) -> None:
    assert code_type.contains(np.array(elements, dtype=np.int64)) == (
        set(elements) <= set(_codes(code_type))
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.uint32, np.uint64])
def test_contains_takes_any_integer_array(dtype: type) -> None:
    info = np.iinfo(dtype)
    edges: IntArray = np.array([info.min, info.max], dtype=dtype)
    assert IntType(int(info.min), int(info.max)).contains(edges)
    assert not IntType(int(info.min), int(info.max) - 1).contains(edges)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize(
    "code_type",
    [IntType(-128, 122, 25), IntType(1, 251, 125), IntType(-1, 1, 2), IntType(-300, 897, 7)],
    ids=str,
)
def test_contains_steps_of_bytes(dtype: type, code_type: IntType) -> None:
    for octet in np.arange(256, dtype=np.uint8).view(dtype):
        inside = int(octet) in range(code_type.lo, code_type.hi + 1, code_type.step)
        assert code_type.contains(np.array([octet])) == inside


@pytest.mark.parametrize(
    ("levels", "expected", "bits"),
    [
        (2, IntType(-1, 1, 2), 1),
        (3, IntType(-1, 1), 2),
        (4, IntType(-3, 3, 2), 2),
        (5, IntType(-2, 2), 3),
        (7, IntType(-3, 3), 3),
        (8, IntType(-7, 7, 2), 3),
    ],
)
def test_weight_levels_are_symmetric(levels: int, expected: IntType, bits: int) -> None:
    code_type = code_set(levels)
    assert code_type == expected
    assert code_type.count == levels
    assert code_type.storage_bits == bits


def test_unsigned_codes() -> None:
    assert unsigned(8) == IntType(0, 255)
    assert unsigned(1).storage_bits == 1


def test_one_code_has_one_spelling() -> None:
    assert IntType(3, 3, 5) == IntType(3, 3)
    assert hash(IntType(3, 3, 5)) == hash(IntType(3, 3))
    assert IntType(0, 0).width == IntType(0, 0).storage_bits == 1


def test_text() -> None:
    assert str(IntType(-3, 3, 2)) == "[-3..3/2]"
    assert str(IntType(0, 3)) == "[0..3]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 2), "type [3..2] is empty; give lo <= hi"),
        ((0, 3, 2), "type [0..3] has step 2, which does not divide 3; give a positive divisor"),
        ((0, 3, 0), "type [0..3] has step 0, which does not divide 3; give a positive divisor"),
    ],
)
def test_what_is_no_code_set_is_refused(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(CodesignError) as caught:
        IntType(*arguments)
    assert str(caught.value) == message


def test_one_level_is_no_quantizer() -> None:
    with pytest.raises(CodesignError, match=r"^1 levels are not a quantizer; use 2 or more$"):
        code_set(1)


def test_past_64_bits_there_is_no_carrier() -> None:
    with pytest.raises(CodesignError) as caught:
        _ = IntType(0, 1 << 63).dtype
    assert str(caught.value) == (
        "type [0..9223372036854775808] needs more than 64 b; narrow the values before it"
    )
