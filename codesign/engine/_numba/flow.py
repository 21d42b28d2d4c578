"""A plan on buffers: what compiled code calls next to each other becomes one program.

The maps that native kernels write lie in buffers made once for a number of images, so that records,
borders and programs are ready before an image comes. Maps whose lives do not overlap share
memory: a border is then written anew each time. What other kernels read may live on in what they
make (a view), so its memory is not shared. A flow serves one chunk at a time; nothing of its
buffers may be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from codesign.engine._numba.borders import bordering
from codesign.engine._numba.fills import entering, moving
from codesign.engine._numba.frames import Bordered, Place
from codesign.engine._numba.layout import channels_last
from codesign.engine._numba.memory import lines
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.plan import Unit
from codesign.engine._numba.tasks import Task, address, compute, program
from codesign.engine._numba.team import Team
from codesign.ir import IntArray, Value


@dataclass(slots=True)
class _Program:
    tasks: list[Task]
    table: IntArray = field(default_factory=lambda: np.empty((0, 3), np.int64))


@dataclass(slots=True, eq=False)
class _Memory:
    """Memory of buffers, one at a time; the places that they were of."""

    flat: IntArray
    places: set[Place] = field(default_factory=set)
    free: bool = False


@dataclass(slots=True)
class _Fill:
    """A map that no task has made, or that none moves, goes where a task reads it."""

    name: str
    place: Place
    buffer: IntArray
    dead: tuple[str, ...] = ()  # what nothing reads later


@dataclass(frozen=True, slots=True)
class _Call:
    """A native kernel that has no task."""

    kernel: Native
    sources: Buffers
    target: IntArray


class Flow:
    """The units of a plan, for at most `images` images; `most` parts of a task at most.

    `inputs` are the graph's inputs.
    """

    def __init__(
        self, units: tuple[Unit, ...], images: int, most: int, inputs: Mapping[str, Value]
    ) -> None:
        self.images, self._most, self._count = images, most, 0
        self._inputs = inputs
        self._steps: list[_Program | _Fill | _Call | Unit] = []
        self._entries: list[tuple[str, Task]] = []
        self._made: dict[str, tuple[Place, IntArray]] = {}
        self._views: dict[str, IntArray] = {}
        self._memory: list[_Memory] = []
        self._borders: list[tuple[_Program, Task, _Memory]] = []
        apart = {n for unit in units if not isinstance(unit.run, Native) for n in unit.sources}
        for unit in units:
            if isinstance(unit.run, Native):
                self._native(unit, unit.run)
            else:
                self._steps.append(unit)
            for name in unit.dead:
                if name in self._made and name not in apart:
                    self._return(self._made[name][1])
        self._settle_borders()
        filled = {step.name for step in self._steps if isinstance(step, _Fill)}
        #: Names that are read as they come: an input may have its channels anywhere.
        self._as_given = (filled | {name for name, _ in self._entries}) - apart

    def _native(self, unit: Unit, kernel: Native) -> None:
        filled: dict[tuple[str, Place], IntArray] = {}
        before = len(self._steps)
        sources = tuple(
            self._source(name, read, filled)
            for name, read in zip(unit.sources, kernel.reads, strict=True)
        )
        fills = [step for step in self._steps[before:] if isinstance(step, _Fill)]
        if fills:
            fills[-1].dead = tuple(name for name in unit.dead if name not in self._made)
        target = self._take(kernel.target)
        self._made[unit.result] = kernel.target, target
        task = kernel.task(sources, target)
        if task is None:
            self._steps.append(_Call(kernel, sources, target))
        else:
            self._append(task)
        for buffer in filled.values():
            self._return(buffer)

    def _source(self, name: str, read: Read, filled: dict[tuple[str, Place], IntArray]) -> IntArray:
        """The buffer where a kernel reads a map; steps that bring the map there."""
        if name in self._made and read.takes(self._made[name][0]):
            return self._made[name][1]
        key = name, read.place
        if key not in filled:
            filled[key] = self._take(read.place)
            if not self._moved(name, read.place, filled[key]):
                self._steps.append(_Fill(name, read.place, filled[key]))
        return filled[key]

    def _moved(self, name: str, place: Place, buffer: IntArray) -> bool:
        """Whether a task brings the map to its place."""
        if name in self._made:
            task = moving(*self._made[name], place, buffer)
        else:
            task = entering(self._inputs[name], place, buffer) if name in self._inputs else None
            if task is not None:
                self._entries.append((name, task))
        if task is not None:
            self._append(task)
        return task is not None

    def _append(self, task: Task) -> _Program:
        last = self._steps[-1] if self._steps else None
        if not isinstance(last, _Program):
            last = _Program([])
            self._steps.append(last)
        last.tasks.append(task)
        return last

    def _take(self, place: Place) -> IntArray:
        """A buffer in memory that is free; its border is written by the steps so far."""
        size = place.size(self.images) * place.element.itemsize
        fitting = [m for m in self._memory if m.free and m.flat.nbytes >= size]
        memory = min(fitting, key=lambda m: (place not in m.places, m.flat.nbytes), default=None)
        if memory is None:
            memory = _Memory(lines(max(size, 1)))
            self._memory.append(memory)
        memory.free = False
        memory.places.add(place)
        buffer: IntArray = memory.flat[:size].view(place.element)
        if isinstance(place, Bordered) and len(place.around[0]):
            task = bordering(place, buffer)
            self._borders.append((self._append(task), task, memory))
        return buffer

    def _return(self, buffer: IntArray) -> None:
        start = address(buffer)
        next(m for m in self._memory if address(m.flat) == start).free = True

    def _settle_borders(self) -> None:
        """Borders that nothing writes over are written now, once."""
        for program_, task, memory in self._borders:
            if len(memory.places) == 1:
                program_.tasks = [t for t in program_.tasks if t is not task]
                compute(task, self.images)
        self._steps = [s for s in self._steps if not isinstance(s, _Program) or s.tasks]

    def run(
        self, inputs: Mapping[str, IntArray], names: tuple[str, ...], team: Team
    ) -> dict[str, IntArray]:
        """The values `names`, channels last; they are gone with the next run."""
        count = len(next(iter(inputs.values())))
        if count != self._count:
            self._fit(count)
        given = [
            np.ascontiguousarray(inputs[name], self._inputs[name].type.dtype)
            for name, _ in self._entries
        ]
        for array, (_, task) in zip(given, self._entries, strict=True):
            task.record[1] = address(array)
        alive = {
            name: np.moveaxis(array, 1, -1)
            if name in self._as_given and name not in names and array.ndim > 2
            else channels_last(array)
            for name, array in inputs.items()
        }
        alive.update(self._views)
        for step in self._steps:
            if isinstance(step, _Program):
                team.run(step.table)
            elif isinstance(step, _Call):
                step.kernel.compute(step.sources, step.target, count)
            elif isinstance(step, _Fill):
                step.place.fill(step.buffer, alive[step.name])
                for name in step.dead:
                    del alive[name]
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
