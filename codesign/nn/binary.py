"""Fully binary layers: weights and activations of one bit, no batch normalization.

A layer computes `sign(A + B)`, with A the sum of fan-in products of +/-1 and B an optional integer
bias. In training the pre-activation is `K (A + B)` with `K = 1 / sqrt(fan-in)`, set by the topology
(5-fbnn.md 1, slides); K is positive, so the program has no trace of it (4.2, design choice).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn._bsn import round_through
from codesign.nn.base import EXACT
from codesign.nn.conv import QuantConv2d, Sizes
from codesign.nn.linear import QuantLinear
from codesign.nn.weights import QuantizedWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder


class _Sign(torch.autograd.Function):
    """`sign(x)` with sign(0) = +1; gradient `K max(0, 1 - |K x|)`, a triangle (5-fbnn.md 4.2)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: float) -> Tensor:
        ctx.gain = gain
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        slope = (1 - (x * ctx.gain).abs()).clamp_min(0) * ctx.gain
        return grad * slope, None


def triangular_sign(x: Tensor, gain: float) -> Tensor:
    """`sign(x)`, +/-1 in x's dtype, whose gradient is that of a triangle of half width 1/gain."""
    result: Tensor = _Sign.apply(x, gain)  # type: ignore[no-untyped-call]
    return result


