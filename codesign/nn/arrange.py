"""Maps rearranged: reordered, joined, cut, copied. Wiring, without parameters or arithmetic.

Axes are counted as in the program, without the batch: axis 0 holds the channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class Transpose(Layer):
    """Axes in another order: `Transpose(1, 0)` makes a clip's channels x frames a sequence."""

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """N x ... codes with the axes reordered."""
        return x.permute(0, *(axis + 1 for axis in self.axes))

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `transpose` node."""
        return builder.node(name, "transpose", [x], axes=self.axes)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.axes))


class Reshape(Layer):
    """Elements in row-major order in another shape (no batch axis): a state as a sequence."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """The same codes."""
        return x.reshape(len(x), *self.shape)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `reshape` node."""
        return builder.node(name, "reshape", [x], shape=self.shape)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))


class Concat(Layer):
    """Two maps one after the other along `axis`."""

    arity = (2,)

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Codes of `a`, then those of `b`."""
        return torch.cat([a, b], self.axis + 1)

    def lower(self, builder: GraphBuilder, name: str, a: str, b: str) -> str:
        """One `concat` node."""
        return builder.node(name, "concat", [a, b], axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class Repeat(Layer):
    """`times` copies one after the other along `axis`: channels double with 2 (1-heq.md 4.5)."""

    def __init__(self, times: int = 2, axis: int = 0) -> None:
        super().__init__()
        self.times, self.axis = times, axis

    def forward(self, x: Tensor) -> Tensor:
        """The copies."""
        return torch.cat([x] * self.times, self.axis + 1)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `repeat` node."""
        return builder.node(name, "repeat", [x], times=self.times, axis=self.axis)

    def extra_repr(self) -> str:
        return f"times={self.times}, axis={self.axis}"


class Slice(Layer):
    """Indices `start`, `start + step`, ... below `stop` of `axis`; one frame, the last state."""

    def __init__(self, start: int, stop: int, step: int = 1, axis: int = 0) -> None:
        super().__init__()
        self.start, self.stop, self.step, self.axis = start, stop, step, axis

    def forward(self, x: Tensor) -> Tensor:
        """The part, of the same rank."""
        index = [slice(None)] * (self.axis + 1) + [slice(self.start, self.stop, self.step)]
        return x[tuple(index)]

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `slice` node."""
        attrs = {"axis": self.axis, "start": self.start, "stop": self.stop, "step": self.step}
        return builder.node(name, "slice", [x], **attrs)

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}, step={self.step}, axis={self.axis}"
