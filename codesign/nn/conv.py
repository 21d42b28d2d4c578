"""Convolution of integer codes with quantized weights: sequences, images, clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn.base import Layer, need_exact
from codesign.nn.quantizers import QuantizerName
from codesign.nn.weights import QuantizedWeights

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


#: One integer for every axis, or one an axis.
Sizes = int | tuple[int, ...]


class Convolution(Layer):
    """What convolutions share, whatever their weights: N x cin x sizes -> N x cout x sizes'."""

    #: Names of the axes behind the channels.
    axes: ClassVar[tuple[str, ...]]
    _convolve: ClassVar[Callable[..., Tensor]]
    cin: int
    groups: int
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    pad_code: int

    def convolve(self, x: Tensor, codes: Tensor) -> Tensor:
        """Accumulators of `x` and weight codes, in x's dtype; channels-last memory stays so."""
        if x.dim() != 2 + len(self.axes) or x.shape[1] != self.cin:
            raise CodesignError(
                f"{type(self).__name__}: the input has shape {tuple(x.shape)}; "
                f"give N x {self.cin} x {' x '.join(self.axes)}"
            )
        if not self.training:
            largest = max(float(x.detach().abs().max()), abs(self.pad_code))
            need_exact(self, x, largest * float(codes.detach().abs().flatten(1).sum(1).max()))
        weight = codes.to(x.dtype)
        if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
            weight = weight.contiguous(memory_format=torch.channels_last)
        padding = self.padding
        if self.pad_code and any(padding):
            border = [size for size in reversed(padding) for _ in range(2)]
            x = functional.pad(x, border, value=float(self.pad_code))
            padding = (0,) * len(padding)
        return self._convolve(x, weight, stride=self.stride, padding=padding, groups=self.groups)

    def node(self, builder: GraphBuilder, name: str, x: str, weight: str) -> str:
        """The product with the weights called `weight`: `wide_conv` of sums, `conv` of bytes."""
        return builder.node(
            name,
            "conv" if builder.value(x).type.fits_byte else "wide_conv",
            [x, weight],
            groups=self.groups,
            stride=self.stride,
            padding=self.padding,
            pad_code=self.pad_code,
        )

    def _sizes(self, what: str, value: Sizes, least: int) -> tuple[int, ...]:
        count = len(self.axes)
        sizes = (value,) * count if isinstance(value, int) else tuple(value)
        if len(sizes) != count or min(sizes) < least:
            several = {1: "", 2: ", or two of them", 3: ", or three of them"}[count]
            raise CodesignError(
                f"{type(self).__name__}: {what} is {value}; "
                f"give an integer of {least} or more{several}"
            )
        return sizes


class _QuantConv(QuantizedWeights, Convolution):
    """What convolutions with latent weights share."""

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        groups: int = 1,
        levels: int = 3,
        pad_code: int = 0,
        quantizer: QuantizerName = "heq",
    ) -> None:
        need_groups(type(self).__name__, groups, cin, cout)
        window = self._sizes("kernel", kernel, 1)
        super().__init__((cout, cin // groups, *window), levels, quantizer)
        self.cin, self.cout, self.groups = cin, cout, groups
        self.kernel = window
        self.stride = self._sizes("stride", stride, 1)
        self.padding = self._sizes("padding", padding, 0)
        self.pad_code = pad_code

    def forward(self, x: Tensor) -> Tensor:
        """Accumulators, in x's dtype; channels-last memory stays so."""
        return self.convolve(x, self.quantized())

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One node with its weight constant."""
        from codesign.ir import code_set

        weight = builder.constant(f"{name}.weight", self.codes(), code_set(self.levels))
        return self.node(builder, name, x, weight)

    def extra_repr(self) -> str:
        return (
            f"{self.cin}, {self.cout}, kernel={self.kernel}, stride={self.stride}, "
            f"padding={self.padding}, groups={self.groups}, levels={self.levels}"
        )


class QuantConv1d(_QuantConv):
    """1-D convolution of a sequence: N x cin x length codes -> N x cout x length' accumulators.

    Arguments, codes and errors: as `QuantConv2d`.
    """

    axes = ("length",)
    _convolve = staticmethod(functional.conv1d)


class QuantConv2d(_QuantConv):
    """2-D convolution: N x cin x H x W codes -> N x cout x H' x W' integer accumulators.

    `levels` weight levels by `quantizer`: "heq" (1-heq.md 4.1), or "btq", balanced ternary
    (3-mognet.md 4.5). Taps outside the map read `pad_code`, which must be a code of the input.
    `kernel`, `stride` and `padding` are one integer, or one an axis (rows, columns).

    Raises CodesignError where `groups` does not divide `cin` or `cout`, a size is not positive,
    or, in evaluation, accumulators might not be exact in float32.
    """

    axes = ("height", "width")
    _convolve = staticmethod(functional.conv2d)


class QuantConv3d(_QuantConv):
    """3-D convolution of a clip: N x cin x T x H x W codes -> N x cout x T' x H' x W'.

    Arguments, codes and errors: as `QuantConv2d`, sizes are (frames, rows, columns).
    """

    axes = ("frames", "height", "width")
    _convolve = staticmethod(functional.conv3d)


def need_groups(kind: str, groups: int, cin: int, cout: int) -> None:
    """CodesignError unless `groups` divides both numbers of channels."""
    for channels, which in ((cin, "input"), (cout, "output")):
        if groups < 1 or channels % groups:
            fitting = ", ".join(str(d) for d in range(1, channels + 1) if channels % d == 0)
            raise CodesignError(
                f"{kind}: {groups} groups do not divide {channels} {which} channels; "
                f"use a divisor of {channels} ({fitting})"
            )
