"""`codesign sweep`: many models on many machines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codesign.cli._options import (
    FILE,
    MACHINE,
    MODEL,
    engine_options,
    gather,
    input_options,
    json_option,
)
from codesign.cli._workers import need_inputs, share_options, threads_each, workers
from codesign.errors import CodesignError, OverBudgetError

if TYPE_CHECKING:
    from codesign.report.sweep import Sweep


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=MODEL)
@click.option(
    "--hw",
    "hardware",
    multiple=True,
    required=True,
    type=MACHINE,
    help="Configuration: a YAML file or a name; may be given several times.",
)
@input_options
@click.option("--labels", type=FILE, help="Expected classes: a name or index a line, .npz or .npy.")
@engine_options
@share_options
@click.option("--out", type=FILE, metavar="FILE", help="Write the table: .csv or .json.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write a case a pair as JUnit XML.")
@json_option
def sweep(
    models: tuple[str, ...],
    hardware: tuple[str, ...],
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    labels: Path | None,
    engine: str,
    threads: int | None,
    jobs: int | None,
    cluster: str | None,
    out: Path | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Compare every MODEL on every machine: a row each.

    What fails has its error in its row, and the others go on. The exit code is that of the first
    row that failed, else 3 where one does not fit.
    """
    from codesign.cli._progress import progress
    from codesign.engine import need_engine
    from codesign.files import need_writable
    from codesign.sim.sweep import sweep as run

    need_engine(engine, threads, machine=True)
    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise CodesignError(f"--out is {out}; give a name that ends in .csv or .json")
    for path in (out, junit):
        if path is not None:
            need_writable(path)
    some = bool(inputs) or count is not None
    if not some:
        if labels is not None:
            raise CodesignError("--labels has no inputs to judge; add --input")
        need_inputs(jobs, cluster)
    with workers(jobs, cluster) as there:
        made = run(
            models,
            hardware,
            (lambda graph: gather(graph, inputs, count, seed, limit, fit)) if some else None,
            labels=labels,
            engine=engine,
            threads=threads_each(threads, jobs),
            cluster=there,
            watch=progress,
        )
    _write(made, out, junit)
    if as_json:
        click.echo(made.to_json(), nl=False)
    else:
        from codesign.report.sweep import print_sweep

        print_sweep(made, sys.stdout)
    _conclude(made)


def _write(made: Sweep, out: Path | None, junit_path: Path | None) -> None:
    from codesign.files import write_atomic

    if out is not None:
        write_atomic(out, made.to_csv() if out.suffix.lower() == ".csv" else made.to_json())
    if junit_path is not None:
        from codesign.report.junit import junit

        write_atomic(junit_path, junit("sweep", list(made.cases())))


def _conclude(made: Sweep) -> None:
    """The exit code, with the first pair that is to blame."""
    from codesign.report.sweep import FAILED, OVER

    pairs = len(made.rows)
    if (row := made.first(FAILED)) is not None:
        error = CodesignError(
            f"{made.count(FAILED)} of {pairs} pairs failed; the first, {row.model} on "
            f"{row.hardware}: {row.problem}"
        )
        error.exit_code = row.exit_code
        raise error
    if (row := made.first(OVER)) is not None:
        raise OverBudgetError(
            f"over budget: {made.count(OVER)} of {pairs} pairs; the first, {row.model} on "
            f"{row.hardware}: {row.problem}"
        )
