"""Blocks of a logic-gated network on clips: factorized convolution, MUX-OR residual."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn import (
    TGAP,
    BitOr,
    BitShiftNorm,
    Heaviside,
    Mux,
    QuantConv3d,
    Repeat,
    Saturate,
)
from codesign.nn.tgap import Mode

#: Channels of a group of the grouped convolution (4-billnet.md 4.5: g = m/16).
GROUP = 16


class Factorization(nn.Module):
    """CF: 1 x 1 x 1, grouped `window` x 3 x 3 and 1 x 1 x 1 convolution, binary weights.

    N x cin x T x H x W codes -> N x cout x T x H x W accumulators; `cout` inner channels in groups
    of 16 (4-billnet.md 4.1, 4.5). No activation between them; sums become signed bytes by a shift
    before the next convolution, centred by an integer bias a channel (4-billnet.md 4.2, design
    choice). `window` is 1 or 3 frames.
    """

    def __init__(self, cin: int, cout: int, window: int = 3) -> None:
        super().__init__()
        if cout < GROUP or cout % GROUP:
            raise CodesignError(
                f"Factorization: {cout} channels are no groups of {GROUP}; give a multiple"
            )
        if window not in (1, 3):
            raise CodesignError(f"Factorization: a window of {window} frames; give 1 or 3")
        self.reduce = QuantConv3d(cin, cout, 1, levels=2)
        self.reduced = BitShiftNorm(cout, Saturate())
        self.group = QuantConv3d(
            cout, cout, (window, 3, 3), padding=(window // 2, 1, 1), groups=cout // GROUP, levels=2
        )
        self.grouped = BitShiftNorm(cout, Saturate())
        self.expand = QuantConv3d(cout, cout, 1, levels=2)

    def forward(self, x: Tensor) -> Any:
        """The accumulators of the last convolution."""
        inner = self.grouped(self.group(self.reduced(self.reduce(x))))
        return self.expand(inner)


class MuxOrResidual(nn.Module):
    """MOR: `y = F | (S & x)`, `F = 1[CF(x) + B > 0]`, `S` the channel's TGAP (4-billnet.md 4.1).

    Takes and gives bits, N x channels x T x H x W; with `cout = 2 cin` the skip is x twice
    (1-heq.md 4.5). `tgap` says where S comes from: "clip" (the map waits in a buffer), "frame" or
    "causal". Computed as `mux(F | x, F, S)`, which is the same.
    """

    def __init__(
        self, cin: int, cout: int, tgap: Mode = "clip", window: int = 3, *, learned: bool = False
    ) -> None:
        super().__init__()
        if cout not in (cin, 2 * cin):
            raise CodesignError(
                f"MuxOrResidual: {cin} to {cout} channels; a skip keeps or doubles them"
            )
        self.factors = Factorization(cin, cout, window)
        self.norm = BitShiftNorm(cout, Heaviside())
        self.twice = Repeat(2) if cout != cin else None
        self.select = TGAP(cout, mode=tgap, learned=learned)
        self.either = BitOr()
        self.mux = Mux()

    def forward(self, x: Tensor) -> Any:
        """Bits of the block."""
        made = self.norm(self.factors(x))
        skip = x if self.twice is None else self.twice(x)
        return self.mux(self.either(made, skip), made, self.select(skip))
