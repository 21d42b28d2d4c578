"""Codes from .npz and .npy files, read by parts: a file may be larger than the memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from codesign.engine import need_equal_counts, need_form, prepare, refuse_nan
from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray

#: Prefix of the inputs in a file of golden vectors, which is itself a file of inputs.
GOLDEN_PREFIX = "input/"
#: Images that are read at a time where only their form is judged.
_PART = 256
_MAGIC, _ZIP = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")
_ERRORS = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One array in a file, `member` of the archive, or the file itself where that is None.

    Attributes:
        shape: images first; of a single input that has no such axis, with it.
        by_rows: whether an image is in one piece; else (Fortran order) the array is read whole.
    """

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_rows: bool

    @classmethod
    def of(cls, path: Path, member: str | None) -> Stored:
        """What the file's header says. Raises any of the readers' errors."""
        with _opened(path, member) as stream:
            shape, fortran, dtype = _header(stream)
            if dtype.hasobject:
                raise ValueError("allow_pickle")
            start = stream.tell()
        if member is None:
            size = path.stat().st_size
        else:
            with zipfile.ZipFile(path) as archive:
                size = archive.getinfo(member).file_size
        if size - start < prod(shape) * dtype.itemsize:
            raise EOFError
        return cls(path, member, shape, dtype, not fortran)

    def parts(self, size: int, limit: int | None = None) -> Iterator[NDArray[Any]]:
        """The first `limit` images (all), `size` at a time. Raises any of the readers' errors."""
        count = self.shape[0] if limit is None else min(limit, self.shape[0])
        with _opened(self.path, self.member) as stream:
            if not self.by_rows:
                whole = npy.read_array(stream, allow_pickle=False).reshape(self.shape)
                for start in range(0, count, size):
                    yield whole[start : min(start + size, count)]
                return
            _header(stream)
            for start in range(0, count, size):
                shape = (min(size, count - start), *self.shape[1:])
                wanted = prod(shape) * self.dtype.itemsize
                data = stream.read(wanted)
                if len(data) < wanted:
                    raise EOFError
                yield np.frombuffer(data, self.dtype).reshape(shape)
            if count == self.shape[0]:
                stream.read(1)  # an archive compares its checksum at the end


@dataclass(frozen=True, slots=True)
class Archive:
    """The inputs of a graph in one file, read by parts; made by `stored_inputs`."""

    graph: Graph
    place: str
    arrays: Mapping[str, Stored]

    def __len__(self) -> int:
        return next(iter(self.arrays.values())).shape[0]

    def parts(self, size: int, limit: int) -> Iterator[dict[str, IntArray]]:
        """The first `limit` images, at most `size` at a time, checked as they are read.

        Raises CodesignError, one line that begins with the place.
        """
        readers = [array.parts(size, limit) for array in self.arrays.values()]
        first = 0
        while True:
            with _at(self.place):
                read = [next(reader, None) for reader in readers]
                chunk = {n: a for n, a in zip(self.arrays, read, strict=True) if a is not None}
                if not chunk:
                    return
                codes = prepare(self.graph, chunk, first)
            yield codes
            first += len(next(iter(chunk.values())))


def stored_inputs(graph: Graph, path: Path, place: str) -> Archive:
    """The arrays for each input of `graph` in a file, the inputs along the first axis.

    A single input may leave that axis out. Only the form is read and checked here, the codes by
    parts. Raises CodesignError, one line that begins with `place`: unreadable, ambiguous, of a
    wrong shape, or not integers.
    """
    with _at(place):
        members = _members(path)
        wanted = list(graph.inputs)
        if {f"{GOLDEN_PREFIX}{name}" for name in wanted} <= set(members):
            chosen = [members[f"{GOLDEN_PREFIX}{name}"] for name in wanted]
        elif len(wanted) == len(members) == 1:
            chosen = list(members.values())
        elif set(wanted) <= set(members):
            chosen = [members[name] for name in wanted]
        else:
            raise CodesignError(
                f"holds {', '.join(members) or 'no array'}, {graph.name} takes "
                f"{', '.join(wanted)}; name the arrays so"
            )
        arrays: dict[str, Stored] = {}
        for name, member in zip(wanted, chosen, strict=True):
            array = _first_axis(graph, name, Stored.of(path, member))
            if array.dtype.kind == "f":
                _refuse_nan(graph, name, array)
            need_form(graph, name, array.shape, array.dtype)
            arrays[name] = array
        need_equal_counts({name: array.shape[0] for name, array in arrays.items()})
    return Archive(graph, place, arrays)


def load(path: Path, place: str) -> Mapping[str, Any]:
    """The arrays of an .npz or .npy file by name; CodesignError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.stem: content}
            return {name: content[name] for name in content.files}
    except _ERRORS as error:
        raise _unreadable(place, error) from None


def _members(path: Path) -> dict[str, str | None]:
    """Where each array is, by its name: which member of the archive, None for the file itself."""
    with path.open("rb") as stream:
        magic = stream.read(len(_MAGIC))
    if magic == _MAGIC:
        return {path.stem: None}
    if not magic.startswith(_ZIP):
        raise ValueError("neither an array nor an archive")
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): name for name in archive.namelist()}


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    with path.open("rb") as stream:
        if member is None:
            yield stream
            return
        with zipfile.ZipFile(stream) as archive, archive.open(member) as inner:
            yield inner


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type; the stream stands at the data then."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return shape, fortran, dtype


def _first_axis(graph: Graph, name: str, array: Stored) -> Stored:
    if array.shape != graph.values[name].shape:
        return array
    return Stored(array.path, array.member, (1, *array.shape), array.dtype, array.by_rows)


def _refuse_nan(graph: Graph, name: str, array: Stored) -> None:
    first = 0
    for part in array.parts(_PART) if array.shape else ():
        refuse_nan(name, part, graph.values[name].type, first)
        first += len(part)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Says where an error is from."""
    try:
        yield
    except CodesignError as error:
        raise CodesignError(f"{place}: {error}") from None
    except _ERRORS as error:
        raise _unreadable(place, error) from None


def _unreadable(place: str, error: Exception) -> CodesignError:
    reason = "it is cut short or no NumPy file"
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror.lower()
    elif "allow_pickle" in str(error):
        reason = "it holds Python objects"
    return CodesignError(
        f"{place}: cannot be read ({reason}); write integer arrays with numpy.savez"
    )
