"""The select of a MUX residual: one bit a channel from the channel's own mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn.base import Layer, need_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder

#: Where the bits of a clip come from: the whole of it, each frame, the frame before.
MODES = ("clip", "frame", "causal")
Mode = Literal["clip", "frame", "causal"]
#: Derivatives that stand for the step's, by the distance of the mean from the threshold.
SURROGATES = ("sigmoid", "triangle", "none")
Surrogate = Literal["sigmoid", "triangle", "none"]


def _soften(distance: Tensor, surrogate: Surrogate) -> Tensor:
    """The step without its jump: the integral of the surrogate, 0 to 1."""
    if surrogate == "triangle":
        inside = distance.clamp(-0.5, 0.5)
        return 0.5 + 2 * inside - 2 * inside * inside.abs()
    return torch.sigmoid(4 * distance)


class _Step(torch.autograd.Function):
    """`1 if sum > theta else 0`; `share` is the threshold as a share of `full`, the greatest sum.

    The gradient sees `mean = sum / full` and `d = mean - share`: sigmoid(4 d), or the triangle
    `2 max(0, 1 - 2|d|)` on half of full scale around the threshold.
    """

    @staticmethod
    def forward(
        ctx: Any, total: Tensor, share: Tensor, theta: Tensor, full: int, surrogate: str
    ) -> Tensor:
        ctx.full, ctx.surrogate = full, surrogate
        ctx.save_for_backward(total, share)
        return (total > theta).to(total.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        if ctx.surrogate == "none":
            return None, None, None, None, None
        total, share = ctx.saved_tensors
        distance = total / ctx.full - share
        if ctx.surrogate == "sigmoid":
            level = torch.sigmoid(4 * distance)
            slope = 4 * level * (1 - level)
        else:
            slope = 2 * (1 - 2 * distance.abs()).clamp_min(0)
        change = grad * slope
        return change / ctx.full, (-change).sum_to_size(share.shape), None, None, None


class TGAP(Layer):
    """`1 if sum x[c,...] > theta[c] else 0`: thresholded global sum (3-mognet.md 4.4).

    Takes N x C x H x W or N x C x T x H x W codes of `bits` bits and gives the bits that select in
    a `Mux`. `theta[c] = floor(threshold[c] * full scale)`, full scale the greatest sum
    `count * (2^bits - 1)`; the default threshold is one half. The modes of a clip
    (4-billnet.md 4.1):

    - "clip": one bit a channel, N x C; the whole map waits in a buffer;
    - "frame": one a channel and frame, N x C x T;
    - "causal": the bit of the frame before, 0 in the first, N x C x T; this one streams.

    `learned` makes the threshold a parameter, one a channel; the program holds the integers.
    Gradient on the mean: `surrogate` "sigmoid" of slope 4, "triangle", or "none". While `relaxed`
    the bits are floats, the curve of the surrogate itself.

    Raises CodesignError for an unknown mode or surrogate, a threshold outside 0..1, a frame mode
    without frames.
    """

    threshold: Tensor

    def __init__(
        self,
        channels: int,
        threshold: float = 0.5,
        mode: Mode = "clip",
        bits: int = 1,
        *,
        learned: bool = False,
        surrogate: Surrogate = "sigmoid",
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise CodesignError(f"TGAP: mode {mode!r} is unknown; use {', '.join(MODES)}")
        if surrogate not in SURROGATES:
            raise CodesignError(
                f"TGAP: surrogate {surrogate!r} is unknown; use {', '.join(SURROGATES)}"
            )
        if not 0 <= threshold <= 1:
            raise CodesignError(
                f"TGAP: threshold is {threshold}; give a share of full scale, 0 to 1"
            )
        if channels < 1 or not 1 <= bits <= 8:
            raise CodesignError(
                f"TGAP: {channels} channels of {bits} bits; give 1 or more, of 1 to 8 bits"
            )
        self.channels, self.mode, self.bits = channels, mode, bits
        self.learned, self.surrogate = learned, surrogate
        start = torch.full((channels,), float(threshold))
        if learned:
            self.threshold = nn.Parameter(start)
        else:
            self.register_buffer("threshold", start)

    def forward(self, x: Tensor) -> Tensor:
        """Bits, in x's dtype."""
        dims = (4, 5) if self.mode == "clip" else (5,)
        if x.dim() not in dims or x.shape[1] != self.channels:
            frames = "" if self.mode == "clip" else " x frames"
            raise CodesignError(
                f"TGAP: the input has shape {tuple(x.shape)}; "
                f"give N x {self.channels}{frames} x height x width"
            )
        full = self._full_scale(tuple(x.shape[1:]))
        if not self.training:
            need_exact(self, x, full)
        wide = x if x.dtype == torch.float64 else x.float()
        total = wide.sum(tuple(range(2 if self.mode == "clip" else 3, x.dim())))
        theta, share = torch.from_numpy(self.theta(tuple(x.shape[1:]))), self.threshold
        if self.mode != "clip":
            theta, share = theta.unsqueeze(1), share.unsqueeze(1)
        share = share.to(total.dtype)
        if self.relaxed:
            bits = _soften(total / full - share, self.surrogate)
        else:
            bits = _Step.apply(  # type: ignore[no-untyped-call]
                total, share, theta.to(total), full, self.surrogate
            )
        if self.mode == "causal":
            bits = torch.cat([torch.zeros_like(bits[:, :, :1]), bits[:, :, :-1]], dim=2)
        return bits.to(x.dtype)

    def theta(self, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """The integer threshold of each channel for maps of this shape (no batch axis)."""
        # a sum is an integer: above the floor of a number is above the number
        share = self.threshold.detach().cpu().numpy().astype(np.float64)
        return np.floor(np.clip(share, 0, 1) * self._full_scale(shape)).astype(np.int32)

    def _full_scale(self, shape: tuple[int, ...]) -> int:
        count = math.prod(shape[1:] if self.mode == "clip" else shape[2:])
        return count * ((1 << self.bits) - 1)

    def streaming(self) -> TGAP:
        """The layer of a program that is given one frame at a time: its bits are that frame's.

        A "frame" select uses them at once; a "causal" one carries them to the next frame. The
        threshold is shared. Raises CodesignError for "clip", whose bits come after the last frame.
        """
        if self.mode == "clip":
            raise CodesignError(
                'TGAP: mode "clip" needs the whole clip before its first bit, it cannot stream; '
                'use mode "causal" or "frame"'
            )
        layer = TGAP(
            self.channels, mode="frame", bits=self.bits, learned=self.learned,
            surrogate=self.surrogate,
        )  # fmt: skip
        layer.threshold = self.threshold
        return layer.train(self.training)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `tgap` node with its thresholds."""
        from codesign.ir import IntType

        values = self.theta(builder.value(x).shape)
        kind = IntType(int(values.min()), int(values.max()))
        theta = builder.constant(f"{name}.theta", values, kind)
        frames, delay = int(self.mode != "clip"), int(self.mode == "causal")
        return builder.node(name, "tgap", [x, theta], frames=frames, delay=delay)

    def extra_repr(self) -> str:
        return f"{self.channels}, mode={self.mode!r}, bits={self.bits}, learned={self.learned}"
