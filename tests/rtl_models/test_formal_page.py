"""The page of proofs lists every proof, what it is of, and how far it reaches."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORMAL = ROOT / "rtl_models" / "formal"
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.M)


def test_the_page_is_what_is_proved() -> None:
    text = (ROOT / "docs" / "hardware" / "formal.md").read_text(encoding="utf-8")
    rows = {name: (modules, reach) for name, modules, _, reach in ROW.findall(text)}
    assert sorted(rows) == sorted(file.stem for file in FORMAL.glob("*.sby"))
    for name, (modules, reach) in rows.items():
        script = (FORMAL / f"{name}.sby").read_text(encoding="utf-8")
        read = set(re.findall(r"^read_verilog -formal (?:-I\. )?(\w+)\.v$", script, re.M))
        assert set(re.findall(r"`(\w+)`", modules)) == read, name
        (depth,) = re.findall(r"^depth (\d+)$", script, re.M)
        if re.search(r"^(?:prove: )?mode prove$", script, re.M):
            assert reach in ("all inputs", "for all time"), name
        else:
            assert reach.startswith(f"bounded, depth {depth}: "), name
