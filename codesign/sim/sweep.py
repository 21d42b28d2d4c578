"""Many models on many machines: each pair's costs, each model's inputs computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from codesign.engine import MACHINE
from codesign.errors import OK, OVER_BUDGET, CodesignError
from codesign.ir import Graph, IntArray
from codesign.report import Ratio, canonical
from codesign.report.rows import records
from codesign.report.sweep import FAILED, FITS, OVER, Computed, Costs, Sweep, SweepRow
from codesign.sim.api import compute
from codesign.sim.build import before
from codesign.sim.models import load_model

if TYPE_CHECKING:
    from codesign.hw import Hardware, Plan
    from codesign.sim.cluster import Cluster
    from codesign.sim.inputs import Inputs

T = TypeVar("T")
#: Shows the progress of so many inputs of a model: gives a function that hears how many are done.
Watch = Callable[[int, str], AbstractContextManager[Callable[[int], None] | None]]


def sweep(
    models: Sequence[str | Path],
    hardware: Sequence[str | Path],
    inputs: Callable[[Graph], Inputs | None] | None = None,
    *,
    labels: Sequence[int] | IntArray | str | Path | None = None,
    engine: str = "numba",
    threads: int | None = None,
    cluster: Cluster | None = None,
    watch: Watch | None = None,
) -> Sweep:
    """A row for each model on each machine, in this order.

    `inputs` gives what a model is run on. The results do not depend on the machine, so that a
    model's inputs are computed once; with the engine `rtl`, which is the machine, for each pair
    that fits. A model, machine or pair that fails has its error in its rows, and the others go on.
    """
    machines = [_tried(partial(_machine, path)) for path in hardware]
    rows: list[SweepRow] = []
    for path in models:
        job = _Job(str(path), inputs, labels, engine, threads, cluster, watch)
        found = _tried(partial(load_model, path))
        for place, machine in zip(hardware, machines, strict=True):
            rows.append(job.row(found, str(place), machine))
    return Sweep(engine=engine, rows=rows)


class _Job:
    """One model on one machine after the other."""

    def __init__(
        self,
        model: str,
        inputs: Callable[[Graph], Inputs | None] | None,
        labels: Sequence[int] | IntArray | str | Path | None,
        engine: str,
        threads: int | None,
        cluster: Cluster | None,
        watch: Watch | None,
    ) -> None:
        self._model, self._inputs, self._labels = model, inputs, labels
        self._engine, self._threads, self._cluster = engine, threads, cluster
        self._watch: Watch = watch or (lambda total, what: nullcontext())
        self._done: Computed | CodesignError | None = None

    def row(
        self, graph: Graph | CodesignError, place: str, machine: Hardware | CodesignError
    ) -> SweepRow:
        """The row on the machine at `place`; what could not be read is its error."""
        for found in (graph, machine):
            if isinstance(found, CodesignError):
                return self._failed(place, found)
        assert not isinstance(graph, CodesignError)
        assert not isinstance(machine, CodesignError)
        made = _tried(partial(_planned, graph, machine))
        if isinstance(made, CodesignError):
            return self._failed(place, made)
        plan, costs = made
        computed = None
        if self._engine != MACHINE or plan.fits:
            computed = self._computed(graph, machine)
        if isinstance(computed, CodesignError):
            return self._failed(place, computed, costs)
        return SweepRow(
            model=self._model,
            hardware=place,
            state=FITS if plan.fits else OVER,
            problem="" if plan.fits else plan.problems[0].removeprefix("over budget: "),
            exit_code=OK if plan.fits else OVER_BUDGET,
            costs=costs,
            computed=computed,
        )

    def _computed(self, graph: Graph, machine: Hardware) -> Computed | CodesignError | None:
        if self._inputs is None:
            return None
        if self._done is None or self._engine == MACHINE:
            self._done = _tried(partial(self._compute, graph, machine))
        return self._done

    def _compute(self, graph: Graph, machine: Hardware) -> Computed:
        given = self._inputs(graph) if self._inputs else None
        if given is None:
            raise CodesignError("there are no inputs; give some, or leave them out for costs only")
        with self._watch(len(given), graph.name) as heard:
            results = compute(
                graph,
                given,
                labels=self._labels,
                engine=self._engine,
                threads=self._threads,
                top=1,
                progress=heard,
                hardware=machine,
                cluster=self._cluster,
            )
        digest = hashlib.sha256()
        for record in records(results.inputs):
            digest.update(canonical(record).encode())
        return Computed(
            inputs=len(results.inputs), accuracy=results.accuracy, sha256=digest.hexdigest()
        )

    def _failed(self, place: str, error: CodesignError, costs: Costs | None = None) -> SweepRow:
        return SweepRow(
            model=self._model,
            hardware=place,
            state=FAILED,
            problem=str(error),
            exit_code=error.exit_code,
            costs=costs,
            computed=None,
        )


def _tried(work: Callable[[], T]) -> T | CodesignError:
    """The result, or the error that it ended with."""
    try:
        return work()
    except CodesignError as error:
        return error


def _machine(path: str | Path) -> Hardware:
    from codesign.hw import Hardware

    return Hardware.load(path)


def _planned(graph: Graph, machine: Hardware) -> tuple[Plan, Costs]:
    from codesign.hw import plan

    made = plan(graph, machine)
    energy = None
    if made.energy is not None:
        energy = Ratio.of(sum((row.total for row in made.energy), Fraction(0)))
    return made, Costs(
        stored_weight_bits=sum(_stored(made)),
        peak_activation_bits=made.peak_activation_bits,
        cycles=made.cycles.total,
        frames_per_second=Ratio.of(made.frames_per_second),
        energy=energy,
        not_modelled=[*before(graph), *made.not_modelled],
    )


def _stored(plan: Plan) -> Iterator[int]:
    for layer in plan.layers:
        yield from layer.stored_weight_bits.values()
