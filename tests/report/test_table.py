"""Tables of a report: text is wrapped where the page is narrow, numbers stay whole at any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from codesign.report._table import columns, show


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (60, ["layer            cycles  unit", "features/0/conv  13,824  shift_add (host)"]),
        (
            32,
            [
                "layer       cycles  unit",
                "features/0  13,824  shift_add",
                "/conv               (host)",
            ],
        ),
        (12, ["layer     cycles  unit", "features  13,824  shift_add", "/0/conv           (host)"]),
    ],
)  # fmt: skip
def test_numbers_are_never_cut(width: int, expected: list[str]) -> None:
    table = columns("layer", ">cycles", "unit")
    table.add_row("features/0/conv", "13,824", "shift_add (host)")
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    show(console, table)
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == expected
    assert console.width == width
