"""Where values come in: each input of a network goes through one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from codesign.errors import CodesignError
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class Input(Layer):
    """An input of this shape (no batch axis) and code set `lo..hi` in steps of `step`.

    What a program is given beside images, the state that a stream carries for one. Raises
    CodesignError for another shape, and in evaluation for values that are not codes of the set.
    """

    #: How messages name the codes.
    what = "codes"

    def __init__(self, shape: tuple[int, ...], lo: int, hi: int, step: int = 1) -> None:
        super().__init__()
        kind = type(self).__name__
        self.shape, self.codes = tuple(shape), (lo, hi, step)
        if min(self.shape, default=0) < 1:
            raise CodesignError(f"{kind}: shape {self.shape} is empty; give sizes of 1 or more")
        if hi < lo or step < 1 or (hi - lo) % step:
            raise CodesignError(
                f"{kind}: codes {lo} to {hi} in steps of {step} are no set; give lo <= hi that "
                "differ by a multiple of the step"
            )

    def forward(self, x: Tensor) -> Tensor:
        """`x` itself, checked."""
        kind = type(self).__name__
        if tuple(x.shape[1:]) != self.shape:
            wanted = " x ".join(map(str, self.shape))
            raise CodesignError(f"{kind}: the input has shape {tuple(x.shape)}; give N x {wanted}")
        if not self.training:
            lo, hi, step = self.codes
            place = (x - lo) / step
            good = (x >= lo) & (x <= hi) & (place == torch.floor(place))  # NaN fails all three
            if not bool(good.all()):
                each = "" if step == 1 else f" in steps of {step}"
                raise CodesignError(
                    f"{kind}: the input holds values that are not {self.what}; "
                    f"give integers {lo} to {hi}{each}"
                )
        return x

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """Nothing: the graph's input has the code set already."""
        return x

    def extra_repr(self) -> str:
        return f"{self.shape}, {self.codes}"


class ImageInput(Input):
    """An image of 8-bit pixels, N x channels x height x width, values 0..255, as it is.

    Raises CodesignError for another shape, and in evaluation for values that are not pixels.
    """

    what = "pixels"

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__((channels, height, width), 0, 255)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))


class ClipInput(Input):
    """A clip of 8-bit pixels, N x channels x frames x height x width, values 0..255, as it is.

    Raises CodesignError for another shape (a clip of another length, for one), and in evaluation
    for values that are not pixels.
    """

    what = "pixels"

    def __init__(self, channels: int, frames: int, height: int, width: int) -> None:
        super().__init__((channels, frames, height, width), 0, 255)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))


def network_inputs(network: torch.nn.Module) -> list[Input]:
    """The inputs of a network, in the order in which they were made."""
    return [module for module in network.modules() if isinstance(module, Input)]
