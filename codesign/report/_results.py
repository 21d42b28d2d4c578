"""The decoded results of a report, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from codesign.report._format import dimensions, grouped, plural, rounded
from codesign.report._table import columns
from codesign.report.model import Results
from codesign.report.rows import Codes, Fit, InputResult

if TYPE_CHECKING:
    from rich.console import RenderableType

#: An output of at most this many codes is printed in full.
_SHOWN = 16


def print_results(results: Results, rows: int) -> Iterator[RenderableType]:
    """The first `rows` results, the best scores of each, and what all of them come to."""
    shown = results.inputs[:rows]
    if shown:
        yield _table(shown)
    for row in shown:
        yield from (_output(row, name, codes) for name, codes in row.outputs.items())
    left = len(results.inputs) - len(shown)
    if left > 0:
        yield Text(f"... {plural(left, 'more input')}; --report FILE keeps every result")
    level = f" ({results.level})" if results.level else ""
    summary = f"{plural(len(results.inputs), 'input')}, computed by {results.engine}{level}"
    if results.accuracy is not None:
        correct, total = results.accuracy.correct, results.accuracy.total
        share = f" ({rounded(Fraction(100 * correct, total), 2)} %)" if total else ""
        summary += f"; accuracy {correct} / {total}{share}"
    yield Text(summary, style="bold")


def _table(shown: Sequence[InputResult]) -> Table:
    names = max((len(row.top) for row in shown), default=0)
    labelled = any(row.label is not None for row in shown)
    fitted = any(row.fit is not None for row in shown)
    headings = ["input", *(["class", ">score"] * names)]
    table = columns(
        *headings, *(["label"] if labelled else []), *(["photograph"] if fitted else [])
    )
    for row in shown:
        cells: list[str | Text] = [_name(row)]
        for position, score in enumerate(row.top):
            style = "bold" if position == 0 else ""
            cells += [Text(score.name, style=style), Text(grouped(score.score), style=style)]
        cells += [""] * (1 + 2 * names - len(cells))
        if labelled:
            cells.append(_label(row))
        if fitted:
            cells.append(_fit(row.fit) if row.fit else "")
        table.add_row(*cells)
    return table


def _label(row: InputResult) -> Text:
    if row.label is None or row.winner is None:
        return Text("")
    if row.label.index == row.winner.index:
        return Text("right", style="green")
    return Text(f"wrong, {row.label.name}", style="red")


def _fit(fit: Fit) -> str:
    """The photograph's own size, and the part of it that was averaged down."""
    size = f"{fit.width}x{fit.height}"
    if (fit.crop_width, fit.crop_height) == (fit.width, fit.height):
        return size
    return f"{size}, centre {fit.crop_width}x{fit.crop_height}"


def _name(row: InputResult) -> str:
    """The input's own name; the JSON report has the whole path."""
    return row.input.rsplit("/", 1)[-1]


def _output(row: InputResult, name: str, codes: Codes) -> Text:
    if codes.codes is not None and len(codes.codes) <= _SHOWN:
        content = " ".join(map(str, codes.codes))
    else:
        content = f"{dimensions(codes.shape)} sha256 {codes.sha256[:16]}"
    return Text(f"{_name(row)}  {name} = {content}")
