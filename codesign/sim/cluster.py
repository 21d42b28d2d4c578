"""Batches on a Dask cluster: in order, a few at a time, and done again where a worker is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray

if TYPE_CHECKING:
    from codesign.engine.base import Engine
    from codesign.hw import Hardware
    from codesign.sim.inputs import Batch, Inputs

#: Seconds in which a scheduler has to answer.
PATIENCE = 10
#: Batches under way for each worker thread: enough that none waits, few enough to bound memory.
AHEAD = 2
#: How often a batch may lose its worker before it is taken to be the cause.
LOSSES = 3


class Cluster:
    """Workers that run batches of a program; made by `connect`."""

    def __init__(self, client: Any, place: str) -> None:
        self._client, self._place = client, place

    def run(
        self,
        graph: Graph,
        inputs: Inputs,
        keep: tuple[str, ...],
        *,
        engine: str,
        threads: int | None,
        hardware: Hardware | None = None,
    ) -> Iterator[tuple[Batch, dict[str, IntArray]]]:
        """Each batch of `inputs` with its values, in order: what `Engine.run` gives for it.

        At most a few batches for each worker are in memory. A batch whose worker dies goes to
        another one. Raises CodesignError where workers are lost again and again, or there is none.
        """
        from codesign.convert import to_onnx

        program = to_onnx(graph)
        waiting: deque[tuple[Batch, Any]] = deque()
        ahead = AHEAD * max(1, sum(self._client.nthreads().values()))
        for batch in inputs.batches():
            arrays = dict(batch.arrays)
            call = (program, arrays, keep, engine, threads, hardware)
            waiting.append((batch, self._client.submit(_run, *call, pure=False)))
            if len(waiting) >= ahead:
                yield self._next(waiting)
        while waiting:
            yield self._next(waiting)

    def _next(self, waiting: deque[tuple[Batch, Any]]) -> tuple[Batch, dict[str, IntArray]]:
        from distributed import CancelledError, KilledWorker

        batch, future = waiting.popleft()
        try:
            return batch, future.result()
        except KilledWorker:
            raise CodesignError(
                f"cluster {self._place}: {LOSSES + 1} workers were lost on the batch that begins "
                f"with {batch.names[0]}; give the workers more memory"
            ) from None
        except (CancelledError, OSError):
            raise CodesignError(
                f"cluster {self._place}: the scheduler is lost; start it again, then the command"
            ) from None


@contextmanager
def connect(address: str | None, jobs: int | None = None) -> Iterator[Cluster]:
    """The cluster whose scheduler listens at `address`; without one, `jobs` processes made here.

    Raises CodesignError where dask is not installed, the scheduler does not answer or has no
    worker, or `jobs` is below 1.
    """
    if jobs is not None and jobs < 1:
        raise CodesignError(f"jobs is {jobs}; give 1 or more")
    try:
        import dask
        import distributed as found
    except ModuleNotFoundError:
        raise CodesignError(
            "a cluster needs dask, which is not installed; pip install 'codesign[cluster]'"
        ) from None
    distributed: Any = found  # it has types only in part
    settings = {
        "distributed.scheduler.allowed-failures": LOSSES,
        "distributed.comm.timeouts.connect": PATIENCE,
        # its lines about workers that come and go are not for the terminal of this command
        "distributed.logging.distributed": "critical",
    }
    with dask.config.set(settings):
        place = address or f"of {jobs} processes"
        try:
            if address is None:
                client = distributed.Client(
                    n_workers=jobs, threads_per_worker=1, dashboard_address=":0", silence_logs=60
                )
            else:
                client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError):
            raise CodesignError(
                f"cluster {place}: no scheduler answers within {PATIENCE} s; "
                "start one (dask scheduler), or leave the cluster out"
            ) from None
        with client:
            if not client.nthreads():
                raise CodesignError(
                    f"cluster {place}: has no worker; start one (dask worker {place})"
                )
            yield Cluster(client, place)


def _run(
    program: bytes,
    arrays: Mapping[str, IntArray],
    keep: tuple[str, ...],
    engine: str,
    threads: int | None,
    hardware: Hardware | None,
) -> dict[str, IntArray]:
    """On a worker: the values of one batch, by an engine that is made once a process."""
    from codesign.convert import from_onnx
    from codesign.engine import create

    key = (program, engine, threads, repr(hardware))
    if key not in _ENGINES:
        _ENGINES.clear()  # a worker goes from one program to the next
        graph = from_onnx(program, "program")
        _ENGINES[key] = create(engine, graph, threads=threads, hardware=hardware)
    return _ENGINES[key].run(arrays, keep)


_ENGINES: dict[tuple[bytes, str, int | None, str], Engine] = {}
