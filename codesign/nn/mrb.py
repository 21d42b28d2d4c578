"""MUX residual block: a factorized branch, its input, and a bit a channel that chooses."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn.arrange import Repeat
from codesign.nn.factor import CF
from codesign.nn.generated import Automaton
from codesign.nn.logic import SPARSE
from codesign.nn.residual import BitOr, Mux, ShiftAdd
from codesign.nn.tgap import TGAP
from codesign.nn.threshold import ThresholdNorm

#: What the block gives where its bit is 1; the last two have no bit.
MODES = ("gated_add", "select", "add", "none")
Mode = Literal["gated_add", "select", "add", "none"]


class MRB(nn.Module):
    """`y_c = S_c ? R_c : F_c`, with `F = QReLU_k(BN(CF(x)))` (3-mognet.md 4.4, design choice).

    `R = (F + x) >> 1` and `S` is the thresholded mean of x ("gated_add", default), or `R = x`
    ("select"). With one bit the sum is an OR: `y = F | (S & x)`. For comparison "add" is R
    itself, and "none" is F: no skip. Where `width` is twice `cin` the skip is x beside itself.

    Takes N x cin x sizes codes of `bits` bits, gives N x width x sizes codes. `options` are those
    of `CF`. Raises CodesignError where `width` is neither `cin` nor its double.
    """

    def __init__(
        self,
        cin: int,
        width: int,
        latent: int,
        groups: int,
        bits: int = 3,
        mode: Mode = "gated_add",
        automaton: Automaton | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise CodesignError(f"MRB: mode {mode!r} is unknown; use {', '.join(MODES)}")
        if width not in (cin, 2 * cin):
            raise CodesignError(
                f"MRB: width {width} of {cin} input channels; give {cin}, or {2 * cin} to double"
            )
        self.mode = mode
        self.cf = CF(cin, latent, width, groups, automaton=automaton, **options)
        self.norm = ThresholdNorm(width, bits, start=SPARSE if bits == 1 else None)
        self.twice = Repeat(2) if width != cin and mode != "none" else None
        self.join = (BitOr() if bits == 1 else ShiftAdd()) if mode in ("gated_add", "add") else None
        gated = mode in ("gated_add", "select")
        self.gate = TGAP(width, bits=bits) if gated else None
        self.mux = Mux() if gated else None

    def forward(self, x: Tensor) -> Tensor:
        """Codes: N x width x sizes."""
        branch: Tensor = self.norm(self.cf(x))
        skip = x if self.twice is None else self.twice(x)
        joined = skip if self.join is None else self.join(branch, skip)
        if self.gate is not None and self.mux is not None:
            joined = self.mux(joined, branch, self.gate(skip))
        return branch if self.mode == "none" else joined
