"""BILLNET: a binarized Conv3D-LSTM with logic-gated residuals, for clips (4-billnet.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn import (
    MOR,
    TGAP,
    BitShiftNorm,
    ClipInput,
    FrameVectors,
    LSTMHidden,
    MaxPool3d,
    QuantConv3d,
    QuantGRU,
    QuantLinear,
    QuantLSTM,
    SequenceSum,
    ThresholdNorm,
)
from codesign.nn.tgap import Mode

#: The ways to move of the motion clips, in place of the 27 gestures of Jester.
MOTIONS = (
    *("still", "left", "right", "up", "down", "up_left", "up_right", "down_left", "down_right"),
    *("left_stop", "right_stop", "up_stop", "down_stop", "left_return", "right_return"),
    *("zoom_in", "zoom_out", "turn_left", "turn_right", "spiral_in", "spiral_out"),
    *("circle_left", "circle_right", "wave_across", "wave_along", "wave_zoom", "wave_turn"),
)
CELLS = ("lstm", "gru")
POOLS = ("gap", "or")


class Encoder(nn.Module):
    """The Conv3D part: a clip of pixels to one vector of bits a step, N x T/2 x 4n.

    Stem 3 x 3 x 3 to n channels with stride (1, 2, 2), MOR(n), max-pool (1, 2, 2), MOR(2n) twice,
    max-pool (2, 2, 2), MOR(4n) twice, then one bit a channel and step: `pool` "gap" thresholds the
    mean of the frame at one half, "or" is 1 where any pixel is (4-billnet.md 4.5).
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        n: int,
        tgap: Mode,
        window: int,
        pool: str,
        *,
        learned: bool,
    ) -> None:
        super().__init__()
        channels, frames, height, width = shape
        if height % 8 or width % 8 or frames % 2:
            raise CodesignError(
                f"billnet: clips of {frames} x {height} x {width}; give an even number of frames, "
                "and height and width that are multiples of 8"
            )
        self.clip = ClipInput(*shape)
        self.stem = QuantConv3d(
            channels, n, (window, 3, 3), (1, 2, 2), (window // 2, 1, 1), levels=2
        )
        self.norm = ThresholdNorm(n)
        sizes = ((n, n), (n, 2 * n), (2 * n, 2 * n), (2 * n, 4 * n), (4 * n, 4 * n))
        blocks = [MOR(*size, tgap, window=window, learned=learned) for size in sizes]
        self.block1, self.block2, self.block3, self.block4, self.block5 = blocks
        self.pool1, self.pool2 = MaxPool3d((1, 2, 2)), MaxPool3d((2, 2, 2))
        area = (height // 8, width // 8)
        self.pool: nn.Module = (
            TGAP(4 * n, mode="frame", learned=learned) if pool == "gap" else MaxPool3d((1, *area))
        )
        self.vectors = FrameVectors()

    def forward(self, x: Tensor) -> Any:
        """Bits, N x steps x 4n."""
        x = self.pool1(self.block1(self.norm(self.stem(self.clip(x)))))
        x = self.pool2(self.block3(self.block2(x)))
        return self.vectors(self.pool(self.block5(self.block4(x))))


class Head(nn.Module):
    """The recurrent part: vectors of bits to scores, from the sum of h over the steps."""

    def __init__(
        self, features: int, units: int, classes: int, cell: str, bits: int, ternary: bool
    ) -> None:
        super().__init__()
        lstm = cell == "lstm"
        self.cell = QuantLSTM(features, units, bits, ternary) if lstm else QuantGRU(features, units)
        self.hidden = LSTMHidden(ternary) if lstm else None
        self.sum = SequenceSum()
        self.fc = QuantLinear(units, classes, levels=2)
        self.scores = BitShiftNorm(classes, None, shift=0)

    def forward(self, vectors: Tensor) -> Any:
        """Integer scores, N x classes."""
        states = self.cell(vectors)
        hidden = states if self.hidden is None else self.hidden(states)
        return self.scores(self.fc(self.sum(hidden)))


class Billnet(nn.Module):
    """BILLNET (4-billnet.md 4.5, design choice): N x C x T x H x W pixels -> N x classes scores.

    All weights are binary, all activations bits; `n` channels after the stem (a multiple of 16),
    `units` of the recurrent layer. The arguments are those of `billnet`.
    """

    def __init__(
        self,
        n: int,
        units: int,
        tgap: Mode,
        shape: tuple[int, int, int, int],
        cell: str,
        window: int,
        pool: str,
        bits: int,
        ternary: bool,
        learned: bool,
        classes: tuple[str, ...],
    ) -> None:
        super().__init__()
        for what, value, known in (("cell", cell, CELLS), ("pool", pool, POOLS)):
            if value not in known:
                raise CodesignError(
                    f"billnet: {what} {value!r} is unknown; use {' or '.join(known)}"
                )
        if window not in (1, 3):
            raise CodesignError(f"billnet: a window of {window} frames; give 1 or 3")
        self.encoder = Encoder(shape, n, tgap, window, pool, learned=learned)
        self.head = Head(4 * n, units, len(classes), cell, bits, ternary)
        self.metadata: dict[str, Any] = {
            "name": f"billnet{n}",
            "classes": list(classes),
            "input": "clip",
            "preprocessing": "8-bit pixels 0..255, channels x frames x height x width, no scaling",
        }

    def forward(self, clip: Tensor) -> Any:
        """Integer scores."""
        return self.head(self.encoder(clip))


def billnet(
    n: int = 32,
    units: int = 128,
    tgap: Mode = "clip",
    shape: Sequence[int] = (3, 16, 96, 128),
    cell: str = "lstm",
    window: int = 3,
    pool: str = "gap",
    bits: int = 4,
    ternary: bool = False,
    learned: bool = False,
    classes: Sequence[str] = MOTIONS,
) -> Billnet:
    """BILLNET for clips of `shape` (channels, frames, height, width) (4-billnet.md 4.5).

    `tgap`: where the selects of the residuals come from, "clip", "frame" or "causal"; `cell`:
    "lstm" (a cell of `bits` bits, hidden codes of one bit or `ternary`) or "gru"; `window`: frames
    of the convolutions, 3, or 1 for a network that streams frame by frame up to its second pool;
    `pool`: what makes a bit a channel and step, "gap" or "or"; `learned`: thresholds of the
    selects are trained. Raises CodesignError for sizes that do not fit.
    """
    if len(shape) != 4:
        raise CodesignError(
            f"billnet: shape is {tuple(shape)}; give channels, frames, height and width"
        )
    channels, frames, height, width = shape
    size = (channels, frames, height, width)
    return Billnet(n, units, tgap, size, cell, window, pool, bits, ternary, learned, tuple(classes))
