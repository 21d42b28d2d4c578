"""Arrays to memory words and back: activation lanes, weight codes, biases.

Words are Python integers where they are stored and sent (any width), and rows of 2 b lanes,
lane 0 first, where whole maps are packed. The least significant bits come first everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codesign.hw.config import LANE_BITS
from codesign.hw.layout import Layout
from codesign.ir import IntArray
from codesign.rtl.codes import Form, decode, encode

_LANE = (1 << LANE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Map:
    """Where and how a map lies in the activation memory.

    Attributes:
        value: the IR value that it holds.
        shape: the value's shape, without the batch axis.
        layout: pixels, channels and lanes.
        form: how its codes are stored.
        bank: activation bank, or their number for the skip memory.
        base: address of its first word.
    """

    value: str
    shape: tuple[int, ...]
    layout: Layout
    form: Form
    bank: int
    base: int


def pack(place: Map, values: IntArray) -> IntArray:
    """One image's values, shaped as the map, as words x lanes of 2 b; idle lanes are zero."""
    layout = place.layout
    stored = encode(values.reshape(layout.channels, -1), place.form, LANE_BITS * layout.lanes)
    digits = (stored[:, :, None] >> LANE_BITS * np.arange(layout.lanes)) & _LANE
    lanes = np.zeros((layout.pixels, layout.words_per_pixel * layout.word_lanes), dtype=np.uint8)
    used = layout.channels * layout.lanes
    lanes[:, :used] = digits.transpose(1, 0, 2).reshape(layout.pixels, used)
    return lanes.reshape(layout.words, layout.word_lanes)


def unpack(place: Map, lanes: IntArray) -> IntArray:
    """The values of a map from its words x lanes, int64, in the value's shape."""
    layout = place.layout
    used = lanes.reshape(layout.pixels, -1)[:, : layout.channels * layout.lanes]
    digits = used.reshape(layout.pixels, layout.channels, layout.lanes).astype(np.int64)
    stored = (digits << LANE_BITS * np.arange(layout.lanes)).sum(axis=2)
    values = decode(stored, place.form, LANE_BITS * layout.lanes)
    return values.T.reshape(place.shape)


def lanes_to_words(lanes: IntArray) -> list[int]:
    """Rows of lanes as integers."""
    return fields_to_words(lanes.reshape(-1), LANE_BITS, lanes.shape[1])


def words_to_lanes(words: Sequence[int], count: int) -> IntArray:
    """Integers as rows of `count` lanes."""
    return words_to_fields(words, LANE_BITS, count).astype(np.uint8)


def fields_to_words(codes: IntArray, bits: int, each: int) -> list[int]:
    """Unsigned codes of `bits`, `each` a word, as integers; the last word is filled with zeros."""
    rows = -(-codes.size // each)
    padded = np.zeros(rows * each, dtype=np.int64)
    padded[: codes.size] = codes
    single = (padded[:, None] >> np.arange(bits)) & 1
    packed = np.packbits(single.reshape(rows, each * bits).astype(np.uint8), 1, "little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def words_to_fields(words: Sequence[int], bits: int, each: int) -> IntArray:
    """The `each` lowest fields of `bits` of every word, int64, words x fields."""
    size = -(-bits * each // 8)
    low = (1 << bits * each) - 1
    raw = b"".join((word & low).to_bytes(size, "little") for word in words)
    octets = np.frombuffer(raw, dtype=np.uint8).reshape(len(words), size)
    single = np.unpackbits(octets, 1, bits * each, "little").reshape(len(words), each, bits)
    return np.asarray((single.astype(np.int64) << np.arange(bits)).sum(axis=2))
