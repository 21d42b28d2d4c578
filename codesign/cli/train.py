"""`codesign train`: train a network, keep its checkpoint, export its program."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codesign.cli._options import FILE, Named
from codesign.errors import CodesignError

if TYPE_CHECKING:
    from codesign.train.loop import Progress


def _models() -> list[str]:
    from codesign.models import MODELS

    return sorted(MODELS)


@click.command(short_help="Train a network and export its program.")
@click.argument("model", type=Named(_models, files=False))
@click.option("--out", required=True, type=FILE, help="Folder for all results.")
@click.option(
    "--data",
    type=FILE,
    help="Folder that holds CIFAR-10; default: the variable CODESIGN_DATA, else a download.",
)
@click.option("--table", type=FILE, help="YAML table in place of the model's own.")
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--batch", type=int, help="Images a step.")
@click.option("--seed", type=int, help="Same seed, same weights.")
@click.option("--weight-rate", type=float, help="Peak learning rate of the latent weights.")
@click.option("--rate", type=float, help="Peak learning rate of everything else.")
@click.option("--threads", type=int, help="Threads to compute with; default: all cores.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
def train(
    model: str,
    out: Path,
    data: Path | None,
    table: Path | None,
    threads: int | None,
    resume: bool,
    **numbers: Any,
) -> None:
    """Train MODEL (digits, nqe, ...) and write checkpoint.pt, metrics and model.onnx into --out.

    The checkpoint is written after every epoch. Ctrl-C ends the run cleanly; the same command
    with --resume goes on, and reaches the same result as a run that was never stopped.
    """
    from codesign.models import MODELS

    if model not in MODELS:
        raise CodesignError(f"model {model!r} is unknown; use {' or '.join(sorted(MODELS))}")
    if threads is not None and threads < 1:
        raise CodesignError(f"--threads is {threads}; give 1 or more")
    _need_torch()
    from codesign.train._machine import keep_memory, use_threads
    from codesign.train.recipe import RECIPES
    from codesign.train.run import train as run

    given = {name: value for name, value in numbers.items() if value is not None}
    recipe = dataclasses.replace(RECIPES[model], **given)
    use_threads(threads)
    keep_memory()
    with _progress() as (report, log):
        summary = run(
            model, out, recipe, data=data, table=table, resume=resume, report=report, log=log
        )
    if "test_psnr" in summary:
        found = f"{summary['test_psnr']:.2f} dB on {summary['test_images']:,} test patches"
    else:
        found = (
            f"{summary['test_correct']:,} of {summary['test_images']:,} test images right "
            f"({summary['test_accuracy']:.2%})"
        )
    click.echo(f"{out / 'model.onnx'}: {found}, {summary['weight_bits']:,} b of weights")


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise CodesignError(
            "train needs torch, which is not installed; pip install 'codesign[train]'"
        )


@contextmanager
def _progress() -> Iterator[tuple[Callable[[Progress], None], Callable[[str], None]]]:
    """A bar with the rate on a terminal, one line an epoch elsewhere; both on standard error."""
    if not sys.stderr.isatty():
        yield (lambda progress: None), (lambda line: click.echo(line, err=True))
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} images"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("train", total=1, epoch=1, epochs=1, rate="", loss=0.0)

        def report(now: Any) -> None:
            if bar.tasks[task].fields["epoch"] != now.epoch:
                bar.reset(task)
            speed = bar.tasks[task].speed
            bar.update(
                task,
                completed=now.images,
                total=now.total,
                epoch=now.epoch,
                epochs=now.epochs,
                rate=f"{speed:,.0f} images/s" if speed else "",
                loss=now.loss,
            )

        yield report, console.print
