"""Activations: from sums to codes, alone or as the last part of a `BitShiftNorm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from codesign.errors import CodesignError
from codesign.nn._bsn import Coding, plain_codes
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class Activation(Layer):
    """What all activations share: codes of integers by a `Coding`, alone with shift 0."""

    #: Bits of a code above the shift; 0 where the threshold is at zero, whatever the shift.
    bits: int
    #: Where the learned bias starts, as a share of full scale.
    start: float

    def coding(self, exponent: int, shift: int) -> Coding:
        """The rule for sums whose full scale is `2^exponent`."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Codes of the integers in `x` (N x C x ...), same shape and dtype."""
        coding = self.coding(max(self.bits, 0), 0)
        if self.relaxed:
            return coding.ramp(x)
        return plain_codes(x, x.new_zeros(x.shape[1]).float(), coding)


class HWMSB(Activation):
    """`clip(x >> b, 0, 2^bits - 1)`: half-wave most-significant-bit (2-nqe.md 4.1).

    Alone the shift `b` is 0; inside a `BitShiftNorm` it is the layer's. The gradient is 1 inside
    the full scale `[0, 2^(b + bits))` and 0 outside (the shift floors).
    """

    start = 0.5

    def __init__(self, bits: int = 2) -> None:
        super().__init__()
        if not 1 <= bits <= 8:
            raise CodesignError(f"HWMSB: {bits} bits are no code; give 1 to 8")
        self.bits = bits

    def coding(self, exponent: int, shift: int) -> Coding:
        """Shift by `shift`, saturate at `2^(shift + bits)`."""
        return Coding(
            scale=2.0**-shift,
            top=(1 << self.bits) - 1,
            spacing=1,
            offset=0,
            low=0.0,
            high=2.0 ** (shift + self.bits),
            slope=2.0**-shift,
        )

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `hwmsb` node, shift 0."""
        return builder.node(name, "hwmsb", [x], bits=self.bits, shift=0)

    def extra_repr(self) -> str:
        return f"bits={self.bits}"


class Saturate(Activation):
    """`clip(x >> b, -2^(bits-1), 2^(bits-1) - 1)`: a signed code, no activation (3-mognet.md 4.2).

    Keeps what flows between convolutions without an activation in `bits` bits. Alone the shift `b`
    is 0; inside a `BitShiftNorm` it is the layer's. The gradient is 1 inside the range.
    """

    start = 0.0

    def __init__(self, bits: int = 8) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise CodesignError(f"Saturate: {bits} bits are no signed code; give 2 to 8")
        self.bits = bits - 1  # above the shift, for a magnitude

    def coding(self, exponent: int, shift: int) -> Coding:
        """Lifted by half of the range, the code is unsigned."""
        reach = 1 << (shift + self.bits)
        return Coding(
            scale=2.0**-shift,
            top=(2 << self.bits) - 1,
            spacing=1,
            offset=-(1 << self.bits),
            low=-float(reach),
            high=float(reach),
            slope=2.0**-shift,
            lift=reach,
        )

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `clip` node."""
        return builder.node(name, "clip", [x], lo=-(1 << self.bits), hi=(1 << self.bits) - 1)

    def extra_repr(self) -> str:
        return f"bits={self.bits + 1}"


class Heaviside(Activation):
    """`1 if x > 0 else 0` (1-heq.md 4.4); gradient 1 where `|x|` is at most the full scale."""

    bits = 0
    start = 0.0

    def coding(self, exponent: int, shift: int) -> Coding:
        """An integer's step at 0 is the integer clipped to 0..1."""
        reach = 2.0**exponent
        return Coding(1.0, 1, 1, 0, low=-reach, high=reach + 1, slope=1 / reach)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `heaviside` node."""
        return builder.node(name, "heaviside", [x])


class Sign(Activation):
    """`1 if x >= 0 else -1`; gradient 1 where `|x|` is at most the full scale."""

    bits = 0
    start = 0.0

    def coding(self, exponent: int, shift: int) -> Coding:
        """`2 * clip(x + 1, 0, 1) - 1` for integers."""
        reach = 2.0**exponent
        return Coding(1.0, 1, 2, -1, low=-reach, high=reach + 1, slope=1 / reach, lift=1)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `sign` node."""
        return builder.node(name, "sign", [x])
