"""Native kernels: one map to one map by a task, on buffers that may be given."""

from __future__ import annotations

from abc import ABC, abstractmethod

from codesign.engine._numba.frames import Place
from codesign.engine._numba.packed import SLACK
from codesign.engine._numba.tasks import Task, compute
from codesign.ir import IntArray


class Native(ABC):
    """A kernel that says where it reads and writes, so that a flow may call it without Python.

    Attributes:
        source, target: how the map that it reads, and the one that it writes, lie in memory.
        framed: whether the map that it reads comes in the frame `source`.
    """

    def __init__(self, source: Place, target: Place, framed: bool = False) -> None:
        self.source, self.target, self.framed = source, target, framed

    @abstractmethod
    def task(self, source: IntArray, target: IntArray) -> Task | None:
        """The work from one flat buffer to another; None where only `compute` does it."""

    def compute(self, source: IntArray, target: IntArray, images: int) -> None:
        """The work from one flat buffer to another, on this thread."""
        task = self.task(source, target)
        assert task is not None  # who has none overrides this
        compute(task, images)

    def __call__(self, x: IntArray) -> IntArray:
        """On its own, as every kernel: a map or a frame to a map or a frame."""
        if self.framed:
            images, flat = (len(x) - SLACK) // self.source.image, x
        else:
            images, flat = len(x), self.source.empty(len(x))
            self.source.fill(flat, x)
        y = self.target.empty(images)
        self.compute(flat, y, images)
        return self.target.view(y, images)
