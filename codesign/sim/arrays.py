"""Codes from .npz and .npy files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from codesign.engine import prepare
from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray

#: Prefix of the inputs in a file of golden vectors, which is itself a file of inputs.
GOLDEN_PREFIX = "input/"


def read_arrays(graph: Graph, path: Path, place: str) -> dict[str, IntArray]:
    """One checked array for each input of `graph`, the inputs along the first axis.

    A single input may leave that axis out. Raises CodesignError, one line that begins with
    `place`: unreadable, ambiguous, of a wrong shape, not integers, or codes outside their type.
    """
    found = load(path, place)
    if all(f"{GOLDEN_PREFIX}{name}" in found for name in graph.inputs):
        found = {name: found[f"{GOLDEN_PREFIX}{name}"] for name in graph.inputs}
    elif len(graph.inputs) == 1 and len(found) == 1:
        found = {graph.inputs[0]: next(iter(found.values()))}
    missing = [name for name in graph.inputs if name not in found]
    if missing:
        raise CodesignError(
            f"{place}: holds {', '.join(found) or 'no array'}, {graph.name} takes "
            f"{', '.join(graph.inputs)}; name the arrays so"
        )
    chosen = {name: found[name] for name in graph.inputs}
    for name, array in chosen.items():
        if array.shape == graph.values[name].shape:
            chosen[name] = array[np.newaxis]
    try:
        return prepare(graph, chosen)
    except CodesignError as error:
        raise CodesignError(f"{place}: {error}") from None


def load(path: Path, place: str) -> Mapping[str, Any]:
    """The arrays of an .npz or .npy file by name; CodesignError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.stem: content}
            return {name: content[name] for name in content.files}
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        NotImplementedError,
        zipfile.BadZipFile,
    ) as error:
        reason = "it is cut short or no NumPy file"
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror.lower()
        elif "allow_pickle" in str(error):
            reason = "it holds Python objects"
        raise CodesignError(
            f"{place}: cannot be read ({reason}); write integer arrays with numpy.savez"
        ) from None
