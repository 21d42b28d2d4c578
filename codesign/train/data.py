"""Data sets: what a training run reads, whatever the form it is stored in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError

#: The variable that names a data folder where no argument does.
VARIABLE = "CODESIGN_DATA"


@dataclass(frozen=True)
class Dataset:
    """Images (N, H, W, C) uint8, labels (N,) int64, and the names of the classes.

    Of clips: (N, T, H, W, C).
    """

    name: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]
    classes: tuple[str, ...]


def load_digits() -> Dataset:
    """scikit-learn's 1,797 digits, 8 x 8: every fourth image is for testing (450).

    Grey levels 0..16 become pixels `x * 255 // 16`. Raises CodesignError without scikit-learn.
    """
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise CodesignError(
            "digits: scikit-learn is not installed; pip install 'codesign[train]'"
        ) from None
    found = datasets.load_digits()
    pixels = (found.images.astype(np.int64) * 255 // 16).astype(np.uint8)[..., None]
    labels = found.target.astype(np.int64)
    held_out = np.arange(len(labels)) % 4 == 0
    return Dataset(
        "digits",
        pixels[~held_out],
        labels[~held_out],
        pixels[held_out],
        labels[held_out],
        tuple(str(digit) for digit in range(10)),
    )


def find_folder(given: str | Path | None) -> Path | None:
    """The data folder: the argument, else that of CODESIGN_DATA, else None.

    Raises CodesignError where it is named and is no folder.
    """
    source, place = given, "--data"
    if source is None:
        source, place = os.environ.get(VARIABLE) or None, VARIABLE
    if source is None:
        return None
    folder = Path(source)
    if not folder.is_dir() and not (folder.is_file() and folder.name.endswith(".tar.gz")):
        raise CodesignError(
            f"{place} {folder}: no such folder; give the folder that holds cifar10/, or is it"
        )
    return folder
