"""What recurrent layers share: weights of all gates, the folded bias, the checks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn._bsn import round_through
from codesign.nn._surrogates import GATES, Gates
from codesign.nn.base import EXACT, Layer, need_exact
from codesign.nn.norm import MOMENTUM
from codesign.nn.weights import QuantizedWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder


class Recurrent(Layer):
    """Binary weights `feed` (of x) and `recurrent` (of h), and one integer bias a gate and unit.

    The bias is `round(beta * 2^e - m)`: `beta` is learned and `m` is the mean of `feed x` for the
    gate, over the batch and its steps in training, the running one in evaluation (as in
    `BitShiftNorm`; only what comes from x can be centred before the steps are taken). `2^e`, the
    unit of the gates' surrogates, comes from the fan-in: `e = round(log2(features + units) / 2)`,
    near the deviation of a sum of so many signs. Both are design choices.

    `gates` says how gates are computed: "smooth" and "hard" are for the early stages of training
    and have no program, "binary" is the program's; `slope` is that of the hard gates, and of the
    gradient of the binary ones.

    State: parameters `beta`, `feed.weight`, `recurrent.weight`; buffers `running_mean`, `batches`
    and those of the weights.
    """

    arity = (1, 2)
    #: Gates a unit, and the one whose bias begins at one half of full scale: memory first.
    rows: ClassVar[int]
    open_row: ClassVar[int]

    running_mean: Tensor
    batches: Tensor

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        if features < 1 or units < 1:
            raise CodesignError(
                f"{type(self).__name__}: {features} features and {units} units; give 1 or more"
            )
        self.features, self.units = features, units
        self.gates: Gates = "binary"
        self.slope = 1.0
        self.exponent = math.floor(math.log2(features + units) / 2 + 0.5)
        self.feed = QuantizedWeights((self.rows * units, features), 2)
        self.recurrent = QuantizedWeights((self.rows * units, units), 2)
        beta = torch.zeros(self.rows, units)
        beta[self.open_row] = 0.5
        self.beta = nn.Parameter(beta.flatten())
        self.register_buffer("running_mean", torch.zeros(self.rows * units))
        self.register_buffer("batches", torch.tensor(0))

    def use_gates(self, gates: Gates, slope: float = 1.0) -> None:
        """Compute gates so from now on; CodesignError for another name or a slope not above 0."""
        if gates not in GATES or not (math.isfinite(slope) and slope > 0):
            raise CodesignError(
                f"{type(self).__name__}: gates {gates!r} with slope {slope}; use "
                f"{', '.join(GATES)} with a slope above 0"
            )
        self.gates, self.slope = gates, slope
        self.relaxed = gates != "binary"

    def _fed(self, x: Tensor) -> Tensor:
        """N x T x F codes -> N x T x (rows * units): the sums without their recurrent part."""
        if x.dim() != 3 or x.shape[2] != self.features:
            raise CodesignError(
                f"{type(self).__name__}: the input has shape {tuple(x.shape)}; "
                f"give N x steps x {self.features}"
            )
        sums = functional.linear(x.float(), self.feed.quantized())
        mean = self.running_mean
        if self.training:
            mean = sums.mean((0, 1))
            self._follow(mean.detach())
        bias = round_through(self.beta * 2.0**self.exponent - mean)
        if not self.training:
            largest = float(x.abs().max()) * self.features + float(bias.detach().abs().max())
            need_exact(self, x, largest + self.units)
        return sums + bias

    def _state(self, x: Tensor, state: Tensor | None, begin: float) -> Tensor:
        """The packed state that is given, or that of a beginning."""
        if state is None:
            return x.new_full((len(x), self.units), begin, dtype=torch.float32)
        if state.shape != (len(x), self.units):
            raise CodesignError(
                f"{type(self).__name__}: the state has shape {tuple(state.shape)}; "
                f"give N x {self.units}, as many as inputs"
            )
        if self.relaxed:
            raise CodesignError(
                f"{type(self).__name__}: a state is codes, {self.gates} gates have none; "
                "carry states with binary gates only"
            )
        return state.float()

    @torch.no_grad()
    def _follow(self, mean: Tensor) -> None:
        keep = 0.0 if int(self.batches) == 0 else MOMENTUM
        self.running_mean.mul_(keep).add_(mean * (1 - keep))
        self.batches.add_(1)

    def bias(self) -> NDArray[np.int32]:
        """The integer bias of each gate and unit, gate by gate; CodesignError past 2^24."""
        with torch.no_grad():
            bias = quant.integer_bias(self.beta * 2.0**self.exponent, self.running_mean)
        if not float(bias.abs().max()) < EXACT:
            raise CodesignError(
                f"{type(self).__name__}: a bias is {float(bias.abs().max()):.0f}, float32 is exact "
                f"below {EXACT}; train with a smaller learning rate"
            )
        return bias.cpu().numpy().astype(np.int32)

    def _constants(self, builder: GraphBuilder, name: str) -> list[str]:
        """The constants of the node: weight, recurrent, bias."""
        from codesign.ir import IntType, code_set

        found = [
            builder.constant(f"{name}.{part}.weight", weights.codes(), code_set(2))
            for part, weights in (("feed", self.feed), ("recurrent", self.recurrent))
        ]
        values = self.bias()
        code_type = IntType(int(values.min()), int(values.max()))
        return [*found, builder.constant(f"{name}.bias", values, code_type)]

    def _begin(
        self, builder: GraphBuilder, name: str, x: str, state: str | None, begin: int
    ) -> str:
        """The name of the state: the one given, else a `fill` node."""
        if state is not None:
            return state
        return builder.node(f"{name}.state", "fill", [x], shape=(self.units,), code=begin)

    def extra_repr(self) -> str:
        return f"{self.features}, {self.units}"
