"""Factorized convolution: point-wise, grouped, point-wise, without an activation between."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.nn.activations import Saturate
from codesign.nn.conv import QuantConv2d, QuantConv3d, need_groups
from codesign.nn.generated import Automaton, GeneratedConv2d, GeneratedConv3d
from codesign.nn.norm import BitShiftNorm
from codesign.nn.quantizers import QuantizerName
from codesign.nn.threshold import ThresholdNorm

#: What happens to the accumulators between two stages.
REQUANTS = ("none", "shift", "qrelu")
Requant = Literal["none", "shift", "qrelu"]
#: Full scale of a signed code between stages, in deviations: few values saturate.
KAPPA = 4.0
_KINDS: dict[int, tuple[Any, Any]] = {
    2: (QuantConv2d, GeneratedConv2d),
    3: (QuantConv3d, GeneratedConv3d),
}


class CF(nn.Module):
    """`PW2(GConv(PW1(x)))`: cin -> latent -> latent -> cout channels (3-mognet.md 4.2).

    PW1 is a 1x1 convolution, GConv a 3x3 one in `groups` groups, PW2 a 1x1 one whose weights are
    stored, or made by `automaton`; with `axes` 3 they are 1x1x1 and 3x3x3 on a clip (4-billnet.md
    4.2). There is no activation between them, so accumulators grow; `requant` says what to do:

    - "shift" (default): after PW1 and GConv shift back to a signed code of `bits` bits
      (`bit_shift_norm`, `clip`); exact in the program, and every product takes a byte;
    - "qrelu": batch normalization and an unsigned code of `bits` bits by thresholds;
    - "none": exact sums throughout. Codes of k bits give sums of `k + ceil(log2 cin) + 1` bits at
      most after PW1, `ceil(log2(9 latent / groups))` more after GConv (27 in place of 9 on clips)
      and `ceil(log2 latent)` more after PW2; the program proves the width of each. Products of
      sums wider than a byte are `wide_conv`, which takes 24 bits and runs on the host.

    `window` is the number of frames that GConv sees on a clip, 3 or 1.

    The result is PW2's accumulators; a normalization must follow.

    Raises CodesignError where `groups` does not divide `latent`, for an unknown `requant`, and
    what its layers refuse.
    """

    def __init__(
        self,
        cin: int,
        latent: int,
        cout: int,
        groups: int,
        *,
        automaton: Automaton | None = None,
        axes: int = 2,
        levels: int = 3,
        quantizer: QuantizerName = "heq",
        requant: Requant = "shift",
        bits: int = 8,
        window: int = 3,
    ) -> None:
        super().__init__()
        if requant not in REQUANTS:
            raise CodesignError(f"CF: requant {requant!r} is unknown; use {', '.join(REQUANTS)}")
        if axes not in _KINDS:
            raise CodesignError(f"CF: axes is {axes}; give 2 for images or 3 for clips")
        if window not in (1, 3) or (axes == 2 and window != 3):
            raise CodesignError(f"CF: a window of {window} frames; give 1 or 3, on clips only")
        need_groups("CF", groups, latent, latent)
        stored, generated = _KINDS[axes]
        weights: Any = {"levels": levels, "quantizer": quantizer}
        self.pw1 = stored(cin, latent, 1, **weights)
        self.requant1 = _requant(requant, latent, bits)
        kernel = (3, 3) if axes == 2 else (window, 3, 3)
        padding = tuple(size // 2 for size in kernel)
        self.group = stored(latent, latent, kernel, padding=padding, groups=groups, **weights)
        self.requant2 = _requant(requant, latent, bits)
        if automaton is None:
            self.pw2 = stored(latent, cout, 1, **weights)
        else:
            self.pw2 = generated(latent, cout, automaton)

    def forward(self, x: Tensor) -> Tensor:
        """Accumulators: N x cout x sizes."""
        x = self.pw1(x)
        if self.requant1 is not None:
            x = self.requant1(x)
        x = self.group(x)
        if self.requant2 is not None:
            x = self.requant2(x)
        result: Tensor = self.pw2(x)
        return result


def _requant(kind: Requant, channels: int, bits: int) -> nn.Module | None:
    if kind == "none":
        return None
    if kind == "qrelu":
        return ThresholdNorm(channels, bits)
    return BitShiftNorm(channels, Saturate(bits), KAPPA)


class CFLOG(CF):
    """A `CF` whose second point-wise convolution is generated on line (3-mognet.md 4.2)."""

    def __init__(
        self, cin: int, latent: int, cout: int, groups: int, automaton: Automaton, **options: Any
    ) -> None:
        super().__init__(cin, latent, cout, groups, automaton=automaton, **options)
