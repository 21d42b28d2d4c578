"""Batch normalization and QReLU as integer thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn import _kernels
from codesign.nn._bsn import plain_moments
from codesign.nn._maps import channels_last, fusable, pixel_view
from codesign.nn.base import Layer, need_exact
from codesign.nn.norm import MOMENTUM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder

#: Added to a variance, so that a constant channel has a deviation.
EPSILON = 1e-5


class _Codes(torch.autograd.Function):
    """Codes of the accumulators `x`; the gradient goes to `y`, which they are codes of.

    It is `2^k - 1`, the codes of one unit of y, where `low <= y <= high`, else 0.
    """

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, x: Tensor, thresholds: Any, flip: Any, low: float, fused: bool
    ) -> Tensor:
        ctx.save_for_backward(y)
        ctx.low, ctx.slope = low, thresholds.shape[1]
        if not fused:
            levels, flips = (torch.from_numpy(part).to(x.device) for part in (thresholds, flip))
            return quant.count_thresholds(x, levels, flips)
        side = (1 - 2 * flip).astype(np.float32)
        out = torch.empty_like(x)
        levels = thresholds.astype(np.float32) * side[:, None]
        _kernels.count(pixel_view(x), levels, side, pixel_view(out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        (y,) = ctx.saved_tensors
        inside = (y >= ctx.low) & (y <= 1)
        return torch.where(inside, grad, 0.0) * ctx.slope, None, None, None, None, None


class ThresholdNorm(Layer):
    """`#{j : A >= T[c,j]}`: batch normalization and QReLU of `bits` bits in integer thresholds.

    Maps N x channels x ... integer accumulators to codes 0..2^bits - 1 (3-mognet.md 4.1; one bit
    is the Heaviside step `y > 0` of 1-heq.md 4.6). With `y = gamma (A - mean) / sigma + beta` the
    code is `clip(floor((2^k - 1) y + 1/2), 0, 2^k - 1)`; the thresholds are folded exactly, in
    training from the batch's mean and variance, in evaluation from the running ones. A channel
    whose gamma is below 0 flips the comparison.

    The gradient goes straight through the step to y: `2^k - 1` where `0 <= y <= 1`, for one bit 1
    where `|y| <= 1`, and through y to gamma, beta, A and its batch's statistics. For k > 1 gamma
    and beta start at 1/2, so that full scale is two deviations (design choice); `start` is another
    beta to start from.

    State: parameters `gamma`, `beta`; buffers `running_mean`, `running_variance`, `batches`.
    `freeze_statistics` uses and keeps the running ones. `fused` False takes the plain path. While
    `relaxed` the codes are floats: the line that the gradient is that of.
    """

    running_mean: Tensor
    running_variance: Tensor
    batches: Tensor

    def __init__(
        self, channels: int, bits: int = 1, fused: bool = True, start: float | None = None
    ) -> None:
        super().__init__()
        if channels < 1 or not 1 <= bits <= 8:
            raise CodesignError(
                f"ThresholdNorm: {channels} channels of {bits} bits; give 1 or more, of 1 to 8 bits"
            )
        self.channels, self.bits, self.fused = channels, bits, fused
        self.freeze_statistics = False
        self.gamma = nn.Parameter(torch.full((channels,), 1.0 if bits == 1 else 0.5))
        if start is None:
            start = 0.0 if bits == 1 else 0.5
        self.beta = nn.Parameter(torch.full((channels,), float(start)))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))
        self.register_buffer("batches", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """Codes, same shape and dtype as `x`."""
        if x.dim() < 2 or x.shape[1] != self.channels:
            raise CodesignError(
                f"ThresholdNorm: the input has shape {tuple(x.shape)}; "
                f"give N x {self.channels} x ..."
            )
        if not self.training:
            need_exact(self, x, float(x.abs().max()))
        fused = self.fused and fusable(x)
        if fused:
            x = channels_last(x)
        with torch.no_grad():
            mean, variance = self._statistics(x)
            thresholds, flip = self._fold(mean, variance)
        live = self.training and not self.freeze_statistics
        y = functional.batch_norm(
            x if x.dtype == torch.float64 else x.float(),
            None if live else mean.to(self.gamma.dtype),
            None if live else variance.to(self.gamma.dtype),
            self.gamma,
            self.beta,
            training=live,
            eps=EPSILON,
        )
        low = -1.0 if self.bits == 1 else 0.0
        if self.relaxed:
            share = (y.clamp(low, 1) - low) / (1 - low)
            return (share * ((1 << self.bits) - 1)).to(x.dtype)
        codes: Tensor = _Codes.apply(  # type: ignore[no-untyped-call]
            y, x.detach(), thresholds, flip, low, fused
        )
        return codes

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and variance in force, after a step of the running ones."""
        if not self.training or self.freeze_statistics:
            return self.running_mean, self.running_variance
        mean, variance = plain_moments(x)
        keep = 0.0 if int(self.batches) == 0 else MOMENTUM
        self.running_mean.mul_(keep).add_(mean * (1 - keep))
        self.running_variance.mul_(keep).add_(variance * (1 - keep))
        self.batches.add_(1)
        return mean, variance

    def _fold(self, mean: Tensor, variance: Tensor) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        gamma, beta, centre, spread = (
            part.detach().cpu().numpy().astype(np.float64)
            for part in (self.gamma, self.beta, mean, variance)
        )
        return quant.fold(gamma, beta, centre, np.sqrt(spread + EPSILON), self.bits)

    def thresholds(self) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Those of the evaluated layer: channels x (2^bits - 1) ascending, and the flips."""
        return self._fold(self.running_mean, self.running_variance)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `threshold` node, its thresholds no wider than what they are compared with."""
        from codesign.ir import IntType

        thresholds, flip = self.thresholds()
        kind, turned = builder.value(x).type, flip[:, None] == 1
        thresholds = np.clip(thresholds, kind.lo - turned, kind.hi + ~turned).astype(np.int32)
        span = IntType(int(thresholds.min()), int(thresholds.max()))
        levels = builder.constant(f"{name}.thresholds", thresholds, span)
        flips = builder.constant(f"{name}.flip", flip, IntType(0, 1))
        return builder.node(name, "threshold", [x, levels, flips])

    def extra_repr(self) -> str:
        return f"{self.channels}, bits={self.bits}"
