"""The one table style of a report."""

from __future__ import annotations

from rich.table import Table


def columns(*headings: str, gap: int = 2) -> Table:
    """An empty table; a heading that begins with `>` makes a right-aligned, unbroken column."""
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        right = heading.startswith(">")
        table.add_column(
            heading.removeprefix(">"),
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
        )
    return table
