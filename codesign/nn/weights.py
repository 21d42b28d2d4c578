"""Weights quantized by histogram equalization, shared by convolution and linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn.base import Layer

#: Standard deviation of fresh latent weights (training facts).
INITIAL_DEVIATION = 0.5
#: Codes fit a signed byte.
MAX_LEVELS = 127
#: Training steps between two looks at the quantiles, and how much of the old step is kept.
STEP_PERIOD = 20
STEP_MOMENTUM = 0.9


class _Codes(torch.autograd.Function):
    """Codes of latent weights; the gradient passes where `|w| <= s * n/2` (1-heq.md 4.3)."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, step: float, levels: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.edge = quant.edge(step, levels)
        return quant.codes(weight, step, levels)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return torch.where(weight.abs() <= ctx.edge, grad, 0.0), None, None


class QuantizedWeights(Layer):
    """Latent float weights, their step, and the integer codes made of them.

    State: parameter `weight`, buffers `step` (scalar) and `step_age` (training forwards so far).
    The step follows the quantiles every 20 training forwards with momentum 0.9 until
    `freeze_step` is set (1-heq.md 4.2; training facts). While `relaxed` the weights are floats on
    the scale of the codes, `w / s` times their spacing.
    """

    step: Tensor
    step_age: Tensor

    def __init__(self, shape: tuple[int, ...], levels: int) -> None:
        super().__init__()
        quant.level_set(levels)
        if levels > MAX_LEVELS:
            raise CodesignError(
                f"{type(self).__name__}: levels is {levels}; give 2 to {MAX_LEVELS}"
            )
        if min(shape) < 1:
            raise CodesignError(f"weights of shape {shape} are empty; every size must be 1 or more")
        self.levels = levels
        self.freeze_step = False
        self.weight = nn.Parameter(torch.randn(shape) * INITIAL_DEVIATION)
        self.register_buffer("step", torch.tensor(1.0))
        self.register_buffer("step_age", torch.tensor(0))
        with torch.no_grad():
            if self.weight.numel() > 1:
                self.step.fill_(quant.step_from_quantiles(self.weight, levels))

    def quantized(self) -> Tensor:
        """Integer codes as float32, the shape of `weight`; differentiable (straight-through)."""
        if self.training and not self.freeze_step:
            self._follow_quantiles()
        if self.relaxed:
            return self.weight * (quant.level_set(self.levels)[2] / float(self.step))
        codes: Tensor = _Codes.apply(  # type: ignore[no-untyped-call]
            self.weight, float(self.step), self.levels
        )
        return codes

    @torch.no_grad()
    def _follow_quantiles(self) -> None:
        if int(self.step_age) % STEP_PERIOD == 0:
            wanted = quant.step_from_quantiles(self.weight.detach(), self.levels)
            self.step.mul_(STEP_MOMENTUM).add_(wanted * (1 - STEP_MOMENTUM))
        self.step_age.add_(1)

    @torch.no_grad()
    def clamp_latent(self) -> None:
        """Bring latent weights back inside `|w| <= s * n/2`, where their gradient passes."""
        reach = quant.edge(float(self.step), self.levels)
        self.weight.clamp_(-reach, reach)

    def codes(self) -> NDArray[np.int8]:
        """The integer codes, the shape of `weight`."""
        with torch.no_grad():
            codes = quant.codes(self.weight.detach(), float(self.step), self.levels)
        return codes.cpu().numpy().astype(np.int8)
