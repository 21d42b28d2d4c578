"""The report in a terminal: the verdict first, tables that fit 100 columns, colour optional."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from codesign.report._format import dimensions, grouped, percent, quantity, rate, rounded
from codesign.report._results import print_results
from codesign.report._table import columns
from codesign.report._table import show as show_table
from codesign.report.model import BudgetLine, LayerMemory, OperationCount, Ratio, Report

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Columns of a report where no terminal says otherwise, and at most.
WIDTH = 100
#: Results that are printed; all of them are in the JSON report.
ROWS = 10
#: Headings of the causes of cycles that would make a column too wide.
_HEADINGS = {"weight_load": "load"}
_KINDS = ("mac", "add", "shift", "compare", "logic")


def to_text(report: Report, width: int = WIDTH, rows: int = ROWS) -> str:
    """The report without colour, no blanks at the ends of lines."""
    stream = io.StringIO()
    with terminal(stream, width) as console:
        _print(report, console, rows)
    return stream.getvalue()


def print_report(report: Report, stream: IO[str], rows: int = ROWS) -> None:
    """Print to `stream`: with colour and at the window's width only where it is a terminal."""
    with terminal(stream) as console:
        _print(report, console, rows)


@contextmanager
def terminal(stream: IO[str], width: int = WIDTH) -> Iterator[Console]:
    """A console that prints to `stream`, at most `width` columns.

    Where the stream is no terminal: without colour, and no blanks at the ends of lines.
    """
    if stream.isatty():
        console = Console(**_plain(stream))
        console.width = min(console.width, width)
        yield console
        return
    text = io.StringIO()
    yield Console(width=width, color_system=None, force_terminal=False, **_plain(text))
    stream.writelines(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _plain(stream: IO[str]) -> dict[str, Any]:
    """Names are printed as they are: nothing in them is markup."""
    return {"file": stream, "markup": False, "emoji": False, "highlight": False}


def _print(report: Report, console: Console, rows: int) -> None:
    def show(*parts: RenderableType) -> None:
        for part in parts:
            if isinstance(part, Table):
                show_table(console, part)
            else:
                console.print(part, soft_wrap=isinstance(part, Text))

    show(_verdict(report, console.width))
    show(_layers(report), _kept(report), "", _cycles(report), _speed(report), "")
    show(_operations(report), "", _memories(report), "")
    if report.budget:
        show(_budget(report), "")
    if report.operations.energy is not None:
        show(_energy(report), "")
    show(_not_modelled(report, console.width))
    if report.results is not None:
        show("", *print_results(report.results, rows))


def _verdict(report: Report, width: int) -> Text:
    hardware = report.hardware
    left = f"{report.model.name} on {hardware.name} @ {quantity(hardware.clock.value, 'Hz', 3)}"
    speed = f"{rate(report.cycles.frames_per_second.value)} frames/s"
    if report.fits:
        right = Text("fits", style="bold green").append(f", {_fullest(report)}{speed}", "none")
    else:
        right = Text("does not fit", style="bold red").append(f", {speed}", "none")
    gap = width - len(left) - len(right)
    text = Text(left, style="bold").append(" " * gap if gap >= 2 else "\n")
    text.append_text(right)
    for line in wrapped(report.problems, width):
        text.append(f"\n{line}", style="red")
    return text.append("\n")


def wrapped(messages: list[str], width: int) -> Iterator[str]:
    """Lines of at most `width` columns, each message indented, its further lines more."""
    for message in messages:
        yield from textwrap.wrap(message, width, initial_indent="  ", subsequent_indent="    ")


def _fullest(report: Report) -> str:
    """The memory that is nearest to its end."""
    built = [use for use in report.memory.memories if use.built_bits]
    if not built:
        return ""
    use = max(built, key=lambda item: Fraction(item.used_bits, item.built_bits))
    return f"{percent(use.used_bits, use.built_bits)} of {use.name}, "


def _layers(report: Report) -> Table:
    names = ["layer", "op", ">out", ">weights", ">code"]
    generated = report.memory.total.generated_bits > 0
    if generated:
        names.append(">generated")
    table = columns(*names, ">params", ">acc", ">MAC", ">cycles", ">use")
    memories = [*report.memory.layers, report.memory.total]
    cycles = [*report.cycles.layers, report.cycles.total]
    for layer, kept, took in zip([*report.model.layers, None], memories, cycles, strict=True):
        row = ["total", "", ""]
        if layer is not None:
            host = " (host)" if layer.unit == "host" else ""
            row = [layer.name, layer.kind + host, dimensions(layer.output_shape)]
        row += [f"{grouped(_stored(kept))} b" if _stored(kept) else "", _precisions(kept)]
        if generated:
            row.append(f"{grouped(kept.generated_bits)} b" if kept.generated_bits else "")
        width = layer.accumulator_width if layer else None
        row += [
            f"{grouped(kept.parameter_bits)} b" if kept.parameter_bits else "",
            f"{width} b" if width is not None else "",
            grouped(took.macs) if took.macs else "",
            grouped(took.total),
            _use(took.utilization),
        ]
        table.add_row(*row, style="bold" if layer is None else None)
    return table


def _stored(kept: LayerMemory) -> int:
    return sum(kept.stored_weight_bits.values())


def _precisions(kept: LayerMemory) -> str:
    return "+".join(f"{bits}b" for bits in sorted(kept.stored_weight_bits, reverse=True))


def _use(ratio: Ratio | None) -> str:
    return "" if ratio is None else rounded(ratio.value, 2)


def _kept(report: Report) -> Text:
    """The totals that the table's last row cannot hold."""
    memory, total = report.memory, report.memory.total
    parts = [f"{grouped(total.stored_weight_bits[b])} b in {b}b codes" for b in _sorted(total)]
    stored = " + ".join(parts) or "none"
    return Text(
        f"stored weights: {stored}\n"
        f"generated weights: {grouped(total.generated_bits)} b\n"
        f"peak activations: {grouped(memory.peak_activation_bits)} b at {memory.peak_at}"
    )


def _sorted(kept: LayerMemory) -> list[int]:
    return sorted(kept.stored_weight_bits, reverse=True)


def _cycles(report: Report) -> Table:
    causes = list(report.cycles.total.causes)
    headings = (f">{_HEADINGS.get(cause, cause.replace('_', ' '))}" for cause in causes)
    table = columns("cycles", *headings, ">total", gap=1)
    for row in [*report.cycles.layers, report.cycles.total]:
        counts = (grouped(row.causes[cause]) for cause in causes)
        total = row is report.cycles.total
        name = "total" if total else row.layer
        table.add_row(name, *counts, grouped(row.total), style="bold" if total else None)
    return table


def _speed(report: Report) -> Text:
    cycles = report.cycles
    return Text(
        f"{grouped(cycles.total.total)} cycles @ {quantity(report.hardware.clock.value, 'Hz', 3)}: "
        f"{quantity(cycles.seconds.value, 's', 2)} a frame, "
        f"{rate(cycles.frames_per_second.value)} frames/s"
    )


def _operations(report: Report) -> Table:
    table = columns("operations", *(f">{kind}" for kind in _KINDS))
    everything = report.operations.total.counts
    width = {kind: max(map(len, _widths(everything, kind)), default=0) for kind in _KINDS}
    for row in [*report.operations.layers, report.operations.total]:
        total = row is report.operations.total
        if row.counts:
            cells = ("\n".join(_counts(row.counts, kind, width[kind])) for kind in _KINDS)
            name = "total" if total else row.layer
            table.add_row(name, *cells, style="bold" if total else None)
    return table


def _counts(counts: list[OperationCount], kind: str, width: int) -> Iterator[str]:
    """`37,748,736 2x2b`: how many, and the operands' widths, these in `width` columns."""
    chosen = [item for item in counts if item.kind == kind]
    for item, bits in zip(chosen, _widths(counts, kind), strict=True):
        yield f"{grouped(item.count)} {bits:>{width}}"


def _widths(counts: list[OperationCount], kind: str) -> list[str]:
    chosen = (item for item in counts if item.kind == kind)
    return [f"{item.bits}{f'x{item.by}' if item.by else ''}b" for item in chosen]


def _memories(report: Report) -> Table:
    table = columns("memory", ">used", ">built", ">full", "fullest at", "")
    for use in report.memory.memories:
        full = percent(use.used_bits, use.built_bits)
        used, built = f"{grouped(use.used_bits)} b", f"{grouped(use.built_bits)} b"
        table.add_row(use.name, used, built, full, use.peak_at, _ok(use.fits, "too small"))
    return table


def _ok(good: bool, bad: str) -> Text:
    return Text("ok", style="green") if good else Text(bad, style="bold red")


def _budget(report: Report) -> Table:
    table = columns("budget", ">used", ">limit", ">share", "")
    for line in report.budget:
        used, limit = line.used.value, line.limit.value
        share = f"{rounded(100 * used / limit, 1)} %" if limit else ""
        amounts = (_amount(line, value) for value in (used, limit))
        table.add_row(line.name, *amounts, share, _ok(line.ok, "over"))
    return table


def _amount(line: BudgetLine, value: Fraction) -> str:
    if line.unit == "b" and value.denominator == 1:
        return f"{grouped(value.numerator)} b"
    return quantity(value, line.unit, 3)


def _energy(report: Report) -> Table:
    table = columns("energy", ">events", ">each", ">total", "source")
    rows = report.operations.energy or []
    for row in rows:
        each, joules = (quantity(value.value, "J", 3) for value in (row.each, row.total))
        table.add_row(row.event, grouped(row.count), each, joules, row.source)
    total = sum((row.total.value for row in rows), Fraction(0))
    table.add_row("total", "", "", quantity(total, "J", 3), "", style="bold")
    return table


def _not_modelled(report: Report, width: int) -> Text:
    if not report.not_modelled:
        return Text("not modelled: nothing")
    text = Text("not modelled:", style="yellow")
    for line in wrapped(report.not_modelled, width):
        text.append(f"\n{line}", style="yellow")
    return text
