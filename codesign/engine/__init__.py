"""Executors of a program: one interface, one file each, equal results."""

from codesign.engine._inputs import prepare
from codesign.engine.base import ENGINES, Engine, create, need_engine

__all__ = ["ENGINES", "Engine", "create", "need_engine", "prepare"]
