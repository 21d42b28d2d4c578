"""`codesign automaton`: how good the weights of a cellular automaton are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from codesign.cli._options import json_option

if TYPE_CHECKING:
    from codesign.quality import AutomatonQuality


@click.command()
@click.option("--rule", type=int, default=30, show_default=True, help="Wolfram's number.")
@click.option("--cells", type=int, required=True, metavar="N", help="Cells of the ring.")
@click.option("--seed", type=int, required=True, metavar="S", help="The first 32 cells.")
@click.option("--rows", type=int, required=True, metavar="N", help="Rows: outputs of the layer.")
@click.option("--columns", type=int, metavar="M", help="Weights of a row.  [default: all it gives]")
@click.option("--warm-up", type=int, default=64, show_default=True, help="Steps before the rows.")
@click.option("--steps", type=int, default=1, show_default=True, help="Steps for each row.")
@click.option(
    "--mapping", default="ternary", show_default=True, help="ternary, balanced or binary."
)
@click.option("--limit", type=int, metavar="N", help="Steps to look for a cycle.  [default: 16384]")
@json_option
def automaton(
    rule: int,
    cells: int,
    seed: int,
    rows: int,
    columns: int | None,
    warm_up: int,
    steps: int,
    mapping: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """Measure the weights of a cellular automaton.

    Rank, likeness of rows beside random weights, balance of the codes, cycle, and what is wrong.
    """
    from codesign.quality import automaton_quality, longest_row
    from codesign.quality.automaton import LIMIT
    from codesign.report import canonical

    found = automaton_quality(
        rule=rule,
        cells=cells,
        seed=seed,
        shape=(rows, longest_row(cells, mapping) if columns is None else columns),
        warm_up=warm_up,
        steps=steps,
        mapping=mapping,
        limit=LIMIT if limit is None else limit,
    )
    click.echo(canonical(found.facts()) if as_json else _text(found), nl=False)


def _text(found: AutomatonQuality) -> str:
    """The report, one fact a line, what random weights give beside it."""
    from codesign.report import plural

    before, length = found.cycle or (0, 0)
    cycle = (
        f"{plural(length, 'step')}, from step {before:,} on"
        if found.cycle
        else f"none within {found.limit:,} steps"
    )
    facts = [
        ("", "found", "random"),
        ("rank", f"{found.rank} of {found.full_rank}", ""),
        ("greatest |cos|", f"{found.coherence.greatest:.4f}", f"{found.random.greatest:.4f}"),
        ("mean |cos|", f"{found.coherence.mean:.4f}", f"{found.random.mean:.4f}"),
        *(
            (f"code {code}", f"{count:,}", f"{float(found.expected[code]):,.0f}")
            for code, count in found.codes.items()
        ),
        ("rows of one code", f"{found.dead:,}", ""),
        ("rows repeated", f"{found.repeated:,}", ""),
    ]
    lines = [
        f"rule {found.rule}, {found.cells} cells, seed {found.seed}: {found.rows} rows of "
        f"{found.columns} weights, {found.mapping}",
        *(f"{name:<16}{value:>12}{random:>12}".rstrip() for name, value, random in facts),
        f"cycle: {cycle}",
        *(f"warning: {text}" for text in found.warnings),
    ]
    return "\n".join([*lines, *([] if found.warnings else ["warnings: none"])]) + "\n"
