"""Operation counts by kind and width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: The kinds, in the order of a report.
KINDS = ("mac", "add", "shift", "compare", "logic")


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """A kind and its operand widths in bits.

    For `mac`, `bits` is the weight's storage width and `by` the activation's; else `by` is 0.
    """

    kind: str
    bits: int
    by: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.bits}b" + (f"x{self.by}b" if self.by else "")


@dataclass(frozen=True)
class Operations:
    """How many of each operation one image takes; adds up with `+`."""

    counts: Mapping[Operation, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {key: self.counts[key] for key in sorted(self.counts) if self.counts[key]}
        object.__setattr__(self, "counts", kept)

    def __add__(self, other: Operations) -> Operations:
        total = dict(self.counts)
        for key, count in other.counts.items():
            total[key] = total.get(key, 0) + count
        return Operations(total)

    def __iter__(self) -> Iterator[tuple[Operation, int]]:
        return iter(self.counts.items())

    def total(self, kind: str) -> int:
        """The count of one kind over all widths."""
        return sum(count for key, count in self.counts.items() if key.kind == kind)


def mac(weight_bits: int, input_bits: int, count: int) -> Operations:
    """`count` multiply-accumulates of these operand widths."""
    return Operations({Operation("mac", weight_bits, input_bits): count})


def ops(kind: str, bits: int, count: int) -> Operations:
    """`count` operations of one kind and width."""
    return Operations({Operation(kind, bits): count})
