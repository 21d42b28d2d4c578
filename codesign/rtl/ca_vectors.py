"""Test vectors of `ca_generator`, which ship with the Verilog: `python -m codesign.rtl.ca_vectors`.

Whoever builds an automaton of their own compares it with `rtl_models/vectors/ca_generator.txt`:
the specification of `ca_weights` in numbers (3-mognet.md 4.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codesign.ir import IntArray, lookup
from codesign.rtl import sources

HEAD = """\
# Rows of weights out of cellular automata: what ca_generator shows, and any other implementation of
# the op ca_weights must. Written by python -m codesign.rtl.ca_vectors.
#
# A case begins with its numbers in decimal, the seed in hexadecimal: rule, cells of the ring, seed,
# warm-up steps, steps a row, mapping (0 ternary, 1 balanced, 2 binary), weights of a row. Each line
# after it is a row: the ring, cell i in bit i, and the codes, that of weight i in bits 2i and
# 2i + 1, both in hexadecimal. A code is (weight - low) / step: 0, 1, 2 are -1, 0, +1; of binary
# weights 0, 1 are -1, +1.
"""

#: (rule, cells, seed, warm_up, steps, mapping, columns, rows)
CASES = (
    (30, 40, 0x5EED, 40, 1, 0, 20, 8),
    (30, 40, 0x5EED, 40, 1, 1, 13, 8),
    (30, 40, 0x5EED, 40, 1, 2, 20, 8),
    (30, 40, 0xFFFFFFFF, 0, 4, 0, 20, 4),
    (30, 9, 0x10, 0, 1, 2, 9, 8),
    (30, 3, 0x5, 1, 1, 1, 1, 4),
    (45, 24, 0xC0DE, 64, 1, 0, 12, 8),
    (110, 12, 0xABC, 5, 3, 0, 5, 8),
    (30, 128, 0xC0DE, 128, 1, 0, 64, 16),
    (30, 256, 0xC0DE, 256, 1, 0, 128, 16),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One automaton: its numbers, and of each row (ring, codes) as whole words."""

    rule: int
    cells: int
    seed: int
    warm_up: int
    steps: int
    mapping: int
    columns: int
    rows: tuple[tuple[int, int], ...]


def cases() -> Iterator[Case]:
    """The cases, computed by the definition of the op."""
    for rule, cells, seed, warm_up, steps, mapping, columns, count in CASES:
        weights = lookup("ca_weights").reference(
            shape=(count, columns), rule=rule, cells=cells, seed=seed, warm_up=warm_up,
            steps=steps, mapping=mapping,
        )  # fmt: skip
        codes = (weights + 1) // 2 if mapping == 2 else weights + 1
        ring = np.array([seed >> i & 1 for i in range(cells)])[None]
        ring = _step(ring, rule, warm_up)
        rows = []
        for row in codes:
            ring = _step(ring, rule, steps)
            rows.append((_word(ring[0], 1), _word(row, 2)))
        yield Case(rule, cells, seed, warm_up, steps, mapping, columns, tuple(rows))


def _step(ring: IntArray, rule: int, steps: int) -> IntArray:
    return lookup("ca_step").reference(ring, rule=rule, steps=steps) if steps else ring


def _word(fields: IntArray, bits: int) -> int:
    return sum(int(field) << bits * i for i, field in enumerate(fields))


def text() -> str:
    """The file."""
    lines = [HEAD]
    for case in cases():
        numbers = (case.warm_up, case.steps, case.mapping, case.columns)
        lines.append(f"case {case.rule} {case.cells} {case.seed:x} {' '.join(map(str, numbers))}\n")
        lines += [f"{ring:0{-(-case.cells // 4)}x} {row:x}\n" for ring, row in case.rows]
    return "".join(lines)


def path() -> Path:
    """Where the file lies, with the Verilog."""
    return sources.folder() / "vectors" / "ca_generator.txt"


def read(file: Path) -> list[Case]:
    """The cases of a file."""
    found: list[Case] = []
    for line in file.read_text(encoding="ascii").splitlines():
        first, *rest = line.split()
        if first == "case":
            rule, cells = map(int, rest[:2])
            warm_up, steps, mapping, columns = map(int, rest[3:])
            numbers = (warm_up, steps, mapping, columns)
            found.append(Case(rule, cells, int(rest[2], 16), *numbers, ()))
        elif first != "#":
            row = int(first, 16), int(rest[0], 16)
            found[-1] = replace(found[-1], rows=(*found[-1].rows, row))
    return found


if __name__ == "__main__":
    path().parent.mkdir(exist_ok=True)
    path().write_text(text(), encoding="ascii")
