"""What the library logs at level INFO, shown on stderr where that is a terminal."""

from __future__ import annotations

import logging
import sys


class _Terminal(logging.Handler):
    """One line a notice; through `sys.stderr` of the moment, which a progress bar replaces."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"codesign: {record.getMessage()}", file=sys.stderr)


def show_notices() -> None:
    """From now on, on a terminal only: in a log, lines that depend on a cache would be noise."""
    if sys.stderr.isatty():
        log = logging.getLogger("codesign")
        log.setLevel(logging.INFO)
        log.addHandler(_Terminal())
