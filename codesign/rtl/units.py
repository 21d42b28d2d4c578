"""Units that the machine has no place for yet: modules that nothing in the top instantiates.

Each is a top of its own: with every set of parameters here it is linted, synthesized and has a row
in the table of areas. `docs/hardware/microarchitecture.md` has a section on each.
"""

from __future__ import annotations

from collections.abc import Mapping

from codesign.rtl.area import Part, table, total
from codesign.rtl.area import parts as _parts
from codesign.rtl.synthesis import synthesize

#: By module: what a row measures, and the parameters of that.
UNITS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "residual_unit": {
        "a lane, 1 b codes": {"CodeBits": 1},
        "a lane, 2 b codes": {"CodeBits": 2},
        "a lane, 8 b codes": {"CodeBits": 8},
    },
}


def measure(module: str, parameters: Mapping[str, int]) -> Part:
    """What a unit takes, with the modules in it; CodesignError where it cannot be built."""
    return total(_parts(synthesize(module, parameters)))


def units_table() -> str:
    """A row a unit and set of parameters."""
    rows = []
    for module, sets in UNITS.items():
        for what, parameters in sets.items():
            part = measure(module, parameters)
            counts = (f"{part.cells:,}", f"{part.flip_flops:,}", f"{part.gates:,.0f}")
            bits = f"{part.memory_bits:,}" if part.memory_bits else ""
            rows.append((f"`{module}`, {what}", *counts, bits))
    return table(("unit", "cells", "flip-flops", "gate equivalents", "memory bits"), rows)
