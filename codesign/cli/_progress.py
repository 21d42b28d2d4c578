"""A progress bar on stderr, only on a terminal and only where there is something to wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codesign.sim.inputs import Inputs
    from codesign.verify.compare import Batch

#: Fewer inputs than this are done before a bar is read.
WORTH = 512


@contextmanager
def progress(total: int, what: str, worth: int = WORTH) -> Iterator[Callable[[int], None] | None]:
    """Gives a function that hears how many of `total` are done, or None where no bar is shown.

    From `worth` on there is something to wait for.
    """
    if total < worth or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    shown = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Says on a terminal what takes so long."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextmanager
def watched(inputs: Inputs, what: str) -> Iterator[Iterator[Batch]]:
    """The batches of `inputs` for a comparison, under a bar."""
    with progress(len(inputs), what) as heard:
        yield _counted(inputs, heard)


def _counted(inputs: Inputs, heard: Callable[[int], None] | None) -> Iterator[Batch]:
    done = 0
    for batch in inputs.batches():
        yield batch.names, batch.arrays
        done += len(batch.names)
        if heard is not None:
            heard(done)
