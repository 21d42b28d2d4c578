"""Checkpoints: everything a run needs to go on as if it had not stopped."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from codesign.errors import CodesignError
from codesign.files import write_atomic

FORMAT = 2
NAME = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """State after `epoch` epochs of `recipe`; tensors are copies of the run's."""

    model: str
    epoch: int
    recipe: dict[str, Any]
    network: dict[str, Any]
    goal: dict[str, Any]
    optimizer: dict[str, Any]
    history: list[dict[str, Any]]

    def save(self, folder: Path) -> Path:
        """Write `checkpoint.pt` into `folder`, whole or not at all."""
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **self.__dict__}, buffer)
        return write_atomic(folder / NAME, buffer.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; CodesignError where it is missing, damaged or of another format."""
    try:
        found = torch.load(io.BytesIO(path.read_bytes()), weights_only=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(
            f"{path}: cannot be read ({reason}); start without --resume first"
        ) from None
    except (
        RuntimeError,
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ):  # all that reading bytes of no known form may end in
        raise CodesignError(
            f"{path}: is not a checkpoint of codesign train; remove it and train again"
        ) from None
    version = found.get("format") if isinstance(found, dict) else None
    if isinstance(version, int) and version != FORMAT:
        raise CodesignError(
            f"{path}: has checkpoint format {version}, this version reads {FORMAT}; train again"
        )
    names = set(Checkpoint.__dataclass_fields__)
    if version is None or set(found) != {"format", *names}:
        raise CodesignError(
            f"{path}: is not a checkpoint of codesign train; remove it and train again"
        )
    return Checkpoint(**{name: found[name] for name in names})
