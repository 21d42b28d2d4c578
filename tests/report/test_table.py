"""Columns of a report: how wide, where broken, in which style."""

from __future__ import annotations

import io

import pytest

from codesign.report._page import Page
from codesign.report._table import Styled, Table, columns, wrap


def shown(table: Table, width: int) -> list[str]:
    stream = io.StringIO()
    Page(stream, width).show(table)
    return stream.getvalue().splitlines()


def table(*rows: tuple[str, ...], gap: int = 2) -> Table:
    made = Table("layer", ">cycles", "unit", gap=gap)
    for row in rows:
        made.add_row(*row)
    return made


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    made = table(("conv1", "3,456", "array"), ("features/0/conv", "4", ""))
    assert shown(made, 80) == [
        "layer            cycles  unit",
        "conv1             3,456  array",
        "features/0/conv       4",
    ]


def test_text_is_wrapped_where_the_page_is_too_narrow_and_the_widest_first() -> None:
    made = table(("features/0/conv", "1,234,567", "shift_add (host)"), ("a", "2", "b"))
    assert shown(made, 33) == [
        "layer          cycles  unit",
        "features/0  1,234,567  shift_add",
        "/conv                  (host)",
        "a                   2  b",
    ]


def test_a_number_is_never_cut() -> None:
    """Nor are names broken into pieces that nobody can read: the table is wider than the page."""
    made = table(("features/0/conv", "1,234,567,890", "array"))
    assert shown(made, 5) == [
        "layer            cycles  unit",
        "features  1,234,567,890  array",
        "/0/conv",
    ]


def test_a_cell_may_have_lines() -> None:
    made = table(("conv1", "1\n20", "x"), gap=1)
    assert shown(made, 80) == ["layer cycles unit", "conv1      1 x", "          20"]


def test_a_table_without_text_keeps_its_width() -> None:
    made = Table(">a", ">b")
    made.add_row("100", "200")
    assert shown(made, 3) == ["  a    b", "100  200"]


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert columns("猫cat") == 5
    assert columns("e\u0301") == 1
    made = table(("猫", "1", "x"), ("cat", "2", "y"))
    assert shown(made, 80) == ["layer  cycles  unit", "猫          1  x", "cat         2  y"]
    assert list(wrap("猫猫猫", 4)) == ["猫猫", "猫"]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 4, [""]),
        ("two words", 9, ["two words"]),
        ("two words", 8, ["two", "words"]),
        ("a longword b", 4, ["a", "long", "word", "b"]),
        ("longwords b", 4, ["long", "word", "s b"]),
        ("a  b", 4, ["a  b"]),
    ],
)
def test_lines_are_broken_at_blanks(text: str, width: int, lines: list[str]) -> None:
    assert list(wrap(text, width)) == lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "no_colour", "expected"),
    [
        ("xterm", None, "\x1b[2ma\x1b[0m\n\x1b[1mx\x1b[0m\n\x1b[1;31mno\x1b[0m\n"),
        ("xterm", "1", "\x1b[2ma\x1b[0m\n\x1b[1mx\x1b[0m\n\x1b[1mno\x1b[0m\n"),
        ("xterm", "", "\x1b[2ma\x1b[0m\n\x1b[1mx\x1b[0m\n\x1b[1;31mno\x1b[0m\n"),
        ("dumb", None, "a\nx\nno\n"),
        (None, None, "a\nx\nno\n"),
    ],
)
def test_styles(
    monkeypatch: pytest.MonkeyPatch, term: str | None, no_colour: str | None, expected: str
) -> None:
    for name, value in (("TERM", term), ("NO_COLOR", no_colour)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    made = Table("a")
    made.add_row("x", style="bold")
    stream, file = Terminal(), io.StringIO()
    for page in (Page(stream), Page(file)):
        page.show(made, Styled("no", "bold red"))
    assert stream.getvalue() == expected
    assert file.getvalue() == "a\nx\nno\n"


def test_what_cannot_be_printed_is_escaped() -> None:
    stream = Terminal()
    Page(stream).show(Styled("a\x1b[2Jb\u200bc"))
    assert stream.getvalue() == "a\\x1b[2Jb\\u200bc\n"


def test_the_page_is_as_wide_as_the_window_and_no_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert Page(Terminal()).width == 72
    assert Page(io.StringIO()).width == 100
    monkeypatch.setenv("COLUMNS", "200")
    assert Page(Terminal()).width == 100
