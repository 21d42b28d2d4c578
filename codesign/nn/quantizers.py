"""The quantizers of weights by name: how a step is found, what the codes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from codesign import quant
from codesign.errors import CodesignError

#: HEQ of any number of levels, or balanced ternary.
QuantizerName = Literal["heq", "btq"]
QUANTIZERS = ("heq", "btq")


@dataclass(frozen=True)
class Heq:
    """Histogram-equalized levels around zero (1-heq.md 4.1)."""

    levels: int
    #: Whether latent weights are brought to mean zero while their step moves.
    centred: bool = False

    def step(self, weight: Tensor) -> float:
        """The step that the weights ask for."""
        return quant.step_from_quantiles(weight, self.levels)

    def codes(self, weight: Tensor, step: float) -> Tensor:
        """Integer codes, the shape of `weight`."""
        return quant.codes(weight, step, self.levels)

    def edge(self, step: float) -> float:
        """The gradient passes where `|w|` is at most this."""
        return quant.edge(step, self.levels)


@dataclass(frozen=True)
class Btq:
    """Balanced ternary levels of centred weights; the step is `2 delta` (3-mognet.md 4.5)."""

    levels: int = 3
    centred: bool = True

    def step(self, weight: Tensor) -> float:
        """The step that the weights ask for."""
        return 2 * quant.ternary_threshold(weight)

    def codes(self, weight: Tensor, step: float) -> Tensor:
        """Integer codes, the shape of `weight`."""
        return quant.ternary_codes(weight, step / 2)

    def edge(self, step: float) -> float:
        """The gradient passes where `|w|` is at most this."""
        return quant.ternary_edge(step / 2)


def quantizer(kind: str, name: str, levels: int) -> Heq | Btq:
    """The quantizer called `name`; CodesignError beginning with `kind` where there is none."""
    quant.level_set(levels)
    if name == "heq":
        return Heq(levels)
    if name != "btq":
        raise CodesignError(f"{kind}: quantizer {name!r} is unknown; use {' or '.join(QUANTIZERS)}")
    if levels != 3:
        raise CodesignError(
            f"{kind}: quantizer 'btq' has 3 levels, levels is {levels}; "
            "use levels=3, or quantizer='heq'"
        )
    return Btq()
