"""The one table style of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Column, Table

if TYPE_CHECKING:
    from rich.console import Console

#: Columns that text keeps where a table has to be narrower: fewer could not be read.
_LEAST = 8


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


def show(console: Console, table: Table) -> None:
    """Print a table: wider than the page where numbers would be cut or text not be readable."""
    page = console.width
    console.width = max(page, sum(_least(column) + table.padding[1] for column in table.columns))
    console.print(table, crop=False)
    console.width = page


def _least(column: Column) -> int:
    cells = (column.header, *column.cells)
    whole = max(cell_len(line) for cell in cells for line in str(cell).split("\n"))
    return whole if column.no_wrap else min(whole, _LEAST)
