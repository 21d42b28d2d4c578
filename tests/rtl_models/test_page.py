"""The page of the Verilog lists the modules that exist, and each file is one module of its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codesign.rtl.sources import files
from codesign.rtl.units import UNITS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "rtl_models").glob("*.v"))
PAGE = ROOT / "docs" / "hardware" / "microarchitecture.md"


def test_the_page_lists_every_module() -> None:
    """Those of the machine in its figure and table, the units outside the top in sections."""
    text = PAGE.read_text(encoding="utf-8")
    machine = [file.stem for file in files() if file.suffix == ".v"]
    table = text.split("## The modules", 1)[1].split("\n## ", 1)[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.M)) == machine
    figure = text.split("## The modules", 1)[0]
    hidden = {"codesign_accelerator", "sram_1rw", "product_unit"}
    assert [name for name in machine if name not in figure and name not in hidden] == []
    outside = text.split("\n## Units outside the top", 1)[1].split("\n## ", 1)[0]
    sections = re.findall(r"^### `(\w+)`$", outside, re.M)
    assert sorted([*machine, *sections]) == [file.stem for file in FILES]
    assert set(sections) == set(UNITS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_a_module_that_tells_what_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"^module (\w+)", text, re.M) == [file.stem]
    assert text.startswith(f"// {file.stem}: ")
    assert "`default_nettype none\n" in text
    assert text.endswith("endmodule\n`default_nettype wire\n")
    assert max(map(len, text.splitlines())) <= 100
    assert "\t" not in text
