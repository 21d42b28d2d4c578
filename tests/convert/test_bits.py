"""Codes as bits: against a definition in plain integers, and back."""

from __future__ import annotations

import numpy as np
import pytest

from codesign.convert._bits import pack, packed_size, unpack
from codesign.ir import IntArray, IntType

#: Every width of a code from 1 to 10 bits, and the extremes of each carrier.
TYPES = [
    IntType(-1, 1, 2),
    IntType(-1, 1),
    IntType(0, 255),
    IntType(-128, 127),
    IntType(-128, 122, 25),
    IntType(1, 241, 80),
    *(IntType(-3, -3 + 3 * (2**bits - 1), 3) for bits in range(1, 11)),
    *(IntType(5, 5 + 3 * (2**bits // 2), 3) for bits in range(1, 11)),
    IntType(-(2**31), 2**31 - 1),
    IntType(-(2**63), 2**63 - 1),
    IntType(-(2**63), 2**63 - 2, 2),
]


def codes_of(code_type: IntType, count: int) -> IntArray:
    """Codes of the type in its carrier, the first and the last one among them."""
    random = np.random.default_rng(count)
    steps = [
        0,
        code_type.count - 1,
        *(int(n) % code_type.count for n in random.integers(0, 2**62, count)),
    ]
    codes = [code_type.lo + code_type.step * step for step in steps[:count]]
    return np.array(codes, code_type.dtype)


def bits_of(codes: IntArray, code_type: IntType) -> bytes:
    """The definition: one long number, the first code in its lowest bits."""
    number = 0
    for place, code in enumerate(codes.reshape(-1).tolist()):
        number |= (code - code_type.lo) // code_type.step << place * code_type.storage_bits
    return number.to_bytes(packed_size(codes.size, code_type.storage_bits), "little")


@pytest.mark.parametrize("code_type", TYPES, ids=str)
def test_codes_are_bits_and_come_back(code_type: IntType) -> None:
    for count in (1, 2, 7, 8, 9, 255):
        codes = codes_of(code_type, count).reshape(1, count)
        packed = pack(codes, code_type)
        assert packed == bits_of(codes, code_type)
        assert pack(codes.astype(np.int64), code_type) == packed
        found = unpack(packed, codes.shape, code_type)
        assert found.shape == codes.shape
        assert np.array_equal(found, codes)


def test_weights_come_back_in_their_carrier() -> None:
    """A large network's weights are not held eight times larger."""
    for code_type in (IntType(-1, 1, 2), IntType(-1, 1), IntType(-8, 7), IntType(0, 255)):
        codes = codes_of(code_type, 100)
        assert unpack(pack(codes, code_type), codes.shape, code_type).dtype == code_type.dtype


def test_bits_that_are_no_code_of_the_type_stay_so() -> None:
    """They are refused later, by their value: it must not wrap into the type."""
    for code_type, packed, codes in (
        (IntType(-1, 1), b"\xe4", [-1, 0, 1, 2]),
        (IntType(125, 127), b"\xe4", [125, 126, 127, 128]),
        (IntType(0, 250, 25), b"\xaf", [375, 250]),
    ):
        found = unpack(packed, (len(codes),), code_type)
        assert found.tolist() == codes
        assert not code_type.contains(found)
