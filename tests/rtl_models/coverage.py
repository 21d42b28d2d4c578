"""Functional coverage: what a random test has to have met, counted, with a floor that fails it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator


class Coverage:
    """Bins by name; `hit` counts, `require` fails where a bin was met less often than its floor.

    A bin is any value, most often a word or a tuple: `Coverage("window", product(MODES, SIZES))`.
    """

    def __init__(self, name: str, bins: Iterable[Hashable]) -> None:
        self.name = name
        self.counts: dict[Hashable, int] = dict.fromkeys(bins, 0)

    def hit(self, *values: Hashable) -> None:
        """Count bins; a value that is no bin is an error of the test."""
        for value in values:
            if value not in self.counts:
                raise KeyError(f"coverage {self.name}: {value!r} is not a bin")
            self.counts[value] += 1

    @property
    def missing(self) -> set[Hashable]:
        """Bins that were not met so far: what a test may draw for."""
        return {bin_ for bin_, count in self.counts.items() if not count}

    def rounds(self, least: int, floor: int = 1, times: int = 5) -> Iterator[int]:
        """`least` rounds; up to `times` as many while a bin was met less than `floor` times."""
        for number in range(times * least):
            if number >= least and min(self.counts.values()) >= floor:
                return
            yield number

    def require(self, least: int = 1, *, share: float = 1.0) -> None:
        """Fail unless at least this share of the bins was met `least` times."""
        low = [bin_ for bin_, count in self.counts.items() if count < least]
        met = len(self.counts) - len(low)
        if met < share * len(self.counts):
            raise AssertionError(
                f"coverage {self.name}: {met} of {len(self.counts)} bins were met {least} times or "
                f"more, {share:.0%} are demanded; missing: {', '.join(map(str, low[:20]))}"
            )
