"""Native kernels: maps to one map by a task, on buffers that may be given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from codesign.engine._numba.frames import Place, Plain
from codesign.engine._numba.tasks import Task, compute
from codesign.engine._numba.windows import SLACK
from codesign.ir import IntArray

#: Flat buffers, one for each map that a kernel reads.
Buffers = tuple[IntArray, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """How a kernel reads one of its maps.

    Attributes:
        place: how the map lies in memory.
        framed: whether a call on its own gives the map as it lies there, flat.
        free: whether the elements of a plain map may be of any type; the task sees which.
    """

    place: Place
    framed: bool = False
    free: bool = False

    def takes(self, place: Place) -> bool:
        """Whether a map that lies in `place` is read where it is."""
        mine = self.place
        if self.free and isinstance(mine, Plain) and isinstance(place, Plain):
            return mine.shape == place.shape
        return mine == place

    def count(self, x: IntArray) -> int:
        """Images of a map, or of a frame."""
        return (len(x) - SLACK) // self.place.image if self.framed else len(x)

    def flat(self, x: IntArray) -> IntArray:
        """A flat buffer with a map, or a frame; the map's own memory where it lies like that."""
        if self.framed:
            return x
        place = self.place
        if (
            isinstance(place, Plain)
            and x.flags.c_contiguous
            and (self.free or x.dtype == place.dtype)
        ):
            return x.reshape(-1)
        buffer = place.empty(len(x))
        place.fill(buffer, x)
        return buffer


class Native(ABC):
    """A kernel that says where it reads and writes, so that a flow may call it without Python.

    Attributes:
        reads: how each of the maps that it reads lies in memory.
        target: how the map that it writes does.
    """

    def __init__(self, reads: tuple[Read, ...], target: Place) -> None:
        self.reads, self.target = reads, target

    @abstractmethod
    def task(self, sources: Buffers, target: IntArray) -> Task | None:
        """The work from flat buffers to another; None where only `compute` does it."""

    def compute(self, sources: Buffers, target: IntArray, images: int) -> None:
        """The work from flat buffers to another, on this thread."""
        task = self.task(sources, target)
        assert task is not None  # who has none overrides this
        compute(task, images)

    def __call__(self, *maps: IntArray) -> IntArray:
        """On its own, as every kernel: maps or frames to a map or a frame."""
        images = self.reads[0].count(maps[0])
        sources = tuple(read.flat(x) for read, x in zip(self.reads, maps, strict=True))
        y = self.target.empty(images)
        self.compute(sources, y, images)
        return self.target.view(y, images)
