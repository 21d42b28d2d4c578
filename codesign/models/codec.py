"""The NQE encoder as a compressor: a patch of an image to a constant number of bits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.models.encoder import PREPROCESSING, trunk
from codesign.models.table import Table, load_table
from codesign.nn import BitShiftNorm, Heaviside, QuantConv2d

#: Channels of the bottleneck: 16 bits of each place of the last map (2-nqe.md 4.5).
BITS = 16
#: Levels of its weights: one bit.
LEVELS = 2


class Codec(nn.Sequential):
    """N x C x H x W pixels 0..255 -> N x 16 x H/8 x W/8 bits (2-nqe.md 4.5, design choice).

    The rows of the classifier's `Table` under the same names, then a 1x1 convolution of one-bit
    weights to 16 channels and a step at zero: after three poolings a patch of 32 x 32 pixels is
    256 bits, 0.25 bit a pixel, whatever it shows. A decoder on a host makes an image of them.

    `bits_per_pixel` is the exact rate, `bits_per_place` the channels of the result.
    """

    def __init__(self, table: Table) -> None:
        layers, number = trunk(table), len(table.rows) + 1
        depth = table.rows[-1].channels
        layers[f"conv{number}"] = QuantConv2d(depth, BITS, 1, levels=LEVELS)
        layers[f"norm{number}"] = BitShiftNorm(BITS, Heaviside())
        super().__init__(layers)
        self.table = table
        pools = 1
        for row in table.rows:
            pools *= row.pool**2
        self.bits_per_place = BITS
        self.bits_per_pixel = Fraction(BITS, pools)
        self.metadata: dict[str, Any] = {
            "name": "nqe_codec",
            "input": "image",
            "preprocessing": PREPROCESSING,
        }

    def load_encoder(self, state: Mapping[str, Tensor]) -> None:
        """Take the rows of a classifier of the same table from its state; the bottleneck stays.

        Raises CodesignError naming the first part that is missing or of another shape.
        """
        bottleneck = tuple(f"{kind}{len(self.table.rows) + 1}." for kind in ("conv", "norm"))
        own = self.state_dict()
        wanted = [name for name in own if not name.startswith(bottleneck)]
        for name in wanted:
            found = tuple(state[name].shape) if name in state else None
            if found != tuple(own[name].shape):
                what = "is missing" if found is None else f"has shape {found}"
                raise CodesignError(
                    f"nqe_codec: {name} of the encoder {what}, the codec's has shape "
                    f"{tuple(own[name].shape)}; give the weights of nqe with the same table"
                )
        with torch.no_grad():
            for name in wanted:
                own[name].copy_(state[name])


def nqe_codec(
    table: str | Path | Mapping[str, Any] = Path(__file__).parent / "nqe.yaml",
) -> Codec:
    """The encoder of `nqe` with a bottleneck of 16 bits a place: 0.25 bit a pixel."""
    return Codec(load_table(table))
