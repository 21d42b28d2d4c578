"""Convolution of integer codes with quantized weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn.base import need_exact
from codesign.nn.weights import QuantizedWeights

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class QuantConv2d(QuantizedWeights):
    """2-D convolution: N x cin x H x W codes -> N x cout x H' x W' integer accumulators.

    `levels` weight levels by HEQ (1-heq.md 4.1); taps outside the map read `pad_code`, which must
    be a code of the input. `kernel`, `stride` and `padding` are one integer, or (rows, columns).

    Raises CodesignError where `groups` does not divide `cin` or `cout`, a size is not positive,
    or, in evaluation, accumulators might not be exact in float32.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        groups: int = 1,
        levels: int = 3,
        pad_code: int = 0,
    ) -> None:
        for channels, which in ((cin, "input"), (cout, "output")):
            if groups < 1 or channels % groups:
                fitting = ", ".join(str(d) for d in range(1, channels + 1) if channels % d == 0)
                raise CodesignError(
                    f"QuantConv2d: {groups} groups do not divide {channels} {which} channels; "
                    f"use a divisor of {channels} ({fitting})"
                )
        self_kernel = _pair("kernel", kernel, 1)
        super().__init__((cout, cin // groups, *self_kernel), levels)
        self.cin, self.cout, self.groups = cin, cout, groups
        self.kernel = self_kernel
        self.stride = _pair("stride", stride, 1)
        self.padding = _pair("padding", padding, 0)
        self.pad_code = pad_code

    def forward(self, x: Tensor) -> Tensor:
        """Accumulators, in x's dtype; channels-last memory stays so."""
        if x.dim() != 4 or x.shape[1] != self.cin:
            raise CodesignError(
                f"QuantConv2d: the input has shape {tuple(x.shape)}; "
                f"give N x {self.cin} x height x width"
            )
        codes = self.quantized()
        if not self.training:
            largest = max(float(x.abs().max()), abs(self.pad_code))
            need_exact(self, x, largest * float(codes.detach().abs().sum((1, 2, 3)).max()))
        weight = codes.to(x.dtype)
        if x.is_contiguous(memory_format=torch.channels_last):
            weight = weight.contiguous(memory_format=torch.channels_last)
        rows, columns = padding = self.padding
        if self.pad_code and (rows or columns):
            x = functional.pad(x, (columns, columns, rows, rows), value=float(self.pad_code))
            padding = (0, 0)
        return functional.conv2d(x, weight, stride=self.stride, padding=padding, groups=self.groups)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `conv` node with its weight constant."""
        from codesign.ir import code_set

        weight = builder.constant(f"{name}.weight", self.codes(), code_set(self.levels))
        return builder.node(
            name,
            "conv",
            [x, weight],
            groups=self.groups,
            stride=self.stride,
            padding=self.padding,
            pad_code=self.pad_code,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.cin}, {self.cout}, kernel={self.kernel}, stride={self.stride}, "
            f"padding={self.padding}, groups={self.groups}, levels={self.levels}"
        )


def _pair(what: str, value: int | tuple[int, int], least: int) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or min(pair) < least:
        raise CodesignError(
            f"QuantConv2d: {what} is {value}; give an integer of {least} or more, or two of them"
        )
    return pair
