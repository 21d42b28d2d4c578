"""MUX-OR residual block of a network on clips."""

from __future__ import annotations

from typing import Any

from codesign.errors import CodesignError
from codesign.nn.mrb import MRB
from codesign.nn.tgap import TGAP, Mode

#: Channels of a group of the grouped convolution (4-billnet.md 4.5: g = m/16).
GROUP = 16
#: Where a block's beta starts: about one branch bit in three is 1, so that ORs do not fill up.
START = -0.5


class MOR(MRB):
    """`y = F | (S & x)`, `F = H(BN(CF(x)))`, S the channel's TGAP (4-billnet.md 4.1).

    Takes N x cin x T x H x W bits, gives N x width x T x H x W bits: a one-bit `MRB` on clips with
    binary weights, `width` inner channels and groups of 16. Where `width` is twice `cin` the skip
    is x beside itself. S comes from the whole clip, from the frame, or from the frame before
    (`tgap` "clip", "frame", "causal"); `learned` trains its thresholds. `window`: frames that the
    grouped convolution sees, 3 or 1. Computed as `mux(F | x, F, S)`, the same (design choice).

    `options` are those of `CF`. Raises CodesignError where 16 does not divide `width`, and what
    `MRB` and `CF` refuse.
    """

    def __init__(
        self,
        cin: int,
        width: int,
        tgap: Mode = "clip",
        *,
        learned: bool = False,
        window: int = 3,
        **options: Any,
    ) -> None:
        if width % GROUP:
            raise CodesignError(f"MOR: width {width} is no number of groups; give a multiple of 16")
        sizes: dict[str, Any] = {"axes": 3, "levels": 2, "window": window, **options}
        super().__init__(cin, width, width, width // GROUP, bits=1, **sizes)
        self.gate = TGAP(width, mode=tgap, learned=learned)
        self.norm.beta.data.fill_(START)
