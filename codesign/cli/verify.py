"""`codesign verify`: a model against its golden vectors."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from codesign.cli._difference import conclude
from codesign.cli._options import FILE, engine_options, json_option, model_argument


@click.command()
@model_argument
@click.argument("golden", type=FILE)
@click.option("--layer", metavar="NAME", help="Only this layer, on the golden codes it reads.")
@engine_options
@click.option("--junit", type=FILE, metavar="FILE", help="Write a case a layer as JUnit XML.")
@json_option
def verify(
    model: str,
    golden: Path,
    layer: str | None,
    engine: str,
    threads: int | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Check MODEL against its golden vectors.

    GOLDEN is a file of codesign bless. Exit 1 at the first code that differs.
    """
    from codesign.files import need_writable
    from codesign.sim import load_model
    from codesign.verify import read_golden
    from codesign.verify import verify as check

    if junit is not None:
        need_writable(junit)
    graph = load_model(model)
    vectors = read_golden(golden)
    result = check(graph, vectors, layer=layer, engine=engine, threads=threads)
    where, note, replay = f"{graph.name} by {engine} and {golden}", "", []
    if vectors.codes:
        replay = ["codesign", "verify", model, str(golden), "--engine", engine]
    elif vectors.hash == graph.hash:
        # the same program: an engine is at fault
        other = "numba" if engine == "reference" else engine
        replay = ["codesign", "diff", model, "--engines", f"reference,{other}"]
        replay += ["--input", str(golden)]
    if vectors.hash != graph.hash:
        note = "; the model is not the one that was blessed"
    conclude(result, where, shlex.join(replay), as_json=as_json, junit_path=junit, note=note)
