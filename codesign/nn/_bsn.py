"""Bit-shift normalization with its activation, as one differentiable step.

The plain functions are the definition; the compiled ones do the same in fewer passes over memory
(one for the statistics, one for the codes, two back).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codesign.nn import _kernels
from codesign.nn._maps import channels_last, pixel_view


@dataclass(frozen=True)
class Coding:
    """How a sum `x = A + B` becomes a code: `clip(floor(x * scale), 0, top) * spacing + offset`.

    The straight-through gradient is `slope` where `low <= x < high`, else 0. `top` None: no clip.
    """

    scale: float
    top: int | None
    spacing: int
    offset: int
    low: float
    high: float
    slope: float
    lift: int = 0  # added to x before scaling: sign's threshold is at 0, not above it

    def ramp(self, x: Tensor) -> Tensor:
        """The code without its floor: a line from the least code at `low` to the greatest."""
        if self.top is None:
            return x * self.scale
        share = (x - self.low) / (self.high - self.low)
        return share.clamp(0, 1) * (self.top * self.spacing) + self.offset


class _Plain(torch.autograd.Function):
    """Definition: codes of `x = A + B[c]`; `x` as float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, coding: Coding) -> Tensor:
        ctx.coding = coding
        ctx.save_for_backward(x)
        level = torch.floor((x + coding.lift) * coding.scale)
        if coding.top is not None:
            level = level.clamp(0, coding.top)
        return level * coding.spacing + coding.offset

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        coding: Coding = ctx.coding
        inside = (x >= coding.low) & (x < coding.high)
        return torch.where(inside, grad, 0.0) * coding.slope, None


class _RoundThrough(torch.autograd.Function):
    """`floor(x + 1/2)`; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.floor(x + 0.5)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


def round_through(x: Tensor) -> Tensor:
    """Round half up, with the straight-through gradient."""
    result: Tensor = _RoundThrough.apply(x)  # type: ignore[no-untyped-call]
    return result


def plain_codes(x: Tensor, bias: Tensor, coding: Coding) -> Tensor:
    """Codes of `x + bias[c]` for x of shape N x C x ..., in x's dtype."""
    total = x.float() + bias.reshape(-1, *[1] * (x.dim() - 2))
    result: Tensor = _Plain.apply(total, coding)  # type: ignore[no-untyped-call]
    return result.to(x.dtype)


def plain_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance per channel, float32, differentiable mean."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    wide = x.float()
    mean = wide.mean(axes)
    with torch.no_grad():
        variance = (wide - mean.reshape(-1, *[1] * (x.dim() - 2))).square().mean(axes)
    return mean, variance


def fused_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance per channel of a channels-last map, float32, without gradient."""
    view = pixel_view(x)
    totals = np.empty((_kernels.BLOCKS, view.shape[1]), np.float32)
    squares = np.empty_like(totals)
    _kernels.sums(view, totals, squares)
    mean = totals.sum(axis=0, dtype=np.float64) / len(view)
    variance = squares.sum(axis=0, dtype=np.float64) / len(view) - mean * mean
    return (
        torch.from_numpy(mean.astype(np.float32)),
        torch.from_numpy(np.maximum(variance, 0).astype(np.float32)),
    )


class _Fused(torch.autograd.Function):
    """Codes of `x + bias[c]` where `bias` was made with the batch mean of `x`.

    `centre` says how the mean depends on x: "channel", "layer", or "none" (a constant).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, coding: Coding, centre: str) -> Tensor:
        ctx.coding, ctx.centre = coding, centre
        ctx.save_for_backward(x, bias)
        out = torch.empty_like(x)
        _kernels.quantize(
            pixel_view(x),
            (bias.detach() + coding.lift).numpy(),
            np.float32(coding.scale),
            np.float32(coding.top),
            np.float32(coding.spacing),
            np.float32(coding.offset),
            pixel_view(out),
        )
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, bias = ctx.saved_tensors
        coding: Coding = ctx.coding
        rows, offsets, incoming = pixel_view(x), bias.numpy(), pixel_view(channels_last(grad))
        low, high = np.float32(coding.low), np.float32(coding.high)
        totals = np.empty((_kernels.BLOCKS, rows.shape[1]), np.float32)
        _kernels.gate_sums(rows, offsets, low, high, incoming, totals)
        total = totals.sum(axis=0, dtype=np.float64)
        mean = total / len(rows)
        if ctx.centre == "layer":
            mean = np.full_like(mean, mean.mean())
        elif ctx.centre == "none":
            mean = np.zeros_like(mean)
        out = torch.empty_like(x)
        _kernels.gate(
            rows,
            offsets,
            low,
            high,
            incoming,
            mean.astype(np.float32),
            np.float32(coding.slope),
            pixel_view(out),
        )
        return out, torch.from_numpy((total * coding.slope).astype(np.float32)), None, None


def fused_codes(x: Tensor, bias: Tensor, coding: Coding, centre: str) -> Tensor:
    """As `plain_codes` for a channels-last map; the mean's gradient is part of x's gradient."""
    result: Tensor = _Fused.apply(x, bias, coding, centre)  # type: ignore[no-untyped-call]
    return result
