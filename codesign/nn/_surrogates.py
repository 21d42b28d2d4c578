"""Gates of recurrent layers: smooth, hard, or of one bit with the hard one's gradient.

`x` is the gate's sum over its scale. With the slope k the hard gates are
`clip((k*x + 1)/2, 0, 1)` for a sigmoid and `clip(k*x, -1, 1)` for a tanh (4-billnet.md 4.4).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

Gates = Literal["smooth", "hard", "binary"]
#: How gates are computed, from floats to the codes of the program.
GATES: tuple[Gates, ...] = get_args(Gates)


class _ValueOf(torch.autograd.Function):
    """The first tensor's values, the second's gradient; exact, unlike a sum of both."""

    @staticmethod
    def forward(ctx: Any, codes: Tensor, ramp: Tensor) -> Tensor:
        return codes

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


def value_of(codes: Tensor, ramp: Tensor) -> Tensor:
    """`codes`, whose gradient goes to `ramp`."""
    result: Tensor = _ValueOf.apply(codes, ramp)  # type: ignore[no-untyped-call]
    return result


def step_gate(x: Tensor, gates: Gates, slope: float) -> Tensor:
    """A sigmoid, its hard form, or `1[x > 0]`."""
    if gates == "smooth":
        return torch.sigmoid(x)
    ramp = ((slope * x + 1) / 2).clamp(0, 1)
    return ramp if gates == "hard" else value_of((x > 0).to(x.dtype), ramp)


def sign_gate(x: Tensor, gates: Gates, slope: float) -> Tensor:
    """A tanh, its hard form, or `1 if x >= 0 else -1`."""
    if gates == "smooth":
        return torch.tanh(x)
    ramp = (slope * x).clamp(-1, 1)
    return ramp if gates == "hard" else value_of(2 * (x >= 0).to(x.dtype) - 1, ramp)
