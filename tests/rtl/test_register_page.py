"""The register page holds the tables that the declarations give."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.rtl.registers import MEMORIES, error_table, field_table, register, register_table

PAGE = Path(__file__).parents[2] / "docs" / "hardware" / "registers.md"


@pytest.mark.parametrize("table", [register_table, field_table, error_table])
def test_tables(table: object) -> None:
    assert callable(table)
    assert f"-->\n{table()}\n" in PAGE.read_text(encoding="utf-8")


def test_memories_are_numbered_as_declared() -> None:
    numbered = ", ".join(f"{number} {name}" for name, number in MEMORIES.items())
    assert register("memory_select").field("memory").doc.startswith(numbered)
