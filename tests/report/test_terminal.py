"""The terminal rendering, compared with stored text.

`python -m tests.report.test_terminal` writes the text anew.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import pytest

from codesign.report import Report
from codesign.report import _format as form
from codesign.report.terminal import WIDTH, print_report, to_text
from tests.report.example import example

HERE = Path(__file__).parent
CASES = {
    "example.txt": {},
    "costs_only.txt": {"results": False, "energy": False},
    "does_not_fit.txt": {"fits": False, "results": False},
}


@pytest.mark.parametrize("file", CASES)
def test_golden(file: str) -> None:
    text = example(**CASES[file]).to_text()
    assert text == (HERE / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", CASES)
def test_fits_100_columns_without_trailing_blanks(file: str) -> None:
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line for line in lines if line != line.rstrip()] == []


def test_few_rows_tell_how_many_are_left() -> None:
    text = to_text(example(), rows=1)
    assert "... 1 more input; --report FILE keeps every result" in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    file, terminal = io.StringIO(), Terminal()
    print_report(example(), file)
    print_report(example(), terminal)
    assert "\x1b[" not in file.getvalue()
    assert "\x1b[" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    print_report(example(), plain)
    assert "\x1b[3" not in plain.getvalue()  # no colour; bold stays


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (0, "b", 1, "0 b"),
        (5184, "b", 1, "5.2 kb"),
        (1_000_000, "b", 1, "1 Mb"),
        (999_949, "b", 1, "999.9 kb"),
        (999_950, "b", 1, "1 Mb"),
        (Fraction(361, 100_000), "s", 2, "3.61 ms"),
        (Fraction(1, 10**12), "J", 1, "1 pJ"),
        (Fraction(99_996, 100_000), "s", 1, "1 s"),
        (Fraction(-3, 2000), "s", 1, "-1.5 ms"),
        (Fraction(1, 10**19), "J", 1, "0.1 aJ"),
        (Fraction(1, 8), "", 2, "0.13"),
        (84_900_000, "", 1, "84.9 M"),
    ],
)
def test_quantity(value: Fraction | int, unit: str, digits: int, text: str) -> None:
    assert form.quantity(value, unit, digits) == text


def test_rounding_is_half_up() -> None:
    assert form.rounded(Fraction(5, 10), 0) == "1"
    assert form.rounded(Fraction(25, 100), 1) == "0.3"
    assert form.rounded(Fraction(-25, 100), 1) == "-0.2"
    assert form.rounded(Fraction(123_456_789, 100), 1) == "1,234,567.9"


def test_a_report_prints_itself() -> None:
    assert str(example()) == (HERE / "example.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, options in CASES.items():
        report: Report = example(**options)
        (HERE / name).write_text(report.to_text(), encoding="utf-8")
