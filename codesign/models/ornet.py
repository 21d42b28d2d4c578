"""ORNet-11 and MUXORNet-11: binary networks whose skips are logic gates (1-heq.md 4.7)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import nn

from codesign.errors import CodesignError
from codesign.models.classes import CIFAR10, STL10, class_names
from codesign.models.encoder import PREPROCESSING
from codesign.nn import (
    BitShiftNorm,
    GlobalSum,
    ImageInput,
    LogicBlock,
    QuantConv2d,
    QuantLinear,
    ThresholdNorm,
)
from codesign.nn.logic import SPARSE, Gate

#: Channels of the stages; each has two blocks, all but the first halve the map.
WIDTHS = (64, 128, 256, 512)


class LogicNet(nn.Sequential):
    """N x C x H x W pixels 0..255 -> N x classes integer scores, one-bit maps between.

    Two 3x3 convolutions as a stem, then two `LogicBlock`s for each width (the first of all but the
    first stage pools and doubles), a global sum and a linear layer: 11 layers with weights for four
    widths. Layer table: design choice, the paper's is not at hand.

    Raises CodesignError where the map is smaller than the stages divide it by, or a width is not
    the double of the one before.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        classes: int | Sequence[str],
        gate: Gate,
        widths: Sequence[int] = WIDTHS,
        levels: int = 3,
    ) -> None:
        names, divisor = class_names(name, classes), 1 << (len(widths) - 1)
        if shape[1] % divisor or shape[2] % divisor:
            raise CodesignError(
                f"{name}: maps of {shape[1]} x {shape[2]} do not halve {len(widths) - 1} times; "
                f"give multiples of {divisor}"
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["image"] = ImageInput(*shape)
        depth = shape[0]
        for number in (1, 2):
            layers[f"stem{number}"] = QuantConv2d(depth, widths[0], 3, padding=1, levels=levels)
            layers[f"norm{number}"] = ThresholdNorm(widths[0], start=_start(widths, 0))
            depth = widths[0]
        for stage, width in enumerate(widths):
            for block in (0, 1):
                layers[f"block{2 * stage + block + 1}"] = LogicBlock(
                    depth,
                    width,
                    gate,
                    pool=stage > 0 and block == 0,
                    levels=levels,
                    start=_start(widths, stage),
                )
                depth = width
        layers["sum"] = GlobalSum()
        layers["fc"] = QuantLinear(depth, len(names), levels)
        layers["scores"] = BitShiftNorm(len(names), None, shift=0)
        super().__init__(layers)
        self.metadata: dict[str, Any] = {
            "name": name,
            "classes": list(names),
            "input": "image",
            "preprocessing": PREPROCESSING,
        }


def _start(widths: Sequence[int], stage: int) -> float:
    """Where beta starts: lower the more ORs and pools follow, none of which clears a bit."""
    return SPARSE - 0.5 * (len(widths) - 1 - stage)


def _names(size: int, classes: int | Sequence[str] | None) -> int | Sequence[str]:
    if classes is not None:
        return classes
    return STL10 if size == 96 else CIFAR10


def ornet11(
    size: int = 32, classes: int | Sequence[str] | None = None, levels: int = 3
) -> LogicNet:
    """ORNet-11 on `size` x `size` RGB images: skips are OR gates.

    `classes` None: the names of CIFAR-10, for size 96 those of STL-10.
    """
    return LogicNet("ornet11", (3, size, size), _names(size, classes), "or", levels=levels)


def muxornet11(
    size: int = 32, classes: int | Sequence[str] | None = None, levels: int = 3
) -> LogicNet:
    """MUXORNet-11: an OR gate that a bit of each channel opens or closes; options as `ornet11`."""
    return LogicNet("muxornet11", (3, size, size), _names(size, classes), "mux_or", levels=levels)
