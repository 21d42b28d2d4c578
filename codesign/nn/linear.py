"""Fully connected layer with quantized weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn.base import need_exact
from codesign.nn.quantizers import QuantizerName
from codesign.nn.weights import QuantizedWeights

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class QuantLinear(QuantizedWeights):
    """Linear layer: N x cin integers -> N x cout integer accumulators, `levels` weight levels.

    Always computed in float32: its inputs may be sums that bfloat16 does not hold.
    """

    def __init__(
        self, cin: int, cout: int, levels: int = 3, quantizer: QuantizerName = "heq"
    ) -> None:
        super().__init__((cout, cin), levels, quantizer)
        self.cin, self.cout = cin, cout

    def forward(self, x: Tensor) -> Tensor:
        """Accumulators, float32."""
        if x.dim() != 2 or x.shape[1] != self.cin:
            raise CodesignError(
                f"{type(self).__name__}: the input has shape {tuple(x.shape)}; give N x {self.cin}"
            )
        codes = self.quantized()
        if not self.training:
            largest = float(x.abs().max())
            need_exact(self, x, largest * float(codes.detach().abs().sum(1).max()))
        return functional.linear(x.float(), codes)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `linear` node with its weight constant."""
        from codesign.ir import code_set

        weight = builder.constant(f"{name}.weight", self.codes(), code_set(self.levels))
        return builder.node(name, "linear", [x, weight])

    def extra_repr(self) -> str:
        return f"{self.cin}, {self.cout}, levels={self.levels}"
