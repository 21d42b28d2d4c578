"""Where a report is printed: a stream of text, or a terminal with its width and styles."""

from __future__ import annotations

import os
import shutil
from typing import IO

from codesign.report._table import Line, Styled, Table

#: Columns of a page where no terminal says otherwise, and at most.
WIDTH = 100
#: Numbers of the escape sequences (ECMA-48, "select graphic rendition").
_COLOURS = {"red": "31", "green": "32", "yellow": "33"}
_WEIGHTS = {"bold": "1", "dim": "2"}


class Page:
    """Prints to `stream`, at most `width` columns wide where a table can be.

    Styles only where it is a terminal that knows them, colours only without NO_COLOR. What cannot
    be printed (the name of a file may hold anything) is escaped.
    """

    def __init__(self, stream: IO[str], width: int = WIDTH) -> None:
        self.width = width
        self._stream = stream
        self._codes: dict[str, str] = {}
        if not stream.isatty():
            return
        self.width = min(width, shutil.get_terminal_size((width, 0)).columns)
        if os.name != "nt" and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
            self._codes = _WEIGHTS if os.environ.get("NO_COLOR") else _WEIGHTS | _COLOURS

    def show(self, *parts: str | Styled | Line | Table) -> None:
        """Print each part on lines of its own."""
        for part in parts:
            self._stream.writelines(f"{self._line(line)}\n" for line in self._lines(part))

    def _lines(self, part: str | Styled | Line | Table) -> list[Line]:
        if isinstance(part, Table):
            return list(part.lines(self.width))
        if isinstance(part, list):
            return [part]
        text, style = part if isinstance(part, Styled) else (part, "")
        return [[Styled(line, style)] for line in text.split("\n")]

    def _line(self, line: Line) -> str:
        return "".join(map(self._styled, line)).rstrip()

    def _styled(self, part: Styled) -> str:
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in part.text)
        codes = ";".join(self._codes[word] for word in part.style.split() if word in self._codes)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text
