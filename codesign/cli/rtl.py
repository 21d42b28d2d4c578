"""`codesign rtl`: a network as files for the Verilog machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codesign.cli._options import FILE, MACHINE, gather, input_options, model_argument

if TYPE_CHECKING:
    from codesign.ir import IntArray
    from codesign.sim.inputs import Inputs


@click.command()
@model_argument
@click.option("--hw", required=True, type=MACHINE, help="Configuration: a YAML file or a name.")
@click.option("--out", required=True, type=FILE, metavar="DIR", help="Folder to write.")
@input_options
@click.option("--force", is_flag=True, help="Replace the folder of an earlier export.")
def rtl(
    model: str,
    hw: str,
    out: Path,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    force: bool,
) -> None:
    """Write MODEL as files for the Verilog machine.

    The folder holds the Verilog, its parameters, the words of its memories, frames with the map
    expected of every layer, and a testbench that compares them; none of it needs Python. Without
    --input (or --count) there is one random frame.
    """
    from codesign.hw import Hardware
    from codesign.report import plural
    from codesign.rtl import image
    from codesign.rtl.export import export, need_folder
    from codesign.sim import load_model

    need_folder(out, force=force)
    graph = load_model(model)
    made = image(graph, Hardware.load(hw))
    given = gather(graph, inputs, count, seed, limit, fit, default=1)
    assert given is not None  # there is a default
    frames = export(graph, made, _frames(given), out, force=force)
    click.echo(
        f"{out}: {graph.name} on {made.hardware.name}, {plural(len(made.entries), 'descriptor')}, "
        f"{plural(frames, 'frame')} of {made.plan.cycles.total:,} cycles; see {out / 'README.md'}"
    )


def _frames(given: Inputs) -> Iterator[tuple[str, Mapping[str, IntArray]]]:
    """Each input's name and its codes without the batch axis."""
    for batch in given.batches():
        for index, name in enumerate(batch.names):
            yield name, {key: array[index] for key, array in batch.arrays.items()}
