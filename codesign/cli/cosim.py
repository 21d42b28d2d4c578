"""`codesign cosim`: the Verilog against the simulator, bit for bit and cycle for cycle."""

from __future__ import annotations

from pathlib import Path

import click

from codesign.cli._options import (
    DEFAULT_COUNT,
    FILE,
    MACHINE,
    engine_options,
    gather,
    input_options,
    json_option,
    model_argument,
)
from codesign.errors import CodesignError, DifferenceError

#: Frames take long here: a bar is worth it from this many on.
WORTH = 8


@click.command()
@model_argument
@click.option("--hw", required=True, type=MACHINE, help="Configuration: a YAML file or a name.")
@input_options
@engine_options
@click.option("--verilog", type=FILE, metavar="DIR", help="Verilog in place of the package's.")
@click.option("--wave", type=FILE, metavar="FILE.fst", help="Write what happens where it differs.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write two cases a layer as JUnit XML.")
@json_option
def cosim(
    model: str,
    hw: str,
    inputs: tuple[Path, ...],
    count: int | None,
    seed: int | None,
    limit: int | None,
    fit: str,
    engine: str,
    threads: int | None,
    verilog: Path | None,
    wave: Path | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Run MODEL on the machine's Verilog and compare everything.

    The Verilated machine runs the program of MODEL, a frame at a time. Every layer's map must have
    the engine's codes, every cycle counter what codesign simulate predicts; exit 1 at the first
    difference. Without --input, on seeded random inputs.
    """
    from codesign.cli._cosim import cases, facts, summary, table
    from codesign.cli._progress import progress, waiting
    from codesign.engine import MACHINE as VERILOG
    from codesign.engine import need_engine, usable_cores
    from codesign.files import need_writable, write_atomic
    from codesign.hw import Hardware
    from codesign.report.canonical import canonical
    from codesign.report.junit import junit as document
    from codesign.rtl import image
    from codesign.rtl.build import library
    from codesign.sim import load_model
    from codesign.verify.cosim import cosimulate

    if engine == VERILOG:
        raise CodesignError(
            f"--engine {engine} is what is judged; choose the one that gives the expected codes, "
            "such as numba"
        )
    need_engine(engine, threads)
    for path in (wave, junit):
        if path is not None:
            need_writable(path)
    graph, machine = load_model(model), Hardware.load(hw)
    made = image(graph, machine)
    given = gather(graph, inputs, count, seed, limit, fit, default=DEFAULT_COUNT)
    assert given is not None  # there is a default
    with waiting(f"building the Verilog of {machine.name}"):
        library(machine, models=verilog)
    workers = min(threads or usable_cores(), len(given))
    with progress(len(given), graph.name, WORTH) as heard:
        batches = ((batch.names, batch.arrays) for batch in given.batches())
        result = cosimulate(
            graph,
            made,
            batches,
            engine=engine,
            threads=workers,
            models=verilog,
            progress=heard,
        )
    shown = None
    if wave is not None and result.finding is not None:
        from codesign.verify.cosim import wave_of

        with waiting("building the Verilog with waveforms"):
            library(machine, waves=True, models=verilog)
        shown = wave_of(result, wave, verilog)
    if junit is not None:
        suite = f"{graph.name} on {machine.name}"
        write_atomic(junit, document(suite, cases(result)))
    if as_json:
        told = None if shown is None else str(wave)
        click.echo(canonical(facts(result, engine, told)), nl=False)
    else:
        click.echo(table(result))
    if result.finding is not None:
        more = f"waveform: {wave}, {shown}" if shown else "add --wave FILE.fst for a waveform"
        raise DifferenceError(f"results differ: {result.finding}; {more}")
    if not as_json:
        click.echo(summary(result, engine))
