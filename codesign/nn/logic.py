"""Binary residual blocks of logic gates."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn.arrange import Repeat
from codesign.nn.conv import QuantConv2d
from codesign.nn.quantizers import QuantizerName
from codesign.nn.residual import BitOr, Mux
from codesign.nn.shape import MaxPool2d
from codesign.nn.tgap import TGAP
from codesign.nn.threshold import ThresholdNorm

#: How the branch and the skip meet.
GATES = ("or", "mux", "mux_or", "none")
Gate = Literal["or", "mux", "mux_or", "none"]


#: Where beta starts: one bit in six is set at first. ORs and max-pools of bits that are half ones
#: soon give ones only, through which no gradient comes (design choice, measured on digits).
SPARSE = -1.0


class LogicBlock(nn.Module):
    """A binary convolution whose skip is logic (1-heq.md 4.5, design choice).

    `F = H(BN(conv 3x3 (x)))` on bits, and with the skip x

    - "or": `y = F | x`;
    - "mux": `y_c = S_c ? x_c : F_c`, S the thresholded mean of the skip's channel;
    - "mux_or": `y = F | (S & x)`: S opens or closes the skip of a channel;
    - "none": `y = F`, for comparison.

    With `pool` both paths end in a 2x2 max-pool, which is an OR of bits; where `width` is twice
    `cin` the skip is x beside itself. No convolution on the skip. `start` is where beta starts: the
    branch's bits are rare at first.

    Raises CodesignError for an unknown gate, or where `width` is neither `cin` nor its double.
    """

    def __init__(
        self,
        cin: int,
        width: int,
        gate: Gate = "mux_or",
        *,
        pool: bool = False,
        levels: int = 3,
        quantizer: QuantizerName = "heq",
        start: float = SPARSE,
    ) -> None:
        super().__init__()
        if gate not in GATES:
            raise CodesignError(f"LogicBlock: gate {gate!r} is unknown; use {', '.join(GATES)}")
        if width not in (cin, 2 * cin):
            raise CodesignError(
                f"LogicBlock: width {width} of {cin} input channels; "
                f"give {cin}, or {2 * cin} to double"
            )
        self.gate = gate
        self.conv = QuantConv2d(cin, width, 3, padding=1, levels=levels, quantizer=quantizer)
        self.norm = ThresholdNorm(width, start=start)
        skips = gate != "none"
        self.pool = MaxPool2d(2) if pool else None
        self.skip_pool = MaxPool2d(2) if pool and skips else None
        self.twice = Repeat(2) if width != cin and skips else None
        self.join = BitOr() if gate in ("or", "mux_or") else None
        self.select = TGAP(width) if gate in ("mux", "mux_or") else None
        self.mux = Mux() if gate in ("mux", "mux_or") else None

    def forward(self, x: Tensor) -> Tensor:
        """Bits: N x cin x H x W -> N x width x H x W, or half the sizes."""
        branch: Tensor = self.norm(self.conv(x))
        if self.pool is not None:
            branch = self.pool(branch)
        if self.gate == "none":
            return branch
        skip = x if self.skip_pool is None else self.skip_pool(x)
        if self.twice is not None:
            skip = self.twice(skip)
        joined = skip if self.join is None else self.join(branch, skip)
        if self.select is not None and self.mux is not None:
            joined = self.mux(joined, branch, self.select(skip))
        return joined
