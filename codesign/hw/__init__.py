"""The hardware model: what a network costs on a described machine."""

from codesign.hw.plan import (
    BudgetLine,
    Cycles,
    EnergyRow,
    Events,
    LayerPlan,
    MemoryUse,
    Placement,
    Plan,
)

__all__ = [
    "BudgetLine",
    "Cycles",
    "EnergyRow",
    "Events",
    "LayerPlan",
    "MemoryUse",
    "Placement",
    "Plan",
]
