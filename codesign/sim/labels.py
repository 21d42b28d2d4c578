"""Expected classes from a file: names or indices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import IntArray
from codesign.sim.arrays import load


def read_labels(path: str | Path, classes: Sequence[str], place: str) -> list[int]:
    """The class index of every line of a text file, or of every element of an .npz or .npy.

    A line is a name among `classes` or an index; names come first, so that a class called `7`
    is meant by `7`. Raises CodesignError naming file, line and class.
    """
    file = Path(path)
    if not file.exists():
        raise CodesignError(f"{place}: no such file; check the path")
    if file.suffix.lower() in (".npz", ".npy"):
        return _from_array(file, len(classes), place)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise CodesignError(
            f"{place}: is not text; give a class name or index a line, an .npz or an .npy"
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(f"{place}: cannot be read ({reason}); give a text file") from None
    indices = {name: index for index, name in reversed(list(enumerate(classes)))}
    indices = {str(index): index for index in range(len(classes))} | indices
    labels: list[int] = []
    for number, line in enumerate(lines, start=1):
        name = line.strip()
        if name not in indices:
            raise CodesignError(f"{place}:{number}: {_unknown(name, classes)}")
        labels.append(indices[name])
    return labels


def need_count(labels: Sequence[int], inputs: int, place: str) -> None:
    """Refuse labels that are not one an input."""
    if len(labels) != inputs:
        raise CodesignError(f"{place}: has {len(labels)} labels for {inputs} inputs; give one each")


def from_array(labels: IntArray, classes: int, place: str) -> list[int]:
    """Class indices of an integer array of one axis, in range."""
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise CodesignError(
            f"{place}: labels are {labels.dtype} of shape {labels.shape}; "
            "give integers, one an input"
        )
    for position, label in enumerate(labels.tolist()):
        if not 0 <= label < classes:
            raise CodesignError(
                f"{place}: label {position} is {label}; classes are 0 to {classes - 1}"
            )
    return [int(label) for label in labels]


def _from_array(file: Path, classes: int, place: str) -> list[int]:
    found = load(file, place)
    if "labels" not in found and len(found) != 1:
        raise CodesignError(
            f"{place}: holds {', '.join(found) or 'no array'}; name the array of classes labels"
        )
    labels = found["labels"] if "labels" in found else next(iter(found.values()))
    return from_array(np.asarray(labels), classes, place)


def _unknown(name: str, classes: Sequence[str]) -> str:
    shown = ", ".join(classes) if len(classes) <= 20 else f"one of {len(classes)} names"
    return f"{name!r} is not a class; give {shown}, or an index 0 to {len(classes) - 1}"
