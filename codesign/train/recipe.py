"""How a network is trained: every number of a run, checked."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from codesign.nn._surrogates import Gates


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


@dataclass(frozen=True)
class Stage:
    """What is still a float in one stage, and how the stage is trained.

    `codes`: activations, pooling and residuals are codes; `weights`: so are the weights of
    convolutions and linear layers, `cell_weights` those of recurrent layers; `gates` of recurrent
    layers, with a slope that grows evenly in its logarithm from the first to the last epoch. The
    feed-forward part rests for the first `rest` of the epochs. `share` of the recipe's epochs, and
    `rate`, the share of its learning rates.
    """

    name: str
    share: float
    codes: bool = True
    weights: bool = True
    cell_weights: bool = True
    gates: Gates = "binary"
    slopes: tuple[float, float] = (1.0, 1.0)
    rest: float = 0.0
    rate: float = 1.0


#: The stages of BILLNET.
STAGES = (
    Stage("float", 0.25, codes=False, weights=False, cell_weights=False, gates="smooth"),
    Stage("activations", 0.2, weights=False, cell_weights=False, gates="smooth"),
    Stage("weights", 0.2, cell_weights=False, gates="smooth"),
    Stage("cell_weights", 0.1, gates="smooth", rest=0.25),
    Stage("gates", 0.05, gates="hard", slopes=(1.0, 10.0)),
    Stage("integer", 0.2, rate=0.3),
)


@dataclass(frozen=True)
class StagedRecipe(Recipe):
    """A recipe whose epochs are shared out among stages; its other numbers hold in each."""

    stages: tuple[Stage, ...] = STAGES

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < len(self.stages):
            raise CodesignError(
                f"training: epochs is {self.epochs}; give {len(self.stages)} or more, one for each "
                f"stage ({', '.join(stage.name for stage in self.stages)})"
            )

    def of(self, number: int) -> Recipe:
        """The run of stage `number` (from 0): at least one epoch, all together `epochs`."""
        shares = [stage.share for stage in self.stages]
        free = self.epochs - len(shares)
        ends = [round(free * sum(shares[:k]) / sum(shares)) for k in range(len(shares) + 1)]
        stage = self.stages[number]
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(Recipe)}
        plain["epochs"] = 1 + ends[number + 1] - ends[number]
        plain["weight_rate"] *= stage.rate
        plain["rate"] *= stage.rate
        return Recipe(**plain)


#: Defaults of each network's run.
RECIPES = {
    "nqe": Recipe(epochs=30),
    "fbnn": Recipe(epochs=30, weight_rate=0.01, smoothing=0.0),
    "fbnn_4mb": Recipe(epochs=30, weight_rate=0.01, smoothing=0.0),
    "ornet11": Recipe(epochs=30, batch=125),
    "muxornet11": Recipe(epochs=30, batch=125),
    "mognet": Recipe(epochs=30),
    "nqe_codec": Recipe(epochs=30, rate=0.002, bfloat16=False),
    "digits": Recipe(
        epochs=24, batch=50, pad=1, flip=False, bfloat16=False, warmup_epochs=2.0, probe=400
    ),
    "billnet": StagedRecipe(
        epochs=60,
        batch=27,
        weight_rate=0.02,
        rate=0.01,
        warmup_epochs=1.0,
        pad=4,
        flip=False,
        bfloat16=False,
        probe=54,
    ),
}
