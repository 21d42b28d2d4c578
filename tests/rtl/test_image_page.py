"""The page of the machine's words lists the codes as they are."""

from __future__ import annotations

from pathlib import Path

from codesign.rtl.codes import Activation, Form, Operation, Reduce

PAGE = Path(__file__).parents[2] / "docs" / "hardware" / "program.md"


def test_the_page_lists_the_codes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {
        "`operation`": Operation,
        "`input_form`, `output_form`": Form,
        "`activation`": Activation,
        "`reduce`": Reduce,
    }
    for label, codes in rows.items():
        cells = [code.name.lower() for code in sorted(codes)]
        row = f"| {' | '.join([label, *cells])} |" + " |" * (6 - len(cells))
        assert f"\n{row}\n" in text, label
