"""Codes as a stream of bits, the form that constants have in a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.ir import IntArray, IntType


def packed_size(count: int, bits: int) -> int:
    """Bytes that `count` codes of `bits` bits take."""
    return -(-count * bits // 8)


def pack(codes: IntArray, code_type: IntType) -> bytes:
    """`(code - lo) / step` in `storage_bits` bits each, row-major, least significant bit first.

    The last byte is filled with zeros.
    """
    bits = code_type.storage_bits
    distance = _distance(codes.reshape(-1), code_type)
    index = distance if code_type.step == 1 else distance // distance.dtype.type(code_type.step)
    if bits in _WHOLE:
        return _pack_whole(index.astype(np.uint8, copy=False), bits)
    size = next(size for size in (1, 2, 4, 8) if 8 * size >= bits)
    octets = index.astype(f"<u{size}").view(np.uint8).reshape(-1, size)
    rows = np.unpackbits(octets, axis=1, count=bits, bitorder="little")
    return np.packbits(rows, bitorder="little").tobytes()


def unpack(packed: bytes, shape: tuple[int, ...], code_type: IntType) -> IntArray:
    """The codes of `pack` in this shape; `packed` has `packed_size` bytes.

    In the type's carrier where they surely are codes of it, else as int64.
    """
    bits = code_type.storage_bits
    count = int(np.prod(shape, dtype=np.int64))
    if bits in _WHOLE:
        octets = np.frombuffer(packed, np.uint8)
        index = np.arange(256, dtype=np.uint64)[:, None] >> _places(bits) & np.uint64(2**bits - 1)
        table: IntArray = _codes(index, code_type)
        inside = np.all(index < code_type.count, axis=1)
        if inside[octets].all():
            table = table.astype(code_type.dtype)
        return np.take(table, octets, axis=0).reshape(-1)[:count].reshape(shape)
    stream = np.unpackbits(
        np.frombuffer(packed, np.uint8), count=count * bits, bitorder="little"
    ).reshape(count, bits)
    octets = np.zeros((count, 8), np.uint8)
    found = np.packbits(stream, axis=1, bitorder="little")
    octets[:, : found.shape[1]] = found
    index = octets.view("<u8").reshape(-1).astype(np.uint64)
    return _codes(index, code_type).reshape(shape)


#: Widths of which a byte holds a whole number: they are packed without a detour over single bits.
_WHOLE = (1, 2, 4, 8)


def _places(bits: int) -> NDArray[np.uint64]:
    """Where the codes of a byte begin."""
    return np.arange(0, 8, bits, dtype=np.uint64)


def _pack_whole(index: NDArray[np.uint8], bits: int) -> bytes:
    each = 8 // bits
    rows = np.zeros((-(-len(index) // each), each), np.uint8)
    rows.reshape(-1)[: len(index)] = index
    octets = rows[:, 0].copy()
    for place in range(1, each):
        octets |= rows[:, place] << np.uint8(bits * place)
    return octets.tobytes()


def _distance(codes: IntArray, code_type: IntType) -> NDArray[np.unsignedinteger[Any]]:
    """`code - lo`, modulo 2^8 or 2^64, so that the distance of any two codes fits."""
    if code_type.dtype.itemsize == 1:
        octets = codes.astype(code_type.dtype, copy=False).view(np.uint8)
        return octets - np.uint8(code_type.lo % (1 << 8))
    return codes.astype(np.int64).view(np.uint64) - _modular(code_type.lo)


def _codes(index: NDArray[np.uint64], code_type: IntType) -> NDArray[np.int64]:
    return (index * np.uint64(code_type.step) + _modular(code_type.lo)).view(np.int64)


def _modular(value: int) -> np.uint64:
    return np.uint64(value % (1 << 64))
