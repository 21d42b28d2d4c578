"""The one table style of a report: headings, columns, no lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

#: Columns that text keeps where a table has to be narrower: fewer could not be read.
_LEAST = 8


class Styled(NamedTuple):
    """Text in one style: words of `bold`, `dim`, `red`, `green`, `yellow`, or none."""

    text: str
    style: str = ""


#: A line of text, from left to right.
Line = list[Styled]


class Table:
    """Rows under headings; a heading that begins with `>` makes a right-aligned column.

    Where the page is too narrow, left-aligned columns are wrapped, the widest first, as far as they
    can be read. Right-aligned ones hold numbers and stay whole: rather is the table too wide.
    """

    def __init__(self, *headings: str, gap: int = 2) -> None:
        self._right = [heading.startswith(">") for heading in headings]
        self._gap = gap
        self._rows = [[Styled(heading.removeprefix(">"), "dim") for heading in headings]]

    def add_row(self, *cells: str | Styled, style: str = "") -> None:
        """Add a row; a cell may have lines, and a style besides the row's."""
        row = [cell if isinstance(cell, Styled) else Styled(cell) for cell in cells]
        self._rows.append([Styled(text, f"{style} {own}".strip()) for text, own in row])

    def lines(self, page: int) -> Iterator[Line]:
        """The table's lines on a page of that many columns, without blanks at their ends."""
        widths = self._widths(page)
        for row in self._rows:
            cells = [
                [part for line in cell.text.split("\n") for part in wrap(line, width)]
                for cell, width in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, cells))):
                texts = [cell[number] if number < len(cell) else "" for cell in cells]
                yield self._line(texts, [cell.style for cell in row], widths)

    def _widths(self, page: int) -> list[int]:
        widths = [
            max(columns(line) for row in self._rows for line in row[place].text.split("\n"))
            for place in range(len(self._right))
        ]
        excess = sum(widths) + self._gap * (len(widths) - 1) - page
        left = [place for place, right in enumerate(self._right) if not right]
        while (
            excess > 0 and (widest := max(left, key=widths.__getitem__, default=None)) is not None
        ):
            if widths[widest] <= _LEAST:
                break
            widths[widest] -= 1
            excess -= 1
        return widths

    def _line(self, texts: list[str], styles: list[str], widths: list[int]) -> Line:
        line, blanks = [], 0
        for text, style, width, right in zip(texts, styles, widths, self._right, strict=True):
            free = width - columns(text)
            if text:
                line.append(Styled(" " * (blanks + (free if right else 0))))
                line.append(Styled(text, style))
                blanks = self._gap + (0 if right else free)
            else:
                blanks += width + self._gap
        return line


def columns(text: str) -> int:
    """Columns that a terminal gives `text`: two to a wide letter, none to an accent of its own."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrap(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, broken at blanks, within a word where it is wider."""
    line = ""
    for word in text.split(" ") if columns(text) > width else [text]:
        longer = f"{line} {word}" if line else word
        if columns(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = ""
        for letter in word:
            if line and columns(line + letter) > width:
                yield line
                line = ""
            line += letter
    yield line
