"""Errors a user meets: one line each, and the exit code they end with."""

from __future__ import annotations

OK = 0
DIFFERENT = 1
USAGE = 2
OVER_BUDGET = 3
UNSUPPORTED = 4


class CodesignError(Exception):
    """Wrong usage or unreadable input (exit code 2).

    The message is one line: place, what was found, what was expected, what to do.
    """

    exit_code = USAGE


class DifferenceError(CodesignError):
    """Two results that must be equal differ (exit code 1)."""

    exit_code = DIFFERENT


class OverBudgetError(CodesignError):
    """A memory or a budget line is exceeded (exit code 3)."""

    exit_code = OVER_BUDGET


class UnsupportedError(CodesignError):
    """An operation outside the vocabulary (exit code 4)."""

    exit_code = UNSUPPORTED
