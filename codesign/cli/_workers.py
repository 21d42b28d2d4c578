"""--jobs and --cluster: who computes the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from codesign.sim.cluster import Cluster

Command = TypeVar("Command", bound=Callable[..., Any])


def share_options(command: Command) -> Command:
    """--jobs and --cluster."""
    command = click.option(
        "--cluster", metavar="ADDRESS", help="Share them among the workers of a Dask cluster."
    )(command)
    return click.option(
        "--jobs", type=int, metavar="N", help="Share the inputs among N processes."
    )(command)


def need_inputs(jobs: int | None, cluster: str | None) -> None:
    """Refuse workers where there is nothing to share."""
    for option, value in (("--jobs", jobs), ("--cluster", cluster)):
        if value is not None:
            raise CodesignError(f"{option} has no inputs to share; add --input")


@contextmanager
def workers(jobs: int | None, cluster: str | None) -> Iterator[Cluster | None]:
    """The cluster that is asked for; None where this process computes."""
    if jobs is None and cluster is None:
        yield None
        return
    if jobs is not None and cluster is not None:
        raise CodesignError("--jobs makes processes here, --cluster has its own; leave out one")
    from codesign.sim import connect

    with connect(cluster, jobs) as found:
        yield found


def threads_each(threads: int | None, jobs: int | None) -> int | None:
    """Threads of each process: the cores shared out, where nothing else is asked for."""
    from codesign.engine import usable_cores

    return max(1, usable_cores() // jobs) if threads is None and jobs else threads