def balanced_proxies(outputs: int, fan_in: int) -> Tensor:
    """Fresh proxies in [-1, 1], outputs x fan-in: half of each row's signs are +1, half -1.

    The OR of a pool leaves seven codes in eight at +1. Without normalization a row of unbalanced
    signs turns that mean into a constant sign; a balanced one does not see it (design choice:
    the first 270 steps on digits reach 46 % instead of 38 %).
    """
    place = torch.rand(outputs, fan_in).argsort(1)
    odd = (torch.rand(outputs, 1) < 0.5) & (fan_in % 2 == 1)
    signs = torch.where(place < fan_in // 2 + odd.long(), 1.0, -1.0)
    return torch.rand(outputs, fan_in) * signs


class _Binary(QuantizedWeights):
    """What binary layers share: sign weights, gain, bias, activation.

    Weights are `sign(w)` of proxies in [-1, 1] with the clipped straight-through gradient: the two
    levels of histogram equalization at a step that stays 1. The bias is `round(beta / K)`, so that
    `beta` is learned on the pre-activation's scale.
    """

    beta: nn.Parameter | None

    def _start(self, bias: bool, activation: bool) -> None:
        self.activation = activation
        self.beta = nn.Parameter(torch.zeros(self.weight.shape[0])) if bias else None
        with torch.no_grad():
            fresh = balanced_proxies(self.weight.shape[0], self.fan_in)
            self.weight.copy_(fresh.view_as(self.weight))
            self.step.fill_(1.0)

    def _follow_quantiles(self) -> None:
        """The step stays 1: sign has one threshold, at 0, and the proxies stay in [-1, 1]."""

    @property
    def fan_in(self) -> int:
        """Products of one sum: cin / groups times the window, padding included."""
        return self.weight[0].numel()

    @property
    def gain(self) -> float:
        """K, what scales a sum of this fan-in of random signs to variance 1."""
        return 1 / math.sqrt(self.fan_in)

    def bias(self) -> NDArray[np.int32] | None:
        """The integer bias of each output; None without. CodesignError past 2^24."""
        if self.beta is None:
            return None
        with torch.no_grad():
            bias = torch.floor(self.beta / self.gain + 0.5)
        if not float(bias.abs().max()) < EXACT - self.fan_in:
            raise CodesignError(
                f"{type(self).__name__}: a bias is {float(bias.abs().max()):.0f}, float32 is exact "
                f"below {EXACT}; train with a smaller rate"
            )
        return bias.cpu().numpy().astype(np.int32)

    def _finish(self, total: Tensor) -> Tensor:
        """From sums (N x outputs x ...) to codes, or to biased sums without activation."""
        if self.beta is not None:
            if self.training:
                bias = round_through(self.beta / self.gain)
            else:
                bias = torch.from_numpy(self.bias()).to(total.device, torch.float32)
            # in bfloat16 a bias could be lost beside the sum, and the sign with it
            total = total.float() + bias.reshape(-1, *[1] * (total.dim() - 2))
        return triangular_sign(total, self.gain) if self.activation else total

    def _lower_rest(self, builder: GraphBuilder, name: str, x: str, code: str = "") -> str:
        """The nodes behind the sums: the bias as a normalization without shift, then the sign.

        The sign is called `code` where that is given, else `name`.
        """
        from codesign.ir import IntType

        bias = self.bias()
        if bias is not None:
            code_type = IntType(int(bias.min()), int(bias.max()))
            stored = builder.constant(f"{name}.bias", bias, code_type)
            own = f"{name}.biased" if self.activation else name
            x = builder.node(own, "bit_shift_norm", [x, stored], shift=0)
        return builder.node(code or name, "sign", [x]) if self.activation else x

    def _sum_name(self, name: str) -> str:
        return f"{name}.sum" if self.activation or self.beta is not None else name


class BinaryConv2d(_Binary, QuantConv2d):
    """Binary convolution: N x cin x H x W codes +/-1 -> N x cout x H' x W' codes +/-1.

    `activation` False gives the integer sums instead. Taps outside the map read `pad_code`: there
    is no zero in {-1, +1}, so -1, which counts in the fan-in (5-fbnn.md 4.2, design choice).
    `groups = cin` is depth-wise. `pool` > 1 takes the OR of windows pool x pool of the codes, a
    whole one each; in training its gradient goes to the largest sum of the window, not to any bit
    that is set (design choice: the values are the same, and on digits 72 % instead of 52 % are
    right after 270 steps). Errors: as `QuantConv2d`, and a pool without activation.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        groups: int = 1,
        bias: bool = False,
        activation: bool = True,
        pad_code: int = -1,
        pool: int = 1,
    ) -> None:
        super().__init__(cin, cout, kernel, stride, padding, groups, levels=2, pad_code=pad_code)
        self._start(bias, activation)
        if pool < 1 or (pool > 1 and not activation):
            raise CodesignError(
                f"{type(self).__name__}: pool is {pool} {'with' if activation else 'without'} "
                "activation; give 1 or more, and 1 without"
            )
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Codes (float32 where there is a bias, else x's dtype)."""
        total = super().forward(x)
        if self.pool > 1:
            if min(total.shape[2:]) < self.pool:
                raise CodesignError(
                    f"{type(self).__name__}: pool {self.pool} is larger than the map "
                    f"{' x '.join(map(str, total.shape[2:]))}; use a smaller one"
                )
            # the greatest sum has the greatest sign, whatever the bias of its channel
            total = functional.max_pool2d(total, self.pool)
        return self._finish(total)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """A `conv` node, a `bit_shift_norm` for the bias, a `sign`, a `max_pool` for the OR."""
        total = super().lower(builder, self._sum_name(name), x)
        if self.pool == 1:
            return self._lower_rest(builder, name, total)
        bits = self._lower_rest(builder, name, total, code=f"{name}.code")
        window = (self.pool, self.pool)
        return builder.node(name, "max_pool", [bits], kernel=window, stride=window)


class LGAP(BinaryConv2d):
    """Learnable global average pooling: a majority vote of each channel's map with learned signs.

    A depth-wise window as large as the map, then sign: N x channels x H x W codes +/-1 ->
    N x channels x 1 x 1 (5-fbnn.md 4.2, design choice: the paper's definition is not at hand).
    Raises CodesignError for a map of another size.
    """

    def __init__(self, channels: int, size: tuple[int, int], bias: bool = False) -> None:
        super().__init__(channels, channels, size, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """One vote a channel."""
        if tuple(x.shape[2:]) != self.kernel:
            wanted = " x ".join(map(str, self.kernel))
            raise CodesignError(
                f"LGAP: the input has shape {tuple(x.shape)}; give N x {self.cin} x {wanted}"
            )
        return super().forward(x)


class BinaryLinear(_Binary, QuantLinear):
    """Binary dense layer: N x cin codes +/-1 -> N x cout codes +/-1, or sums without activation."""

    def __init__(self, cin: int, cout: int, bias: bool = False, activation: bool = True) -> None:
        super().__init__(cin, cout, levels=2)
        self._start(bias, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Codes or sums, float32."""
        return self._finish(super().forward(x))

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """A `linear` node, a `bit_shift_norm` for the bias, a `sign` called `name`."""
        return self._lower_rest(builder, name, super().lower(builder, self._sum_name(name), x))
