"""A whole training run: data, network, loop, exported program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from codesign import models
from codesign.convert.torch import export
from codesign.errors import CodesignError
from codesign.files import write_atomic
from codesign.nn import network_inputs
from codesign.train.cifar import load_cifar10
from codesign.train.data import Dataset, load_digits
from codesign.train.goal import GOALS
from codesign.train.loop import Progress, Trainer
from codesign.train.motion import load_motion
from codesign.train.recipe import Recipe, StagedRecipe
from codesign.train.stages import train_in_stages

#: Data sets by name; given the folder that holds them, where they are not made, and the shape of
#: the network's input, which those that are made take.
LOADERS: dict[str, Callable[[str | Path | None, tuple[int, ...]], Dataset]] = {
    "cifar10": lambda folder, shape: load_cifar10(folder),
    "digits": lambda folder, shape: load_digits(),
    "motion": lambda folder, shape: load_motion(shape),
}


def load_data(model: str, data: str | Path | None, shape: tuple[int, ...]) -> Dataset:
    """The data set that `model`, whose input has `shape`, is trained on; `data` is its folder."""
    return LOADERS[models.MODELS[model].data](data, shape)


def train(
    model: str,
    out: str | Path,
    recipe: Recipe,
    *,
    data: str | Path | None = None,
    table: str | Path | None = None,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    log: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train `model` by `recipe`; gives what `metrics.json` holds.

    Folder `out` receives checkpoint.pt and metrics.jsonl after every epoch, and model.onnx and
    metrics.json at the end. `table` replaces the network's rows. `resume` goes on from the
    checkpoint with the same recipe and reaches the same bytes as a run that did not stop.

    Raises CodesignError, one line, for a wrong table, missing data, a folder that cannot be
    written; InterruptError where a signal stopped the run.
    """
    folder = Path(out)
    torch.manual_seed(recipe.seed)
    network = models.create(model, **({} if table is None else {"table": table}))
    found = load_data(model, data, network_inputs(network)[0].shape)
    _need_fit(network, found)
    hear: dict[str, Any] = {"resume": resume, "report": report, "log": log}
    if isinstance(recipe, StagedRecipe):
        last = train_in_stages(model, network, found, recipe, folder, **hear)
    else:
        goal = GOALS[models.MODELS[model].goal](network)
        last = Trainer(model, network, found, recipe, folder, goal=goal, **hear).run()
    graph = export(network, folder / "model.onnx")
    summary = {
        "model": model,
        "data": found.name,
        "recipe": recipe.as_dict(),
        **{key: last[key] for key in last if key == "loss" or key.startswith("test_")},
        "weight_bits": sum(
            value.size * value.type.storage_bits
            for name, value in graph.constants.items()
            if name.endswith(".weight")
        ),
        "program": graph.hash,
    }
    write_atomic(folder / "metrics.json", json.dumps(summary, indent=2) + "\n")
    return summary


def _need_fit(network: nn.Module, data: Dataset) -> None:
    """CodesignError unless the network's input and classes are those of the data."""
    wanted = network_inputs(network)[0].shape
    metadata = cast("dict[str, Any]", network.metadata)
    # what names no classes learns none: any data set of its input will do
    classes = metadata.get("classes", data.classes)
    *sizes, channels = data.x_train.shape[1:]
    found = (channels, *sizes)
    if wanted != found or len(classes) != len(data.classes):
        raise CodesignError(
            f"{metadata['name']}: takes {' x '.join(map(str, wanted))} images of {len(classes)} "
            f"classes, {data.name} has {' x '.join(map(str, found))} of {len(data.classes)}; "
            "change input and classes of the table"
        )
