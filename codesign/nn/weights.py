"""Latent weights and their integer codes, shared by convolution and linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn.base import Layer
from codesign.nn.quantizers import Btq, Heq, QuantizerName, quantizer

#: Standard deviation of fresh latent weights (training facts).
INITIAL_DEVIATION = 0.5
#: Codes fit a signed byte.
MAX_LEVELS = 127
#: Training steps between two looks at the quantiles, and how much of the old step is kept.
STEP_PERIOD = 20
STEP_MOMENTUM = 0.9


class _Codes(torch.autograd.Function):
    """Codes of latent weights; the gradient passes inside the edge (1-heq.md 4.3)."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, step: float, quantizer: Heq | Btq) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.edge = quantizer.edge(step)
        return quantizer.codes(weight, step)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return torch.where(weight.abs() <= ctx.edge, grad, 0.0), None, None


class QuantizedWeights(Layer):
    """Latent float weights, their step, and the integer codes made of them.

    State: parameter `weight`, buffers `step` (scalar) and `step_age` (training forwards so far).
    The step follows the quantiles every 20 training forwards with momentum 0.9 until
    `freeze_step` is set (1-heq.md 4.2; training facts). `quantizer` is "heq", or "btq" for
    balanced ternary codes of centred weights (3-mognet.md 4.5). While `relaxed` the weights are
    floats on the scale of the codes, `w / s` times their spacing.

    Raises CodesignError for an unknown quantizer, a number of levels that it has not, an empty
    shape.
    """

    step: Tensor
    step_age: Tensor

    def __init__(
        self, shape: tuple[int, ...], levels: int, quantizer_name: QuantizerName = "heq"
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        self.quantizer = quantizer(kind, quantizer_name, levels)
        if levels > MAX_LEVELS:
            raise CodesignError(f"{kind}: levels is {levels}; give 2 to {MAX_LEVELS}")
        if min(shape) < 1:
            raise CodesignError(f"weights of shape {shape} are empty; every size must be 1 or more")
        self.levels = levels
        self.freeze_step = False
        self.weight = nn.Parameter(torch.randn(shape) * INITIAL_DEVIATION)
        self.register_buffer("step", torch.tensor(1.0))
        self.register_buffer("step_age", torch.tensor(0))
        with torch.no_grad():
            if self.weight.numel() > 1:
                self._centre()
                self.step.fill_(self.quantizer.step(self.weight))

    def quantized(self) -> Tensor:
        """Integer codes as float32, the shape of `weight`; differentiable (straight-through)."""
        if self.training and not self.freeze_step:
            self._follow_quantiles()
        if self.relaxed:
            return self.weight * (quant.level_set(self.levels)[2] / float(self.step))
        codes: Tensor = _Codes.apply(  # type: ignore[no-untyped-call]
            self.weight, float(self.step), self.quantizer
        )
        return codes

    @torch.no_grad()
    def _follow_quantiles(self) -> None:
        self._centre()
        if int(self.step_age) % STEP_PERIOD == 0:
            wanted = self.quantizer.step(self.weight.detach())
            self.step.mul_(STEP_MOMENTUM).add_(wanted * (1 - STEP_MOMENTUM))
        self.step_age.add_(1)

    def _centre(self) -> None:
        if self.quantizer.centred:
            self.weight.sub_(self.weight.mean())

    @torch.no_grad()
    def clamp_latent(self) -> None:
        """Bring latent weights back inside the edge, where their gradient passes."""
        reach = self.quantizer.edge(float(self.step))
        self.weight.clamp_(-reach, reach)

    def codes(self) -> NDArray[np.int8]:
        """The integer codes, the shape of `weight`."""
        with torch.no_grad():
            codes = self.quantizer.codes(self.weight.detach(), float(self.step))
        return codes.cpu().numpy().astype(np.int8)
