"""Encoders made from a table: convolutions, a global sum, a classifier of integer scores."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from codesign.models.table import Row, Table, load_table
from codesign.nn import (
    HWMSB,
    Activation,
    BitShiftNorm,
    ChannelShuffle,
    GlobalSum,
    Heaviside,
    ImageInput,
    MaxPool2d,
    QuantConv2d,
    QuantLinear,
    Sign,
)

_HERE = Path(__file__).parent
#: What is done to an image before a network sees it.
PREPROCESSING = "8-bit pixels 0..255, channels x height x width, no scaling"


class Encoder(nn.Sequential):
    """The network of a `Table`: N x C x H x W pixels 0..255 -> N x classes integer scores.

    Each row is convolution, normalization with activation, max-pool, shuffle. The scores carry a
    bias per class: a `BitShiftNorm` whose shift is 0, because centred scores need narrower
    registers and the comparison of classes needs every bit.

    `metadata` travels into the exported program: name, classes, input, preprocessing.
    """

    def __init__(self, table: Table) -> None:
        layers = trunk(table)
        layers["sum"] = GlobalSum()
        depth = table.rows[-1].channels
        layers["fc"] = QuantLinear(depth, len(table.classes), table.classifier_levels)
        layers["scores"] = BitShiftNorm(len(table.classes), None, shift=0)
        super().__init__(layers)
        self.table = table
        self.metadata: dict[str, Any] = {
            "name": table.name,
            "classes": list(table.classes),
            "input": "image",
            "preprocessing": PREPROCESSING,
        }


def trunk(table: Table) -> OrderedDict[str, nn.Module]:
    """The layers of the rows by name, from the image to the last row's map."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["image"] = ImageInput(*table.input)
    depth, pad_code = table.input[0], 0
    for number, row in enumerate(table.rows, start=1):
        layers[f"conv{number}"] = QuantConv2d(
            depth,
            row.channels,
            row.kernel,
            padding=row.kernel // 2,
            groups=row.groups,
            levels=row.levels,
            pad_code=pad_code,
        )
        layers[f"norm{number}"] = BitShiftNorm(row.channels, _activation(row))
        if row.pool > 1:
            layers[f"pool{number}"] = MaxPool2d(row.pool)
        if row.shuffle:
            layers[f"shuffle{number}"] = ChannelShuffle(row.groups)
        # a bipolar map has no zero code to pad with
        depth, pad_code = row.channels, -1 if row.activation == "sign" else 0
    return layers


def _activation(row: Row) -> Activation:
    if row.activation == "heaviside":
        return Heaviside()
    if row.activation == "sign":
        return Sign()
    return HWMSB(int(row.activation))


def nqe(table: str | Path | Mapping[str, Any] = _HERE / "nqe.yaml") -> Encoder:
    """NQE, the 1 Mb mixed-precision encoder for CIFAR-10 (2-nqe.md; the rows: design choice)."""
    return Encoder(load_table(table))


def digits(table: str | Path | Mapping[str, Any] = _HERE / "digits.yaml") -> Encoder:
    """A small encoder for 8 x 8 digits."""
    return Encoder(load_table(table))
