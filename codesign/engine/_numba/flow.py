"""A plan on buffers: what compiled code calls next to each other becomes one program.

The maps that native kernels write lie in buffers made once for a number of images, so that records,
borders and programs are ready before an image comes. Maps whose lives do not overlap share one,
if they lie alike. What other kernels read may live on in what they make (a view), so its buffer is
not shared. A flow serves one chunk at a time; nothing of its buffers may be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from codesign.engine._numba.frames import Place
from codesign.engine._numba.layout import channels_last
from codesign.engine._numba.native import Native
from codesign.engine._numba.plan import Unit
from codesign.engine._numba.tasks import Task, program
from codesign.engine._numba.team import Team
from codesign.ir import IntArray


@dataclass(slots=True)
class _Program:
    tasks: list[Task]
    table: IntArray = field(default_factory=lambda: np.empty((0, 3), np.int64))


@dataclass(frozen=True, slots=True)
class _Fill:
    """A map that no native kernel has made, or that lies otherwise, goes where a task reads it.

    `framed`: another kernel has made it, in a frame like `place`.
    """

    name: str
    framed: bool
    place: Place
    buffer: IntArray
    last: bool  # nothing reads the map later


@dataclass(frozen=True, slots=True)
class _Call:
    """A native kernel that has no task."""

    kernel: Native
    source: IntArray
    target: IntArray


class Flow:
    """The units of a plan, for at most `images` images; `most` parts of a task at most."""

    def __init__(self, units: tuple[Unit, ...], images: int, most: int) -> None:
        self.images, self._most, self._count = images, most, 0
        self._steps: list[_Program | _Fill | _Call | Unit] = []
        self._made: dict[str, tuple[Place, IntArray]] = {}
        self._views: dict[str, IntArray] = {}
        self._unused: dict[Place, list[IntArray]] = {}
        apart = {n for unit in units if not isinstance(unit.run, Native) for n in unit.sources}
        for unit in units:
            if isinstance(unit.run, Native):
                self._native(unit, unit.run)
            else:
                self._steps.append(unit)
            for name in unit.dead:
                if name in self._made and name not in apart:
                    self._return(*self._made[name])
        #: Names that are read as they come: an input may have its channels anywhere.
        self._filled = {step.name for step in self._steps if isinstance(step, _Fill)} - apart

    def _native(self, unit: Unit, kernel: Native) -> None:
        (name,) = unit.sources
        place, source = self._made.get(name, (None, None))
        filled = source is None or place != kernel.source
        if source is None or filled:
            source = self._take(kernel.source)
            self._steps.append(_Fill(name, kernel.framed, kernel.source, source, name in unit.dead))
        target = self._take(kernel.target)
        self._made[unit.result] = kernel.target, target
        self._append(kernel, source, target)
        if filled:
            self._return(kernel.source, source)

    def _append(self, kernel: Native, source: IntArray, target: IntArray) -> None:
        task = kernel.task(source, target)
        if task is None:
            self._steps.append(_Call(kernel, source, target))
            return
        last = self._steps[-1] if self._steps else None
        if not isinstance(last, _Program):
            last = _Program([])
            self._steps.append(last)
        last.tasks.append(task)

    def _take(self, place: Place) -> IntArray:
        unused = self._unused.get(place)
        return unused.pop() if unused else place.empty(self.images)

    def _return(self, place: Place, buffer: IntArray) -> None:
        self._unused.setdefault(place, []).append(buffer)

    def run(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...], team: Team
    ) -> dict[str, IntArray]:
        """The values `names`, channels last; they are gone with the next run."""
        count = len(next(iter(inputs.values())))
        if count != self._count:
            self._fit(count)
        alive = {
            name: np.moveaxis(array, 1, -1)
            if name in self._filled and name not in names and array.ndim > 2
            else channels_last(array)
            for name, array in inputs.items()
        }
        alive.update(self._views)
        for step in self._steps:
            if isinstance(step, _Program):
                team.run(step.table)
            elif isinstance(step, _Call):
                step.kernel.compute(step.source, step.target, count)
            elif isinstance(step, _Fill):
                if step.framed:
                    step.buffer[: len(alive[step.name])] = alive[step.name]
                else:
                    step.place.fill(step.buffer, alive[step.name])
                if step.last:
                    del alive[step.name]
            else:
                alive[step.result] = step.run(*[alive[name] for name in step.sources])
                for name in step.dead:
                    del alive[name]
        return {name: alive[name] for name in names}

    def _fit(self, count: int) -> None:
        """Programs and views for so many images."""
        for step in self._steps:
            if isinstance(step, _Program):
                step.table = program(step.tasks, count, self._most)
        self._views = {
            name: place.view(buffer, count) for name, (place, buffer) in self._made.items()
        }
        self._count = count
