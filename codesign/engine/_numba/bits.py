"""Codes of one bit: 32 of them in a word, as counted products read them.

A value of two codes is `lo + step * bit`. A pixel is ceil(C / 32) words, channel c is bit c % 32 of
word c / 32, and what is left of the last word is 0 in codes and weights alike, so it never counts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.tasks import PART_BYTES, Task, address, entry, numbers_at
from codesign.engine._numba.vectors import load, splat, store
from codesign.ir import IntArray

#: Codes in a word, and bytes of one.
WORD, WORD_BYTES = 32, 4


def pixel_bytes(channels: int) -> int:
    """Bytes of the bits of one pixel."""
    return -(-channels // WORD) * WORD_BYTES


def negative_bits(weight: IntArray) -> IntArray:
    """Weights (outputs, depth, *kernel) to bytes (outputs, pixel bytes, *kernel) of sign bits."""
    outputs, depth = weight.shape[:2]
    bits = np.zeros((outputs, pixel_bytes(depth) * 8, *weight.shape[2:]), np.uint8)
    bits[:, :depth] = weight < 0
    return np.packbits(bits, axis=1, bitorder="little").view(np.int8)


def pack(codes: IntArray, greater: int, y: IntArray, places: IntArray, step: int) -> None:
    """Bits of `codes` (N, pixels, C), any bytes, into the flat bytes `y`.

    A bit is set where the code is `greater`. `places` are the bytes of `y` where the pixels of an
    image begin, `step` the distance of two images.
    """
    pixels = len(codes) * len(places)
    flat = codes.reshape(-1).view(np.uint8)
    _pack(flat, codes.shape[-1], greater & 255, y, places, step, 0, pixels)


def packing(
    codes: IntArray, channels: int, greater: int, y: IntArray, places: IntArray, step: int
) -> Task:
    """As `pack`, as a task; `codes` are flat, the parts ranges of pixels of all images."""
    arrays = codes, y, places
    numbers = len(places), channels, greater & 255, step
    record = np.array([0, *map(address, arrays), *numbers], np.int64)
    return Task(_pack_entry(), record, len(places) * channels / PART_BYTES, arrays)


@cache
def _pack_entry() -> int:
    """Address of `_pack` on the record that `packing` makes."""

    def pack_bits(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 8, np.int64)
        images, pixels, channels, step = n[0], n[4], n[5], n[7]
        whole = images * pixels
        _pack(
            numbers_at(n[1], whole * channels, np.uint8), channels, n[6],
            numbers_at(n[2], images * step, np.uint8),
            numbers_at(n[3], pixels, np.int64),
            step, whole * part // parts, whole * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(pack_bits)


@intrinsic
def _equal_word(typing: Any, codes: Any, greater: Any, target: Any) -> Any:
    """At the address `target` the word of the 32 bytes at `codes` that are `greater`."""
    signature = types.void(types.intp, types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes, greater, target = arguments
        wanted = splat(builder, builder.trunc(greater, ir.IntType(8)), WORD)
        found = load(builder, codes, wanted.type)
        word = builder.bitcast(builder.icmp_unsigned("==", found, wanted), ir.IntType(WORD))
        store(builder, word, target)
        return context.get_dummy_value()

    return signature, generate


@compiled
def _pack(
    codes: IntArray,
    channels: int,
    greater: int,
    y: IntArray,
    places: IntArray,
    step: int,
    begin: int,
    end: int,
) -> None:
    """Flat bytes to flat bytes; of the pixels of all images those from `begin` to `end`."""
    whole = channels // WORD
    n, p = begin // len(places), begin % len(places)
    for index in range(begin, end):
        place = n * step + places[p]
        p += 1
        if p == len(places):
            n, p = n + 1, 0
        source, target = codes.ctypes.data + index * channels, y.ctypes.data + place
        for w in range(whole):
            _equal_word(  # type: ignore[call-arg]
                source + w * WORD, greater, target + w * WORD_BYTES
            )
        if whole * WORD < channels:
            word = 0
            for c in range(whole * WORD, channels):
                word |= (codes[index * channels + c] == greater) << (c - whole * WORD)
            for b in range(WORD_BYTES):
                y[place + whole * WORD_BYTES + b] = (word >> (8 * b)) & 255
