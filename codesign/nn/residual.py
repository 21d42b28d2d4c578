"""Residuals: two maps of codes merge into one, element by element.

The forward is the integer operation; the backward is that of an extension to real numbers, named
in each layer. While a layer is `relaxed` the forward is the extension too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from codesign.errors import CodesignError
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder

#: How a gate's gradient is made: that of its multilinear extension, or 1 to both inputs.
GRADIENTS = ("multilinear", "straight")
Gradient = Literal["multilinear", "straight"]


class _Gate(torch.autograd.Function):
    """The greater or the lesser of two bits, codes {low, 1}; low is 0 or -1.

    With p = (a - low) / (1 - low) the extension of OR is `p + q - pq`, that of AND `pq`.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, kind: str, low: int, gradient: str) -> Tensor:
        ctx.kind, ctx.low, ctx.gradient = kind, low, gradient
        if gradient == "multilinear":
            ctx.save_for_backward(a, b)
        return torch.maximum(a, b) if kind == "or" else torch.minimum(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        if ctx.gradient == "straight":
            return grad, grad, None, None, None
        a, b = ((code - ctx.low) / (1 - ctx.low) for code in ctx.saved_tensors)
        if ctx.kind == "or":
            return grad * (1 - b), grad * (1 - a), None, None, None
        return grad * b, grad * a, None, None, None


class _BitGate(Layer):
    """What the gates share: one-bit codes {0, 1}, or {-1, +1} where `bipolar`."""

    arity = (2,)
    _kind: ClassVar[str]

    def __init__(self, gradient: Gradient = "multilinear", *, bipolar: bool = False) -> None:
        super().__init__()
        kind = type(self).__name__
        if gradient not in GRADIENTS:
            raise CodesignError(
                f"{kind}: gradient {gradient!r} is unknown; use {' or '.join(GRADIENTS)}"
            )
        self.gradient, self.bipolar = gradient, bipolar

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Bits of the same shape."""
        _need_same_shape(self, a, b)
        low = -1 if self.bipolar else 0
        if self.relaxed:
            p, q = ((code - low) / (1 - low) for code in (a, b))
            joined = p + q - p * q if self._kind == "or" else p * q
            return joined * (1 - low) + low
        result: Tensor = _Gate.apply(  # type: ignore[no-untyped-call]
            a, b, self._kind, low, self.gradient
        )
        return result

    def lower(self, builder: GraphBuilder, name: str, a: str, b: str) -> str:
        """One `bit_or` or `bit_and` node."""
        return builder.node(name, f"bit_{self._kind}", [a, b])

    def extra_repr(self) -> str:
        return f"{self.gradient!r}, bipolar={self.bipolar}"


class BitOr(_BitGate):
    """`a | b` of one-bit codes: the OR residual (1-heq.md 4.5).

    The gradient is that of the extension `a + b - ab`, so `dy/da = 1 - b`; or "straight", 1 to
    both, that of the saturated sum `min(a + b, 1)` let through.
    """

    _kind = "or"


class BitAnd(_BitGate):
    """`a & b` of one-bit codes: opens or closes a skip (1-heq.md 4.5).

    The gradient is that of the extension `ab`, so `dy/da = b`; or "straight", 1 to both.
    """

    _kind = "and"


class Maximum(Layer):
    """`max(a, b)`: the OR residual of k-bit codes (1-heq.md 4.5, design choice).

    The gradient goes to the greater code, half to each where they are equal.
    """

    arity = (2,)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Codes of the same shape."""
        _need_same_shape(self, a, b)
        return torch.maximum(a, b)

    def lower(self, builder: GraphBuilder, name: str, a: str, b: str) -> str:
        """One `maximum` node."""
        return builder.node(name, "maximum", [a, b])


class _HalfSum(torch.autograd.Function):
    """`floor((a + b) / 2)` with the gradient of `(a + b) / 2`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        return torch.floor((a + b) * 0.5)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        half = grad * 0.5
        return half, half


class ShiftAdd(Layer):
    """`(a + b) >> 1`: the average of two maps, floor; k-bit codes stay k bits (3-mognet.md 4.4).

    The gradient is 1/2 to both.
    """

    arity = (2,)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Codes of the same shape."""
        _need_same_shape(self, a, b)
        if self.relaxed:
            return (a + b) * 0.5
        result: Tensor = _HalfSum.apply(a, b)  # type: ignore[no-untyped-call]
        return result

    def lower(self, builder: GraphBuilder, name: str, a: str, b: str) -> str:
        """One `shift_add` node."""
        return builder.node(name, "shift_add", [a, b])


class _Choice(torch.autograd.Function):
    """`a S + b (1 - S)`, the bit S spread over the last axes."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, select: Tensor) -> Tensor:
        each = select.reshape(*select.shape, *[1] * (a.dim() - select.dim()))
        ctx.save_for_backward(a, b, each)
        ctx.shape = select.shape
        return torch.where(each > 0, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, each = ctx.saved_tensors
        to_a = torch.where(each > 0, grad, 0.0)
        change = (grad * (a - b)).reshape(*ctx.shape, -1).sum(-1)
        return to_a, grad - to_a, change


class Mux(Layer):
    """`a` where the channel's bit of `select` is 1, else `b` (1-heq.md 4.5, 3-mognet.md 4.4).

    Takes a, b: N x C x ...; select: N x C, or N x C x T for a clip. The gradient is that of
    `a S + b (1 - S)`: to `a` where S is 1, to `b` where it is 0, and `sum (a - b) * gradient` to S.
    """

    arity = (3,)

    def forward(self, a: Tensor, b: Tensor, select: Tensor) -> Tensor:
        """Codes of the shape of `a`."""
        _need_same_shape(self, a, b)
        if select.dim() < 2 or select.shape != a.shape[: select.dim()]:
            raise CodesignError(
                f"Mux: select has shape {tuple(select.shape)}, a {tuple(a.shape)}; give one bit a "
                "channel, or one a channel and frame"
            )
        if self.relaxed:
            each = select.reshape(*select.shape, *[1] * (a.dim() - select.dim()))
            return a * each + b * (1 - each)
        result: Tensor = _Choice.apply(a, b, select)  # type: ignore[no-untyped-call]
        return result

    def lower(self, builder: GraphBuilder, name: str, a: str, b: str, select: str) -> str:
        """One `mux` node."""
        return builder.node(name, "mux", [a, b, select])


def _need_same_shape(layer: Layer, a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise CodesignError(
            f"{type(layer).__name__}: a has shape {tuple(a.shape)}, b {tuple(b.shape)}; "
            "make them equal"
        )
