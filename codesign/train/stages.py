"""Training in stages: floats first, then part after part becomes codes (4-billnet.md 4.4).

Each stage is an ordinary run with a folder of its own, which starts from the network of the one
before; together they resume where they stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from codesign.nn import Layer, QuantizedWeights
from codesign.nn._recurrent import Recurrent
from codesign.train.checkpoint import NAME
from codesign.train.data import Dataset
from codesign.train.loop import InterruptError, Progress, Trainer
from codesign.train.recipe import Recipe, Stage, StagedRecipe


def enter(network: nn.Module, stage: Stage, progress: float = 1.0) -> None:
    """Make `network` compute as in `stage`, `progress` 0..1 of its epochs being over."""
    recurrent = {
        id(part)
        for layer in network.modules()
        if isinstance(layer, Recurrent)
        for part in layer.modules()
    }
    for layer in network.modules():
        if isinstance(layer, Recurrent):
            first, last = stage.slopes
            layer.use_gates(stage.gates, first * (last / first) ** progress)
        elif isinstance(layer, QuantizedWeights):
            layer.relaxed = not (stage.cell_weights if id(layer) in recurrent else stage.weights)
        elif isinstance(layer, Layer):
            layer.relaxed = not stage.codes
    for layer in network.modules():
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(id(layer) in recurrent or progress >= stage.rest)


def train_in_stages(
    model: str,
    network: nn.Module,
    data: Dataset,
    recipe: StagedRecipe,
    out: Path,
    *,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    log: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train `network` through all stages; gives the last line of the last stage's metrics.

    Stage k has the folder `out/k-name` with its checkpoint and metrics. With `resume` finished
    stages are read, the one that was stopped goes on, and the result is that of a run that was not
    stopped. Raises as `Trainer`.
    """
    last: dict[str, Any] = {}
    for number, stage in enumerate(recipe.stages):
        folder = out / f"{number + 1}-{stage.name}"
        part = recipe.of(number)

        def before(epoch: int, stage: Stage = stage, part: Recipe = part) -> None:
            enter(network, stage, epoch / (part.epochs - 1) if part.epochs > 1 else 1.0)

        run = Trainer(
            model, network, data, part, folder,
            resume=resume and (folder / NAME).exists(), before_epoch=before, report=report,
            log=lambda line, stage=stage: log(f"{stage.name}: {line}"),  # type: ignore[misc]
        )  # fmt: skip
        try:
            last = run.run()
        except InterruptError:
            if number == 0 and run.epoch == 0:
                raise
            raise InterruptError(
                f"training: interrupted in stage {number + 1} of {len(recipe.stages)} "
                f"({stage.name}) after {run.epoch} of its {part.epochs} epochs; {out} holds them "
                "and the stages before; add --resume to go on"
            ) from None
    enter(network, recipe.stages[-1])
    return last
