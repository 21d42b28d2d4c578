"""The result of a sweep: a row for each pair of a model and a machine; as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Literal

from pydantic import AliasChoices, Field
from rich.text import Text

from codesign.report._format import grouped, percent, quantity, rate, rounded
from codesign.report._table import columns, show
from codesign.report.canonical import canonical
from codesign.report.junit import Case
from codesign.report.model import Accuracy, Ratio
from codesign.report.rows import Record
from codesign.report.terminal import WIDTH, terminal, wrapped

if TYPE_CHECKING:
    from rich.table import Table

#: Version of the sweep's form; the value of the key `schema`.
SCHEMA: Literal[1] = 1
#: What became of a pair.
State = Literal["fits", "over", "failed"]
FITS: State = "fits"
OVER: State = "over"
FAILED: State = "failed"


class Costs(Record):
    """What a model costs on a machine, a frame."""

    stored_weight_bits: int
    peak_activation_bits: int
    cycles: int
    frames_per_second: Ratio
    energy: Ratio | None = Field(description="joules; null: the machine prices no event")
    not_modelled: list[str]


class Computed(Record):
    """What a model computed for the inputs; the same on every machine."""

    inputs: int
    accuracy: Accuracy | None
    sha256: str = Field(description="of the results: equal where every code and name is")


class SweepRow(Record):
    """One pair; `problem` is empty where it fits, else the first problem or the error."""

    model: str
    hardware: str
    state: State
    problem: str
    exit_code: int = Field(description="what simulate would end with")
    costs: Costs | None
    computed: Computed | None


class Sweep(Record):
    """All pairs, the first model's first."""

    schema_version: Literal[1] = Field(
        default=SCHEMA,
        validation_alias=AliasChoices("schema", "schema_version"),
        serialization_alias="schema",
    )
    engine: str
    rows: list[SweepRow]

    def first(self, state: State) -> SweepRow | None:
        """The first row of that state."""
        return next((row for row in self.rows if row.state == state), None)

    def count(self, state: State) -> int:
        """How many rows are of that state."""
        return sum(row.state == state for row in self.rows)

    def to_json(self) -> str:
        """Canonical JSON text: equal sweeps give equal bytes."""
        return canonical(self.model_dump(mode="json", by_alias=True))

    def to_csv(self) -> str:
        """A heading and a line a pair; ratios are decimals, what is not known is empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_HEADINGS)
        writer.writerows(map(_cells, self.rows))
        return stream.getvalue()

    def to_text(self) -> str:
        """The terminal rendering without colour."""
        stream = io.StringIO()
        print_sweep(self, stream)
        return stream.getvalue()

    def cases(self) -> Iterator[Case]:
        """A case a pair, for JUnit."""
        return (Case(row.model, row.hardware, row.problem) for row in self.rows)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema (draft 2020-12) that every JSON sweep satisfies."""
        schema = cls.model_json_schema(by_alias=True, mode="serialization")
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_HEADINGS = (
    *("model", "hardware", "state", "problem"),
    *("stored_weight_bits", "peak_activation_bits", "cycles", "frames_per_second"),
    *("energy_joules", "not_modelled", "inputs", "correct", "judged", "sha256"),
)


def _cells(row: SweepRow) -> list[str | int]:
    cells: list[str | int] = [row.model, row.hardware, row.state, row.problem]
    costs, computed = row.costs, row.computed
    if costs is None:
        cells += [""] * 6
    else:
        cells += [costs.stored_weight_bits, costs.peak_activation_bits, costs.cycles]
        cells.append(_decimal(costs.frames_per_second, 3))
        cells.append("" if costs.energy is None else _decimal(costs.energy, 15))
        cells.append(len(costs.not_modelled))
    if computed is None:
        return cells + [""] * 4
    judged = computed.accuracy
    cells += [computed.inputs, *(("", "") if judged is None else (judged.correct, judged.total))]
    return [*cells, computed.sha256]


def _decimal(ratio: Ratio, digits: int) -> str:
    return rounded(ratio.value, digits).replace(",", "")


def print_sweep(sweep: Sweep, stream: IO[str]) -> None:
    """Print to `stream`: with colour and at the window's width only where it is a terminal."""
    with terminal(stream) as console:
        show(console, _table(sweep))
        lines = [
            f"{row.model} on {row.hardware}: {row.problem}" for row in sweep.rows if row.problem
        ]
        for line in wrapped(lines, min(console.width, WIDTH)):
            console.print(Text(line, style="red"), soft_wrap=True)
        console.print(Text(_summary(sweep), style="bold"), soft_wrap=True)


def _table(sweep: Sweep) -> Table:
    energy = any(row.costs and row.costs.energy for row in sweep.rows)
    judged = any(row.computed and row.computed.accuracy for row in sweep.rows)
    host = any(row.costs and row.costs.not_modelled for row in sweep.rows)
    names = ["model", "hardware", "", ">weights", ">activations", ">cycles", ">frames/s"]
    names += [">energy"] if energy else []
    names += [">accuracy"] if judged else []
    table = columns(*names, *([">not modelled"] if host else []))
    for row in sweep.rows:
        costs, computed = row.costs, row.computed
        good = row.state == FITS
        cells: list[str | Text] = [row.model, row.hardware]
        cells.append(Text(row.state, style="green" if good else "bold red"))
        if costs is None:
            cells += [""] * 4
        else:
            cells.append(f"{grouped(costs.stored_weight_bits)} b")
            cells.append(f"{grouped(costs.peak_activation_bits)} b")
            cells += [grouped(costs.cycles), rate(costs.frames_per_second.value)]
        if energy:
            cells.append(quantity(costs.energy.value, "J", 3) if costs and costs.energy else "")
        if judged:
            known = computed.accuracy if computed else None
            cells.append(percent(known.correct, known.total) if known else "")
        if host:
            cells.append(grouped(len(costs.not_modelled)) if costs else "")
        table.add_row(*cells)
    return table


_WORDS = {FITS: "fit", OVER: "over", FAILED: "failed"}


def _summary(sweep: Sweep) -> str:
    counts = {state: sweep.count(state) for state in (FITS, OVER, FAILED)}
    words = (f"{count} {_WORDS[state]}" for state, count in counts.items() if count)
    pairs = f"{len(sweep.rows)} pair{'' if len(sweep.rows) == 1 else 's'}"
    done = [row.computed.inputs for row in sweep.rows if row.computed]
    by = f", {grouped(max(done))} inputs computed by {sweep.engine}" if done else ""
    return f"{pairs}: {', '.join(words)}{by}"
