"""How `cosim` shows what was compared: a table of cycles, JSON, JUnit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from codesign.report import plural

if TYPE_CHECKING:
    from codesign.report.junit import Case
    from codesign.verify.cosim import Cosimulation, Counts

#: Headings of the causes that would make a column too wide.
_HEADINGS = {"weight_load": "load"}


def table(result: Cosimulation) -> str:
    """A line a layer: cycles predicted and counted, their difference, what was counted by cause.

    A cause that was not counted as predicted has its difference beside it.
    """
    rows = [_row(count.layer, [count]) for count in result.counts]
    rows.append(_row("total", result.counts))
    causes = [_HEADINGS.get(cause, cause) for cause, _, _ in _causes(result.counts)]
    rows.insert(0, ["layer", "predicted", "counted", "difference", *causes])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *numbers in rows:
        cells = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        lines.append(f"{name:<{widths[0]}} {' '.join(cells)}".rstrip())
    return "\n".join(lines)


def _row(name: str, counts: Sequence[Counts]) -> list[str]:
    predicted = sum(count.predicted.total for count in counts)
    difference = sum(count.difference for count in counts)
    cells = [name, f"{predicted:,}", f"{predicted + difference:,}", _signed(difference)]
    for _, expected, counted in _causes(counts):
        wrong = f" ({_signed(counted - expected)})" if counted != expected else ""
        cells.append(f"{counted:,}{wrong}")
    return cells


def _causes(counts: Sequence[Counts]) -> Iterator[tuple[str, int, int]]:
    """Each cause with the cycles predicted and counted in all of `counts`."""
    from codesign.hw import Cycles

    predicted = sum((count.predicted for count in counts), Cycles())
    counted = dict(sum((count.counted for count in counts), Cycles()))
    for cause, cycles in predicted:
        yield cause, cycles, counted[cause]
    yield "wait", 0, sum(count.wait for count in counts)


def _signed(difference: int) -> str:
    return f"{difference:+,}" if difference else "0"


def summary(result: Cosimulation, engine: str) -> str:
    """What was equal, in one line."""
    layers = plural(len(result.image.entries), "layer")
    return (
        f"equal: {result.image.model} on {result.image.hardware.name} by the Verilog, {engine} and "
        f"the model: {plural(result.inputs, 'input')}, {layers}, {result.codes:,} codes, "
        f"{result.cycles:,} cycles"
    )


def facts(result: Cosimulation, engine: str, wave: str | None) -> dict[str, Any]:
    """The comparison for tools."""
    finding = result.finding
    return {
        "model": result.image.model,
        "hardware": result.image.hardware.name,
        "engine": engine,
        "equal": finding is None,
        "inputs": result.inputs,
        "codes": result.codes,
        "cycles": result.cycles,
        "layers": [
            {
                "layer": count.layer,
                "kind": count.kind,
                "predicted": dict(count.predicted),
                "counted": dict(count.counted) | {"wait": count.wait},
                "difference": count.difference,
            }
            for count in result.counts
        ],
        "finding": None
        if finding is None
        else {"what": type(finding).__name__.lower(), **_plain(asdict(finding))},
        "wave": wave,
    }


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {key: list(v) if isinstance(v, tuple) else v for key, v in record.items()}


def cases(result: Cosimulation) -> list[Case]:
    """A case for each layer's map and one for its counters, up to the first that differs."""
    from codesign.report.junit import Case
    from codesign.verify.cosim import Miscount, Stop

    finding, found = result.finding, []
    for count in result.counts:
        wrong = finding is not None and finding.layer == count.layer
        counter = wrong and isinstance(finding, Miscount)
        found.append(Case("map", count.layer, str(finding) if wrong and not counter else ""))
        if not wrong or counter:
            found.append(Case("cycles", count.layer, str(finding) if counter else ""))
    if isinstance(finding, Stop):
        found.append(Case("run", finding.layer, str(finding)))
    return found
