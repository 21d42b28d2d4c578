"""Input coding: from 8-bit colours to the bits that a fully binary network reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder

#: Integer BT.601, full range: 256 times the rows of Y, Cb, Cr, and what is added after the shift.
_MATRIX = ((77, 150, 29), (-43, -85, 128), (128, -107, -21))
_OFFSETS = (0, 128, 128)


class YCbCr(Layer):
    """RGB to luminance and chroma: N x 3 x ... pixels 0..255 -> N x 3 x ... codes 0..255.

    `clip(((M x + 128) >> 8) + offset, 0, 255)`, integer BT.601 (5-fbnn.md 4.1, design choice).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Y, Cb, Cr in x's dtype; raises CodesignError unless x has three channels."""
        if x.dim() < 2 or x.shape[1] != 3:
            raise CodesignError(f"YCbCr: the input has shape {tuple(x.shape)}; give N x 3 x ...")
        red, green, blue = x.float().unbind(1)
        parts = [
            torch.floor((r * red + g * green + b * blue + 128) / 256) + offset
            for (r, g, b), offset in zip(_MATRIX, _OFFSETS, strict=True)
        ]
        return torch.stack(parts, 1).clamp(0, 255).to(x.dtype)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `ycbcr` node."""
        return builder.node(name, "ycbcr", [x])


class Thermometer(Layer):
    """`1 if x[c] > level else low` for every level of component c, one channel a level.

    N x C x ... codes -> N x (sum of levels) x ... bits; the bits of component 0 come first, each
    component's from its least level (5-fbnn.md 4.1). `levels` holds one ascending sequence of
    integers a component; `low` is -1 for networks of +/-1, 0 for {0, 1}. The levels are the buffer
    `levels`, and `counts` how many each component has.

    Raises CodesignError where a component has no level or levels that do not ascend, and for
    another `low`.
    """

    levels: Tensor
    component: Tensor

    def __init__(self, levels: Sequence[Sequence[int]], low: int = -1) -> None:
        super().__init__()
        if low not in (-1, 0):
            raise CodesignError(f"Thermometer: low is {low}; give -1 or 0")
        self.counts = tuple(len(own) for own in levels)
        self.low = low
        self.register_buffer("levels", torch.zeros(sum(self.counts)))
        each = torch.tensor(self.counts, dtype=torch.int64)
        index = torch.repeat_interleave(torch.arange(len(self.counts)), each)
        self.register_buffer("component", index, persistent=False)
        self.place(levels)

    @torch.no_grad()
    def place(self, levels: Sequence[Sequence[int]]) -> None:
        """Put other levels, as many a component, in place of these."""
        counts = tuple(len(own) for own in levels)
        if counts != self.counts:
            raise CodesignError(
                f"Thermometer: has {self.counts} levels, {counts} are given; give as many"
            )
        for number, own in enumerate(levels):
            if not len(own) or list(own) != sorted(own):
                raise CodesignError(
                    f"Thermometer: the levels of component {number} are {list(own)}; "
                    "give one or more, ascending"
                )
        self.levels.copy_(torch.tensor([float(v) for own in levels for v in own]))

    def forward(self, x: Tensor) -> Tensor:
        """Bits in x's dtype, channels-last memory where x's is; no gradient passes."""
        if x.dim() < 2 or x.shape[1] != len(self.counts):
            raise CodesignError(
                f"Thermometer: the input has shape {tuple(x.shape)}; "
                f"give N x {len(self.counts)} x ..."
            )
        parts = x.index_select(1, self.component)
        levels = self.levels.reshape(-1, *[1] * (x.dim() - 2))
        bits = (parts > levels).to(x.dtype)
        return bits if self.low == 0 else bits * 2 - 1

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `thermometer` node with its levels as a constant."""
        from codesign.ir import IntType

        codes = self.levels.cpu().numpy().astype(np.int32)
        code_type = IntType(int(codes.min()), int(codes.max()))
        levels = builder.constant(f"{name}.levels", codes, code_type)
        return builder.node(name, "thermometer", [x, levels], counts=self.counts, low=self.low)

    def extra_repr(self) -> str:
        return f"counts={self.counts}, low={self.low}"


class TYCC(nn.Sequential):
    """Thermometer on luminance and chroma: N x 3 x H x W pixels -> N x sum(counts) x H x W, +/-1.

    `counts` are the levels of Y, Cb and Cr, uniform at first; `fit` takes quantiles of images
    instead (5-fbnn.md 4.1, design choice; that the paper's TYCC is a thermometer on YCbCr is
    inferred there).
    """

    def __init__(self, counts: Sequence[int] = (32, 16, 16), low: int = -1) -> None:
        if len(counts) != 3:
            raise CodesignError(
                f"TYCC: counts are {tuple(counts)}; give three numbers, for Y, Cb and Cr"
            )
        super().__init__()
        self.ycbcr = YCbCr()
        self.thermometer = Thermometer([uniform_levels(count) for count in counts], low)

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Levels at the quantiles of `images`, N x 3 x H x W pixels (a training set's)."""
        fit_levels(self.thermometer, self.ycbcr(images.float()))


def uniform_levels(count: int, bits: int = 8) -> list[int]:
    """`floor(2^bits * j / (count + 1))`, j = 1..count, as levels of 8-bit pixels.

    With fewer than 8 bits the levels are those of pixels whose low bits are dropped:
    `p >> (8 - bits) > t` is `p > (t + 1) * 2^(8 - bits) - 1` (design choice: pixels stay 8 bit).
    """
    if count < 1 or not 1 <= bits <= 8:
        raise CodesignError(
            f"thermometer: {count} levels of {bits} bits; give 1 level or more, 1 to 8 bits"
        )
    drop = 8 - bits
    return [
        ((((j << bits) // (count + 1)) + 1) << drop) - 1 if drop else (j << 8) // (count + 1)
        for j in range(1, count + 1)
    ]


def quantile_levels(values: NDArray[np.integer], count: int) -> list[int]:
    """The order statistics of integer `values` at shares j / (count + 1), j = 1..count."""
    if not values.size:
        raise CodesignError("thermometer: there are no values to take quantiles of; give images")
    ordered = np.sort(values, axis=None)
    return [int(ordered[j * ordered.size // (count + 1)]) for j in range(1, count + 1)]


def fit_levels(thermometer: Thermometer, codes: Tensor) -> None:
    """Place the thermometer's levels at the quantiles of `codes`, N x C x ... integers."""
    thermometer.place(list(_quantiles(thermometer.counts, codes)))


def _quantiles(counts: Sequence[int], codes: Tensor) -> Iterator[list[int]]:
    for component, count in enumerate(counts):
        values = codes[:, component].detach().cpu().numpy().astype(np.int64)
        yield quantile_levels(values, count)
