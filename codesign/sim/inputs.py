"""What a run is given: images, folders of images, .npz and .npy files, or seeded random codes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray
from codesign.report.rows import Fit
from codesign.sim.arrays import Archive, stored_inputs
from codesign.sim.images import SUFFIXES, ImageReader

#: Inputs that are read and computed at a time: bounds the memory of a run over a folder.
BATCH = 256


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs computed together: their names, how images were fitted, the codes by graph input."""

    names: tuple[str, ...]
    fits: tuple[Fit | None, ...]
    arrays: Mapping[str, IntArray]


class Inputs:
    """A sequence of inputs for one graph, read batch by batch; `len()` is known from the start."""

    def __init__(self, graph: Graph, sources: Sequence[_Source], limit: int | None) -> None:
        self._graph = graph
        self._sources = sources
        whole = sum(len(source) for source in sources)
        self._count = whole if limit is None else min(limit, whole)

    def __len__(self) -> int:
        return self._count

    def batches(self, size: int = BATCH) -> Iterator[Batch]:
        """The inputs in order, at most `size` at a time."""
        left = self._count
        for source in self._sources:
            for batch in source.batches(min(size, max(left, 1)), left):
                left -= len(batch.names)
                yield batch
            if left == 0:
                return


def from_paths(
    graph: Graph, paths: Sequence[str | Path], *, fit: str = "crop", limit: int | None = None
) -> Inputs:
    """The inputs in files: images, folders of images (searched deeply, in order of their names),
    .npz and .npy files of integer codes.

    An .npz holds one array, or one for every input of the graph by its name; arrays have the
    inputs first. Raises CodesignError, one line that names the file.
    """
    if limit is not None and limit < 1:
        raise CodesignError(f"limit is {limit}; give 1 or more")
    sources: list[_Source] = []
    reader: ImageReader | None = None
    for path in map(Path, paths):
        place = display(path)
        if not path.exists():
            raise CodesignError(f"{place}: no such file or folder; check the path")
        if path.suffix.lower() in (".npz", ".npy"):
            sources.append(_Stored(stored_inputs(graph, path, place)))
            continue
        reader = reader or ImageReader.of(graph, fit)
        sources.append(_Files(graph.inputs[0], reader, _image_files(path, place)))
    return Inputs(graph, sources, limit)


def from_arrays(graph: Graph, arrays: Mapping[str, IntArray], name: str = "input") -> Inputs:
    """The inputs in memory, one array for each graph input, the inputs first."""
    from codesign.engine import prepare

    return Inputs(graph, [_Arrays(name, prepare(graph, arrays))], None)


def from_random(graph: Graph, seed: int, count: int) -> Inputs:
    """`count` seeded random inputs: the same codes on any machine, whatever the count.

    Uniform but for the remainder of 2^64 by the number of codes.
    """
    if count < 1:
        raise CodesignError(f"the number of random inputs is {count}; give 1 or more")
    return Inputs(graph, [_Random(f"random seed {seed}", graph, seed, count)], None)


def display(path: Path) -> str:
    """The path as text that any file can hold: bytes that are no text are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Files:
    """Image files, opened as they are needed."""

    input: str
    reader: ImageReader
    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def batches(self, size: int, limit: int) -> Iterator[Batch]:
        paths = iter(self.paths[:limit])
        while group := list(islice(paths, size)):
            names = tuple(display(path) for path in group)
            read = [self.reader.read(path, name) for path, name in zip(group, names, strict=True)]
            codes = np.stack([codes for codes, _ in read])
            yield Batch(names, tuple(fit for _, fit in read), {self.input: codes})


@dataclass(frozen=True, slots=True)
class _Arrays:
    """Codes in memory, one entry an input along the first axis."""

    place: str
    arrays: Mapping[str, IntArray]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def batches(self, size: int, limit: int) -> Iterator[Batch]:
        for start in range(0, min(len(self), limit), size):
            stop = min(start + size, len(self), limit)
            codes = {name: array[start:stop] for name, array in self.arrays.items()}
            yield _batch(self.place, len(self), start, codes)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Codes in a file, read by parts."""

    archive: Archive

    def __len__(self) -> int:
        return len(self.archive)

    def batches(self, size: int, limit: int) -> Iterator[Batch]:
        start = 0
        for codes in self.archive.parts(size, limit):
            yield _batch(self.archive.place, len(self), start, codes)
            start += size


@dataclass(frozen=True, slots=True)
class _Random:
    """Codes of a seed, drawn as they are needed."""

    place: str
    graph: Graph
    seed: int
    count: int

    def __len__(self) -> int:
        return self.count

    def batches(self, size: int, limit: int) -> Iterator[Batch]:
        streams = {name: np.random.PCG64(self._key(name)) for name in self.graph.inputs}
        for start in range(0, min(self.count, limit), size):
            count = min(size, self.count - start, limit - start)
            codes = {name: self._draw(name, streams[name], count) for name in streams}
            yield _batch(self.place, self.count, start, codes)

    def _key(self, name: str) -> int:
        digest = hashlib.sha256(f"{self.seed} {name}".encode()).digest()
        return int.from_bytes(digest[:16], "little")

    def _draw(self, name: str, stream: np.random.PCG64, count: int) -> IntArray:
        value = self.graph.values[name]
        raw = stream.random_raw(count * value.size)  # this stream never changes
        codes = (
            value.type.lo + (raw % np.uint64(value.type.count)).astype(np.int64) * value.type.step
        )
        return codes.reshape(count, *value.shape).astype(value.type.dtype)


_Source = _Files | _Arrays | _Stored | _Random


def _batch(place: str, whole: int, start: int, codes: Mapping[str, IntArray]) -> Batch:
    """A batch of the inputs at `place`, which holds `whole` of them."""
    stop = start + len(next(iter(codes.values())))
    names = tuple(f"{place}[{i}]" if whole != 1 else place for i in range(start, stop))
    return Batch(names, (None,) * (stop - start), codes)


def _image_files(path: Path, place: str) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
    )
    if not found:
        raise CodesignError(
            f"{place}: holds no images ({', '.join(sorted(SUFFIXES))}); give a folder with some"
        )
    return found
