"""The memory map: which map lives in which bank, from which layer to which."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.hw.config import Hardware
from codesign.hw.fuse import Fused, Kind
from codesign.hw.plan import Placement


@dataclass(frozen=True, slots=True)
class Life:
    """A map's words and the layers (by index) from its writer to its last reader."""

    value: str
    words: int
    start: int
    end: int

    def meets(self, start: int, end: int) -> bool:
        """Whether the map is alive in any layer of `start .. end`."""
        return self.start <= end and start <= self.end


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """Placements, the depth that each bank needs, and where the most words are alive."""

    placements: tuple[Placement, ...]
    bank_words: tuple[int, ...]
    bank_peaks: tuple[int, ...]
    peak_words: int
    peak: int


def lives(fused: Fused) -> list[Life]:
    """The maps that take words, in the order in which they are written.

    A map is alive from the layer that writes it to the last that reads it or one of its views.
    """
    last: dict[str, int] = {}
    for index, layer in enumerate(fused.layers):
        for value in layer.source:
            last[fused.home[value]] = index
    found = []
    for index, layer in enumerate(fused.layers):
        name = layer.result
        if layer.kind is Kind.STORE or name in fused.hosted:
            continue
        if fused.home[name] == name:
            found.append(Life(name, fused.layouts[name].words, index, last.get(name, index)))
    return found


def allocate(fused: Fused, hardware: Hardware) -> MemoryMap:
    """Place every map, first fit; a layer never writes the bank that it reads.

    A bank that is too small is used beyond its end: the plan reports by how much, and is complete.
    """
    depths = [hardware.bank_words] * hardware.memories.activations.banks
    skip = len(depths)
    if hardware.skip_words:
        depths.append(hardware.skip_words)
    banks: list[list[tuple[Life, int]]] = [[] for _ in depths]
    bank_of: dict[str, int] = {}
    alive = lives(fused)
    for life in alive:
        sources = fused.layers[life.start].source
        read = {bank_of[fused.home[v]] for v in sources if v not in fused.hosted}
        choices = [bank for bank in range(len(depths)) if bank not in read] or list(range(skip))
        waits = life.end > life.start + 1  # read again later: out of the ping-pong banks' way

        def price(bank: int, life: Life = life, waits: bool = waits) -> tuple[bool, bool, int, int]:
            end = _first_fit(banks[bank], life) + life.words
            return end > depths[bank], (bank == skip) != waits, end, bank

        bank = min(choices, key=price)
        banks[bank].append((life, _first_fit(banks[bank], life)))
        bank_of[life.value] = bank
    placements = []
    for life in alive:
        bank = bank_of[life.value]
        first = next(first for other, first in banks[bank] if other is life)
        memory, number = ("skip", 0) if bank == skip else ("activations", bank)
        placements.append(
            Placement(life.value, memory, number, first, life.words, life.start, life.end)
        )
    ends = [[(first + life.words, life.start) for life, first in bank] for bank in banks]
    high = [max((end for end, _ in bank), default=0) for bank in ends]
    peaks = [
        min((start for end, start in bank if end == top), default=0)
        for bank, top in zip(ends, high, strict=True)
    ]
    total = [
        sum(life.words for life in alive if life.meets(index, index))
        for index in range(len(fused.layers))
    ]
    peak = max(range(len(total)), key=lambda index: (total[index], -index))
    return MemoryMap(tuple(placements), tuple(high), tuple(peaks), total[peak], peak)


def _first_fit(bank: list[tuple[Life, int]], life: Life) -> int:
    """The lowest address with room beside the maps that are alive at the same time."""
    taken = sorted(
        (first, first + other.words) for other, first in bank if other.meets(life.start, life.end)
    )
    address = 0
    for first, end in taken:
        if first - address >= life.words:
            break
        address = max(address, end)
    return address
