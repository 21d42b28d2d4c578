"""What every layer of this package shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder

#: float32 holds every integer of at most this magnitude.
EXACT = 1 << 24


class Layer(nn.Module):
    """A layer that knows its integer program.

    Values between layers are integers carried in float tensors: codes and accumulators, no scale.
    In training they may travel as bfloat16; in evaluation they are float32 and exact.
    """

    #: How many tensors a call may take; each is a value of the program.
    arity: ClassVar[tuple[int, ...]] = (1,)
    #: True: computes with floats, as the early stages of training do; such a layer has no program.
    relaxed: bool = False

    def lower(self, builder: GraphBuilder, name: str, *sources: Any, **nothing: Any) -> str:
        """Add this layer's nodes, the last one called `name`, reading the values `sources`.

        `sources` are names, one for each tensor of a call; a layer that takes one says `x`.
        Returns the name of the result. Raises CodesignError where the program cannot hold it.
        """
        raise NotImplementedError


def need_exact(layer: nn.Module, x: Tensor, bound: float) -> None:
    """In evaluation, CodesignError unless `x` is float32 and no result can pass `bound` < 2^24."""
    if layer.training:
        return
    kind = type(layer).__name__
    if x.dtype != torch.float32:
        raise CodesignError(
            f"{kind}: evaluation in {str(x.dtype).removeprefix('torch.')} does not hold all "
            "integers; give float32 inputs"
        )
    if not bound < EXACT:
        raise CodesignError(
            f"{kind}: accumulators can reach {bound:.0f}, float32 is exact below {EXACT}; "
            "use fewer input channels or levels"
        )
