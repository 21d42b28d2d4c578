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
    "gate_unit": {
        "16 lanes, 4 gates": {"Lanes": 16, "SumBits": 12},
    },
    "lstm_unit": {
        "8 units, 4 b cells": {"Units": 8, "CellBits": 4, "SumBits": 12},
        "64 units, 4 b cells": {"Units": 64, "CellBits": 4, "SumBits": 12},
    },
    "residual_unit": {
        "a lane, 1 b codes": {"CodeBits": 1},
        "a lane, 2 b codes": {"CodeBits": 2},
        "a lane, 8 b codes": {"CodeBits": 8},
    },
    "ca_step": {
        "128 cells, rule 30": {"Cells": 128, "Rule": 30, "AnySize": 0},
        "128 cells, any rule and size": {"Cells": 128},
    },
    "ca_ring": {
        "128 cells, rule 30": {"Cells": 128, "Rule": 30, "AnySize": 0, "HasReplay": 0},
        "128 cells, any rule and size, replay": {"Cells": 128},
    },
    "ca_generator": {
        "128 cells, 64 weights, rule 30": {
            "Cells": 128,
            "Columns": 64,
            "Rule": 30,
            "AnySize": 0,
            "HasReplay": 0,
        },
        "up to 128 cells, 64 weights, replay": {"Cells": 128, "Columns": 64},
    },
    "bernoulli_generator": {
        "64 cells, rule 30, 8 b": {"Cells": 64, "Rule": 30, "AnySize": 0, "Bits": 8},
    },
    "ycbcr": {"a pixel a cycle": {}},
    "thermometer": {
        "4 lanes, 3 components of 9 b": {},
        "16 lanes, 3 components of 9 b": {"Lanes": 16},
    },
    "tgap_counter": {
        "4 channels of bits": {"Channels": 4, "CodeBits": 1, "SumBits": 13, "Delays": 1},
        "4 channels, 2 b codes": {"Channels": 4, "CodeBits": 2, "SumBits": 14, "Delays": 1},
    },
    "threshold_unit": {
        "a lane, 1 b codes": {"CodeBits": 1},
        "a lane, 2 b codes": {"CodeBits": 2},
        "a lane, 4 b codes": {"CodeBits": 4},
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
