"""Layer-shared bit-shift normalization with an integer bias per channel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn._bsn import (
    Coding,
    fused_codes,
    fused_moments,
    plain_codes,
    plain_moments,
    round_through,
)
from codesign.nn._maps import channels_last, fusable
from codesign.nn.activations import HWMSB, Activation, Heaviside, Sign
from codesign.nn.base import EXACT, Layer, need_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder

#: How the accumulator's mean is removed: one per channel, one for the layer, not at all.
MEANS = ("channel", "layer", "none")
#: How much of the running mean and variance is kept at each training step.
MOMENTUM = 0.9


class BitShiftNorm(Layer):
    """`activation((A + B_c) >> b)`: bit-shift normalization (2-nqe.md 4.2, design choice).

    Maps N x channels x ... integer accumulators to codes. One shift `b` for the layer, from the
    running variance of A; one integer bias a channel, `B_c = round(beta_c * 2^e - m_c)`, where
    `2^e` is the layer's full scale (near `kappa` sigma), `beta_c` is learned and `m_c` is the mean
    of A: the batch's in training, the running one in evaluation. `shift` fixes `b`; else
    `b = max(0, e - k)` with the activation's k bits. The default activation is `HWMSB(bits)`; with
    `activation` None the result is `(A + B_c) >> b` itself, for an activation of k = `bits` that
    stands alone after it.

    State: parameter `beta`; buffers `running_mean` (channels), `running_variance` (scalar),
    `exponent` (e), `batches`. `freeze_shift` keeps e, `freeze_mean` uses and keeps the running
    mean. `fused` False takes the plain torch path, which is the definition. While `relaxed` the
    codes are floats: the activation's ramp, which its step or its levels then replace.

    Raises CodesignError for an unknown `mean`, a `kappa` not above 0, a shift outside 0..31.
    """

    running_mean: Tensor
    running_variance: Tensor
    exponent: Tensor
    batches: Tensor

    def __init__(
        self,
        channels: int,
        activation: Activation | Literal["hwmsb"] | None = "hwmsb",
        kappa: float = 2.0,
        mean: str = "channel",
        shift: int | None = None,
        bits: int = 2,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if activation == "hwmsb":
            activation = HWMSB(bits)
        if activation is not None and not isinstance(activation, Activation):
            raise CodesignError(
                f"BitShiftNorm: activation is {activation!r}; give HWMSB(bits), Saturate(bits), "
                "Heaviside(), Sign() or None"
            )
        if not 1 <= bits <= 8:
            raise CodesignError(f"BitShiftNorm: bits is {bits}; give 1 to 8")
        if mean not in MEANS:
            raise CodesignError(f"BitShiftNorm: mean {mean!r} is unknown; use {', '.join(MEANS)}")
        if not (math.isfinite(kappa) and kappa > 0):
            raise CodesignError(f"BitShiftNorm: kappa is {kappa}; give a number above 0")
        if shift is not None and not 0 <= shift <= 31:
            raise CodesignError(
                f"BitShiftNorm: shift is {shift}; give 0 to 31, or None to learn it"
            )
        self.channels, self.activation, self.kappa = channels, activation, kappa
        self.mean, self.fixed_shift, self.fused = mean, shift, fused
        self.bits = activation.bits if activation else bits
        self.freeze_shift = False
        self.freeze_mean = False
        if activation is not None:
            start = activation.start
        else:  # an HWMSB that follows starts in the middle, scores of fixed shift at their mean
            start = HWMSB.start if shift is None else 0.0
        self.beta = nn.Parameter(torch.full((channels,), start))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.tensor(1.0))
        self.register_buffer("exponent", torch.tensor(0))
        self.register_buffer("batches", torch.tensor(0))

    @property
    def shift(self) -> int:
        """The shift `b` in force."""
        if isinstance(self.activation, (Heaviside, Sign)):
            return 0  # their threshold is at 0, which no shift moves
        if self.fixed_shift is not None:
            return self.fixed_shift
        return quant.shift_for(int(self.exponent), self.bits)

    @property
    def full_scale(self) -> float:
        """`2^e`, not below what the codes span: the unit of `beta`."""
        return 2.0 ** max(int(self.exponent), self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """Codes, same shape and dtype as `x`."""
        if x.dim() < 2 or x.shape[1] != self.channels:
            raise CodesignError(
                f"BitShiftNorm: the input has shape {tuple(x.shape)}; "
                f"give N x {self.channels} x ..."
            )
        fused = self.fused and self.activation is not None and fusable(x)
        if fused:
            x = channels_last(x)
        mean, centre = self.running_mean, "none"
        if self.training:
            batch_mean, variance = fused_moments(x) if fused else plain_moments(x)
            self._follow(batch_mean.detach(), variance)
            if self.mean != "none" and not self.freeze_mean:
                mean = batch_mean if self.mean == "channel" else batch_mean.mean().expand_as(mean)
                centre = self.mean
        bias = round_through(self.beta * self.full_scale - mean)
        if not self.training:
            largest = float(x.abs().max()) + float(bias.detach().abs().max())
            need_exact(self, x, largest)
        coding = self._coding()
        if self.relaxed:
            offsets = bias.reshape(-1, *[1] * (x.dim() - 2))
            return coding.ramp(x.float() + offsets).to(x.dtype)
        if fused:
            return fused_codes(x, bias, coding, centre)
        return plain_codes(x, bias, coding)

    def _coding(self) -> Coding:
        if self.activation is not None:
            return self.activation.coding(int(math.log2(self.full_scale)), self.shift)
        slope = 2.0**-self.shift
        return Coding(slope, None, 1, 0, low=-math.inf, high=math.inf, slope=slope)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, then the full scale."""
        first = int(self.batches) == 0
        keep = 0.0 if first else MOMENTUM
        if not self.freeze_mean and self.mean != "none":
            target = mean if self.mean == "channel" else mean.mean().expand_as(mean)
            self.running_mean.mul_(keep).add_(target * (1 - keep))
        spread = variance.mean()
        if self.mean == "layer":
            spread = spread + (mean - mean.mean()).square().mean()
        elif self.mean == "none":
            spread = spread + mean.square().mean()
        self.running_variance.mul_(keep).add_(spread * (1 - keep))
        self.batches.add_(1)
        variance_now = float(self.running_variance)
        if self.freeze_shift or not variance_now > 0:
            return  # a constant map (all-zero codes) has no scale; keep the last one
        current = None if first else int(self.exponent)
        self.exponent.fill_(quant.full_scale_exponent(math.sqrt(variance_now), self.kappa, current))

    def bias(self) -> NDArray[np.int32]:
        """The integer bias per channel of the evaluated layer; CodesignError past 2^24."""
        with torch.no_grad():
            bias = quant.integer_bias(self.beta * self.full_scale, self.running_mean)
        if not float(bias.abs().max()) < EXACT:
            raise CodesignError(
                f"BitShiftNorm: a bias is {float(bias.abs().max()):.0f}, float32 is exact below "
                f"{EXACT}; train with smaller accumulators"
            )
        return bias.cpu().numpy().astype(np.int32)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """A `bit_shift_norm` node, and the activation's node (called `name`) after it."""
        from codesign.ir import IntType

        values = self.bias()
        code_type = IntType(int(values.min()), int(values.max()))
        bias = builder.constant(f"{name}.bias", values, code_type)
        own = name if self.activation is None else f"{name}.sum"
        shifted = builder.node(own, "bit_shift_norm", [x, bias], shift=self.shift)
        if self.activation is None:
            return shifted
        return self.activation.lower(builder, name, shifted)

    def extra_repr(self) -> str:
        return f"{self.channels}, kappa={self.kappa}, mean={self.mean!r}, shift={self.shift}"
