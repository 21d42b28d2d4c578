"""CIFAR-10 (Krizhevsky, 2009) from lossless mosaics, the official batches, or the official site."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.files import write_atomic
from codesign.train.data import Dataset, find_folder

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE = "cifar-10-python.tar.gz"
BATCHES = "cifar-10-batches-py"
#: MD5 sums published with the archive; the data set's own list.
ARCHIVE_MD5 = "c58f30108f718f92721af3b95e74349a"
BATCH_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
SIZES = {"train": 50_000, "test": 10_000}
#: Tiles of a mosaic: 10 columns by 20 rows of 32 x 32 pixels, row-major.
ROWS, COLUMNS, SIDE = 20, 10, 32


def load_cifar10(data: str | Path | None = None) -> Dataset:
    """CIFAR-10 from folder `data`, else from CODESIGN_DATA, else downloaded to the user's cache.

    The folder is, or holds as `cifar10/`, one of: lossless mosaics (`train-0000.webp`...,
    `labels.npz`), the official batches (`cifar-10-batches-py/`), or the official archive. The
    official files are checked by hash. Raises CodesignError for a missing or damaged file.
    """
    folder = find_folder(data)
    if folder is None:
        return _from_archive(_download())
    if folder.is_file():
        return _from_archive(folder)
    for place in (folder / "cifar10", folder):
        if (place / "labels.npz").is_file():
            return _from_mosaics(place)
        if (place / BATCHES).is_dir():
            return _from_batches(place / BATCHES)
        if (place / "data_batch_1").is_file():
            return _from_batches(place)
        if (place / ARCHIVE).is_file():
            return _from_archive(place / ARCHIVE)
    raise CodesignError(
        f"{folder}: holds no CIFAR-10; give a folder with mosaics and labels.npz, "
        f"{BATCHES}/, or {ARCHIVE}"
    )


def _from_mosaics(folder: Path) -> Dataset:
    try:
        with np.load(folder / "labels.npz", allow_pickle=False) as stored:
            labels = {split: stored[f"y_{split}"].astype(np.int64) for split in SIZES}
            classes = tuple(str(name) for name in stored["classes"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise CodesignError(
            f"{folder / 'labels.npz'}: is not the list of labels ({type(error).__name__}); "
            "copy the data set again"
        ) from None
    images = {split: _mosaics(folder, split) for split in SIZES}
    for split in SIZES:
        _complete(folder, split, images[split], labels[split])
    return Dataset(
        "cifar10", images["train"], labels["train"], images["test"], labels["test"], classes
    )


def _mosaics(folder: Path, split: str) -> NDArray[np.uint8]:
    from PIL import Image

    parts = []
    for path in sorted(folder.glob(f"{split}-*.webp")):
        try:
            with Image.open(path) as image:
                mosaic = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError) as error:
            raise CodesignError(
                f"{path}: is not a readable image ({type(error).__name__}); copy it again"
            ) from None
        if mosaic.shape != (ROWS * SIDE, COLUMNS * SIDE, 3):
            raise CodesignError(
                f"{path}: has {mosaic.shape[1]} x {mosaic.shape[0]} pixels; "
                f"a mosaic has {COLUMNS * SIDE} x {ROWS * SIDE}; copy it again"
            )
        tiles = mosaic.reshape(ROWS, SIDE, COLUMNS, SIDE, 3).transpose(0, 2, 1, 3, 4)
        parts.append(tiles.reshape(-1, SIDE, SIDE, 3))
    return np.concatenate(parts) if parts else np.empty((0, SIDE, SIDE, 3), np.uint8)


def _from_archive(path: Path) -> Dataset:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(f"{path}: cannot be read ({reason}); check the file") from None
    _check_hash(path, raw, ARCHIVE_MD5)
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
        members = {}
        for name in BATCH_MD5:
            stream = archive.extractfile(f"{BATCHES}/{name}")
            assert stream is not None  # the hash says that it is there
            members[name] = stream.read()
    return _official(path, members)


def _from_batches(folder: Path) -> Dataset:
    members = {}
    for name, digest in BATCH_MD5.items():
        path = folder / name
        try:
            members[name] = path.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CodesignError(
                f"{path}: cannot be read ({reason}); copy the data set again"
            ) from None
        _check_hash(path, members[name], digest)
    return _official(folder, members)


def _official(where: Path, members: dict[str, bytes]) -> Dataset:
    parts = {name: unpickle(where / name, raw) for name, raw in members.items()}
    train = [parts[name] for name in sorted(parts) if name.startswith("data")]
    splits = {"train": train, "test": [parts["test_batch"]]}
    images, labels = {}, {}
    for split, pieces in splits.items():
        flat = np.concatenate([piece[b"data"] for piece in pieces]).astype(np.uint8)
        # stored as three planes of 1,024 pixels
        planes = flat.reshape(-1, 3, SIDE, SIDE)
        images[split] = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        labels[split] = np.concatenate([np.asarray(p[b"labels"], np.int64) for p in pieces])
        _complete(where, split, images[split], labels[split])
    return Dataset(
        "cifar10", images["train"], labels["train"], images["test"], labels["test"], CLASSES
    )


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays and plain containers, and nothing else a pickle may name."""

    def find_class(self, module: str, name: str) -> Any:
        # the files of 2009 name NumPy's modules of that time
        if (module, name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }:
            return np.empty(0).__reduce__()[0]
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):
            return _encode_latin1
        raise pickle.UnpicklingError(f"{module}.{name}")


def _encode_latin1(text: str, encoding: str = "latin1") -> bytes:
    """What pickles of protocol 2 use for bytes."""
    return text.encode("latin1" if encoding == "latin1" else "ascii")


def unpickle(path: Path, raw: bytes) -> dict[bytes, Any]:
    """The mapping in one official batch; CodesignError where it holds anything but arrays."""
    try:
        found = _ArraysOnly(io.BytesIO(raw), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError) as error:
        raise CodesignError(
            f"{path}: is not a CIFAR-10 batch ({error}); copy the data set again"
        ) from None
    if not isinstance(found, dict) or not {b"data", b"labels"} <= set(found):
        raise CodesignError(f"{path}: holds no data and labels; give the official python batches")
    return found


def _download() -> Path:
    """The official archive in the user's cache, fetched once."""
    target = Path.home() / ".cache" / "codesign" / ARCHIVE
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(URL, timeout=60) as answer:
            raw = answer.read()
    except (OSError, urllib.error.URLError) as error:
        raise CodesignError(
            f"{URL}: cannot be fetched ({error}); give a folder with --data, or set CODESIGN_DATA"
        ) from None
    _check_hash(Path(URL), raw, ARCHIVE_MD5)
    return write_atomic(target, raw)


def _check_hash(path: Path, raw: bytes, wanted: str) -> None:
    found = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if found != wanted:
        raise CodesignError(
            f"{path}: MD5 is {found}, the official file has {wanted}; fetch it again"
        )


def _complete(
    where: Path, split: str, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    if not len(images) == len(labels) == SIZES[split]:
        raise CodesignError(
            f"{where}: has {len(images)} {split} images and {len(labels)} labels; "
            f"CIFAR-10 has {SIZES[split]:,}; copy the data set again"
        )
