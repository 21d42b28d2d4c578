"""One simulation: costs from the hardware model, values from an engine, one report."""

from __future__ import annotations

from codesign.sim.api import compute, run, simulate
from codesign.sim.cluster import connect
from codesign.sim.models import load_model, shipped

__all__ = ["compute", "connect", "load_model", "run", "shipped", "simulate"]
