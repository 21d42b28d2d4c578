"""Executors of a program: one interface, one file each, equal results."""

from codesign.engine._inputs import need_equal_counts, need_form, prepare, refuse_nan
from codesign.engine.base import ENGINES, MACHINE, Engine, create, need_engine, usable_cores

__all__ = [
    "ENGINES",
    "MACHINE",
    "Engine",
    "create",
    "need_engine",
    "need_equal_counts",
    "need_form",
    "prepare",
    "refuse_nan",
    "usable_cores",
]
