"""`codesign bless`: store golden vectors."""

from __future__ import annotations

from pathlib import Path

import click

from codesign.cli._options import FILE, engine_options, gather, input_options, model_argument
from codesign.errors import CodesignError


@click.command()
@model_argument
@input_options
@click.option("--out", required=True, type=FILE, metavar="FILE", help="File to write, an .npz.")
@click.option("--full", is_flag=True, help="Keep every layer's codes, not only their digests.")
@engine_options
def bless(
    model: str,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    out: Path,
    full: bool,
    engine: str,
    threads: int | None,
) -> None:
    """Store golden vectors of MODEL.

    What it computes for some inputs goes into one file, which codesign verify demands later.
    """
    from codesign.cli._progress import watched
    from codesign.files import need_writable, write_atomic
    from codesign.report import plural
    from codesign.sim import load_model
    from codesign.verify import bless as make

    need_writable(out)
    graph = load_model(model)
    given = gather(graph, inputs, count, seed, limit, fit)
    if given is None:
        raise CodesignError("no inputs to bless; add --input PATH, or --count N for random ones")
    with watched(given, graph.name) as batches:
        golden = make(graph, batches, full=full, engine=engine, threads=threads)
    data = golden.to_bytes()
    write_atomic(out, data)
    kept = "codes" if full else "digests"
    click.echo(
        f"{out}: {plural(len(golden.names), 'input')}, "
        f"{kept} of {plural(len(golden.digests), 'layer')}, "
        f"{len(data):,} B"
    )
