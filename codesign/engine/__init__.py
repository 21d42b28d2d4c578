"""Executors of a program: one interface, one file each, equal results."""

from codesign.engine._inputs import prepare
from codesign.engine.base import ENGINES, MACHINE, Engine, create, need_engine, usable_cores

__all__ = [
    "ENGINES",
    "MACHINE",
    "Engine",
    "create",
    "need_engine",
    "prepare",
    "usable_cores",
]
