"""`codesign simulate`: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codesign.cli._options import (
    FILE,
    MACHINE,
    engine_options,
    gather,
    input_options,
    json_option,
    model_argument,
)
from codesign.cli._workers import need_inputs, share_options, threads_each, workers
from codesign.errors import CodesignError, OverBudgetError, UnsupportedError

if TYPE_CHECKING:
    from codesign.report import Report


@click.command()
@model_argument
@click.option("--hw", required=True, type=MACHINE, help="Configuration: a YAML file or a name.")
@input_options
@click.option("--labels", type=FILE, help="Expected classes: a name or index a line, .npz or .npy.")
@click.option("--top", type=int, default=3, show_default=True, help="Best scores to list.")
@engine_options
@share_options
@click.option("--report", type=FILE, metavar="FILE", help="Write the report as JSON.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write memories and budget as JUnit XML.")
@json_option
@click.option("--strict", is_flag=True, help="Exit 4 where something is not modelled.")
def simulate(
    model: str,
    hw: str,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    labels: Path | None,
    top: int,
    engine: str,
    threads: int | None,
    jobs: int | None,
    cluster: str | None,
    report: Path | None,
    junit: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Report what MODEL costs, and what it computes for inputs.

    MODEL is an exported model file, or the name of a shipped network. Without --input (or
    --count) only the costs are reported.
    """
    from codesign.cli._progress import progress
    from codesign.engine import need_engine
    from codesign.files import need_writable
    from codesign.hw import Hardware, plan
    from codesign.sim import compute, load_model
    from codesign.sim.build import build

    need_engine(engine, threads, machine=True)
    for path in (report, junit):
        if path is not None:
            need_writable(path)
    graph = load_model(model)
    machine = Hardware.load(hw)
    costs = plan(graph, machine)
    given = gather(graph, inputs, count, seed, limit, fit)
    results = None
    if given is None:
        if labels is not None:
            raise CodesignError("--labels has no inputs to judge; add --input")
        need_inputs(jobs, cluster)
    else:
        with progress(len(given), graph.name) as heard, workers(jobs, cluster) as there:
            results = compute(
                graph,
                given,
                labels=labels,
                engine=engine,
                threads=threads_each(threads, jobs),
                cluster=there,
                top=top,
                progress=heard,
                hardware=machine,
            )
    made = build(graph, costs, results)
    _write(made, report, junit)
    _show(made, as_json)
    if made.problems:
        more = f" (and {len(made.problems) - 1} more)" if len(made.problems) > 1 else ""
        first = made.problems[0].removeprefix("over budget: ")
        raise OverBudgetError(f"over budget: {first}{more}")
    if strict and made.not_modelled:
        raise UnsupportedError(
            f"not modelled: {made.not_modelled[0]}"
            + (f" (and {len(made.not_modelled) - 1} more)" if len(made.not_modelled) > 1 else "")
            + "; leave out --strict to accept it"
        )


def _write(report: Report, path: Path | None, junit_path: Path | None) -> None:
    from codesign.files import write_atomic

    if path is not None:
        write_atomic(path, report.json_pieces())
    if junit_path is not None:
        from codesign.report.junit import junit, report_cases

        suite = f"{report.model.name} on {report.hardware.name}"
        write_atomic(junit_path, junit(suite, report_cases(report)))


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        sys.stdout.writelines(report.json_pieces())
        return
    from codesign.report.terminal import print_report

    print_report(report, sys.stdout)
