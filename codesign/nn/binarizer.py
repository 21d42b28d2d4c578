"""Binarizers: bits from the real features of any backbone, the host's side of a binary memory.

They make a latent vector that a program reads as bits; they are no part of the program, because
what they read is real (6-gbm.md 1, 4.1). The gradient is the clipped straight-through one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from codesign.errors import CodesignError


class _Step(torch.autograd.Function):
    """`1 if x > 0 else 0`; gradient 1 where `|x| <= 1`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x.abs() <= 1, grad, 0.0)


def _step(x: Tensor) -> Tensor:
    result: Tensor = _Step.apply(x)  # type: ignore[no-untyped-call]
    return result


def _need_features(layer: nn.Module, x: Tensor, features: int) -> None:
    if x.dim() != 2 or x.shape[1] != features:
        raise CodesignError(
            f"{type(layer).__name__}: the input has shape {tuple(x.shape)}; give N x {features}"
        )


class HeavisideBinarizer(nn.Module):
    """One bit a feature: `z = 1[BN(f) > 0]`, N x features -> N x features bits 0 and 1.

    The batch normalization centres each feature in base training (6-gbm.md 4.1, design choice).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = self.bits = features
        self.norm = nn.BatchNorm1d(features)

    def forward(self, x: Tensor) -> Tensor:
        """Bits in x's dtype."""
        _need_features(self, x, self.features)
        return _step(self.norm(x))


class ThermometerBinarizer(nn.Module):
    """`levels` bits a feature: `z_dj = 1[f_d > tau_dj]`, N x features -> N x (features levels).

    `fit` takes the thresholds, each feature's quantiles j / (levels + 1) over base training, which
    then stay. With `positive` they are quantiles of the values above 0: features behind a ReLU are
    often exactly 0 (6-gbm.md 4.1, design choice). The bits of a feature are side by side, its
    least threshold first. The gradient is measured in the spread of each feature.
    """

    thresholds: Tensor
    spread: Tensor

    def __init__(self, features: int, levels: int = 4, positive: bool = False) -> None:
        super().__init__()
        if levels < 1:
            raise CodesignError(f"ThermometerBinarizer: {levels} levels; give 1 or more")
        self.features, self.levels, self.positive = features, levels, positive
        self.bits = features * levels
        self.register_buffer("thresholds", torch.full((features, levels), torch.nan))
        self.register_buffer("spread", torch.ones(features))

    @torch.no_grad()
    def fit(self, values: Tensor) -> None:
        """Thresholds from N x features values of base training.

        Raises CodesignError for a feature without a value to take quantiles of.
        """
        _need_features(self, values, self.features)
        share = torch.arange(1, self.levels + 1, device=values.device) / (self.levels + 1)
        for number, feature in enumerate(values.float().T):
            kept = feature[feature > 0] if self.positive else feature
            if not len(kept):
                raise CodesignError(
                    f"ThermometerBinarizer: feature {number} has no value"
                    f"{' above 0' if self.positive else ''} to take quantiles of; "
                    "give more examples, or leave the feature out"
                )
            self.thresholds[number] = torch.quantile(kept, share.to(kept.dtype))
            deviation = float(kept.std(correction=0))
            self.spread[number] = deviation if deviation > 0 else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Bits in x's dtype; raises CodesignError before `fit`."""
        _need_features(self, x, self.features)
        if bool(self.thresholds.isnan().any()):
            raise CodesignError(
                "ThermometerBinarizer: has no thresholds yet; "
                "call fit with features of base training"
            )
        apart = (x[:, :, None] - self.thresholds) / self.spread[:, None]
        return _step(apart).flatten(1)


def bit_balance(bits: Tensor) -> Tensor:
    """`mean_i (mean_n z_ni - 1/2)^2`: 0 where each bit is set in half of the examples.

    A term of the loss in base training, weight 1e-2 (6-gbm.md 4.1, design choice).
    """
    return (bits.mean(0) - 0.5).square().mean()
