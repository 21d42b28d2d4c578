"""Between clips and sequences: one vector a frame, and its sum over the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from codesign.errors import CodesignError
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class FrameVectors(Layer):
    """A clip as a sequence: N x C x T x H x W -> N x T x (C H W), what a recurrent layer reads.

    N x C x T is a clip of one pixel.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The same codes; a vector holds channels, then rows, then columns."""
        if x.dim() < 3:
            raise CodesignError(
                f"FrameVectors: the input has shape {tuple(x.shape)}; give N x C x frames x ..."
            )
        return x.transpose(1, 2).flatten(2)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """A `transpose` node, before it or after it a `reshape` node where pixels are joined."""
        channels, frames, *sizes = builder.value(x).shape
        rest = tuple(range(2, 2 + len(sizes)))
        if not sizes:
            return builder.node(name, "transpose", [x], axes=(1, 0))
        moved = builder.node(f"{name}.frames", "transpose", [x], axes=(1, 0, *rest))
        pixels = builder.value(x).size // (channels * frames)
        return builder.node(name, "reshape", [moved], shape=(frames, channels * pixels))


class SequenceSum(Layer):
    """Sum over the steps: N x T x F codes -> N x F integers, float32; no division."""

    def forward(self, x: Tensor) -> Tensor:
        """Exact sums."""
        if x.dim() != 3:
            raise CodesignError(
                f"SequenceSum: the input has shape {tuple(x.shape)}; give N x steps x features"
            )
        return x.float().sum(1)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """Nodes `transpose`, `reshape` and, called `name`, `sum_pool`."""
        steps, features = builder.value(x).shape
        turned = builder.node(f"{name}.turned", "transpose", [x], axes=(1, 0))
        shape = (features, steps, 1)
        return builder.node(
            name, "sum_pool", [builder.node(f"{name}.map", "reshape", [turned], shape=shape)]
        )
