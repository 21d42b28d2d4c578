"""`codesign diff`: two models, or two engines, and the first code that differs."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from codesign.cli._difference import conclude
from codesign.cli._options import (
    DEFAULT_COUNT,
    ENGINE,
    FILE,
    MODEL,
    gather,
    input_options,
    json_option,
    model_argument,
)
from codesign.errors import CodesignError


@click.command()
@model_argument
@click.argument("other", type=MODEL, required=False)
@click.option("--engines", metavar="A,B", help="Two engines on MODEL; A's codes are expected.")
@click.option("--engine", type=ENGINE, help="Engine for two models.  [default: numba]")
@click.option("--layer", metavar="NAME", help="Only this layer, on the inputs expected for it.")
@input_options
@click.option("--threads", type=int, metavar="N", help="Threads.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write a case a layer as JUnit XML.")
@json_option
def diff(
    model: str,
    other: str | None,
    engines: str | None,
    engine: str | None,
    layer: str | None,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    threads: int | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Find the first code that two models or engines disagree on.

    Without --input, on seeded random inputs. Exit 1 with the first divergence.
    """
    from codesign.cli._progress import watched
    from codesign.files import need_writable
    from codesign.sim import load_model
    from codesign.verify import compare_engines, compare_models

    if (other is None) == (engines is None):
        raise CodesignError("give a second model, or --engines A,B: one of them")
    if engines is not None and engine is not None:
        raise CodesignError("--engine is for two models; leave out --engine or --engines")
    if junit is not None:
        need_writable(junit)
    graph = load_model(model)
    given = gather(graph, inputs, count, seed, limit, fit, default=DEFAULT_COUNT)
    assert given is not None  # there is a default
    if engines is not None:
        pair = _pair(engines)
        with watched(given, graph.name) as batches:
            result = compare_engines(graph, pair, batches, layer=layer, threads=threads)
        where, words = f"{graph.name} by {pair[0]} and {pair[1]}", [model, "--engines", engines]
    else:
        assert other is not None  # one of them is given
        second, name = load_model(other), engine or "numba"
        with watched(given, graph.name) as batches:
            result = compare_models(
                graph, second, batches, layer=layer, engine=name, threads=threads
            )
        where = f"{model} and {other} by {name}"
        words = [model, other, *(["--engine", name] if engine else [])]
    for path in inputs:
        words += ["--input", str(path)]
    if not inputs:
        words += ["--count", str(len(given)), "--seed", str(seed or 0)]
    if limit is not None:
        words += ["--limit", str(limit)]
    if fit != "crop":
        words += ["--fit", fit]
    replay = shlex.join(["codesign", "diff", *words])
    conclude(result, where, replay, as_json=as_json, junit_path=junit)


def _pair(engines: str) -> tuple[str, str]:
    names = [name.strip() for name in engines.split(",")]
    if len(names) != 2:
        raise CodesignError(f"--engines is {engines}; give two names, such as reference,numba")
    return names[0], names[1]
