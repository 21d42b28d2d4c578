"""The hardware model: what a network costs on a described machine."""

from codesign.hw.config import Hardware
from codesign.hw.mapper import plan
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
from codesign.hw.source import shipped

__all__ = [
    "BudgetLine",
    "Cycles",
    "EnergyRow",
    "Events",
    "Hardware",
    "LayerPlan",
    "MemoryUse",
    "Placement",
    "Plan",
    "plan",
    "shipped",
]
