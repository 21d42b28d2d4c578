"""The words that a module writes, beside the map that they have to be."""

from __future__ import annotations

import random

import numpy as np

from codesign.ir import IntArray
from codesign.rtl.words import Map, pack, words_to_lanes


class Written:
    """A bank that held anything before; words appear in it as they are written."""

    def __init__(self, rng: random.Random, word_lanes: int) -> None:
        self.word_lanes = word_lanes
        self.before = np.array([rng.randrange(4) for _ in range(64 * word_lanes)], dtype=np.uint8)
        self.words: dict[int, IntArray] = {}

    def clear(self) -> None:
        """All words are again what they were at first."""
        self.words = {}

    def _old(self, address: int) -> IntArray:
        place = address % 64 * self.word_lanes
        return self.before[place : place + self.word_lanes]

    def write(self, address: int, data: int, mask: int) -> None:
        """One write with a mask bit a lane."""
        word = self.words.setdefault(address, self._old(address).copy())
        lanes = words_to_lanes([data], self.word_lanes)[0]
        for lane in range(self.word_lanes):
            if mask >> lane & 1:
                word[lane] = lanes[lane]

    def compare(self, place: Map, values: IntArray) -> None:
        """Fail unless the map is there, nothing else is, and lanes of no code are untouched."""
        layout = place.layout
        addresses = range(place.base, place.base + layout.words)
        assert sorted(self.words) == list(addresses), "not the words of the map are written"
        expected = np.array([self._old(address) for address in addresses])
        used = layout.channels * layout.lanes
        packed = pack(place, values).reshape(layout.pixels, -1)
        expected.reshape(layout.pixels, -1)[:, :used] = packed[:, :used]
        for address, word in zip(addresses, expected, strict=True):
            shown = self.words[address]
            assert (shown == word).all(), f"word {address - place.base} is {shown}, not {word}"
