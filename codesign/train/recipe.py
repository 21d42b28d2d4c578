"""How a network is trained: every number of a run, checked."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from codesign.errors import CodesignError


@dataclass(frozen=True)
class Recipe:
    """A training run (training facts; shares are of the epochs, counted from the end).

    AdamW without decay; `weight_rate` for latent weights, `rate` for all other parameters; linear
    warm-up, then a cosine to zero. bfloat16 but for the last `float_share`; the quantizer steps are
    frozen for the last `freeze_step_share`, the shifts for the last `freeze_shift_share`.
    Images are padded by `pad` pixels and cropped; `flip` mirrors half of them.
    """

    epochs: int = 24
    batch: int = 250
    seed: int = 0
    weight_rate: float = 0.1
    rate: float = 0.007
    warmup_epochs: float = 2.0
    smoothing: float = 0.1
    float_share: float = 0.08
    freeze_step_share: float = 0.1
    freeze_shift_share: float = 0.3
    pad: int = 4
    flip: bool = True
    bfloat16: bool = True
    #: Test images looked at after each epoch (all of them after the last).
    probe: int = 2000

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch", 2), ("pad", 0), ("probe", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise CodesignError(
                    f"training: {name} is {getattr(self, name)}; give {least} or more"
                )
        for name in ("weight_rate", "rate"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise CodesignError(f"training: {name} is {value}; give a number above 0")
        for name in ("smoothing", "float_share", "freeze_step_share", "freeze_shift_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise CodesignError(f"training: {name} is {getattr(self, name)}; give 0 to 1")

    def rate_factor(self, progress: float) -> float:
        """Share of the learning rates in force at `progress` epochs."""
        warmup = min(self.warmup_epochs, self.epochs / 4)
        if progress < warmup:
            return progress / warmup
        return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (self.epochs - warmup)))

    def in_last(self, share: float, epoch: int) -> bool:
        """Whether `epoch` (from 0) is among the last `share` of all."""
        return epoch >= self.epochs - math.ceil(share * self.epochs)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)


#: Defaults of each network's run.
RECIPES = {
    "nqe": Recipe(epochs=30),
    "fbnn": Recipe(epochs=30, weight_rate=0.01, smoothing=0.0),
    "fbnn_4mb": Recipe(epochs=30, weight_rate=0.01, smoothing=0.0),
    "digits": Recipe(
        epochs=24, batch=50, pad=1, flip=False, bfloat16=False, warmup_epochs=2.0, probe=400
    ),
}
