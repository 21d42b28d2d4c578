"""Data sets: every form of CIFAR-10, digits, augmentation, and what is wrong with a folder."""

import hashlib
import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codesign.errors import CodesignError
from codesign.train import cifar
from codesign.train.augment import batches
from codesign.train.data import load_digits

SIZES = {"train": 400, "test": 200}


@pytest.fixture
def small(monkeypatch):
    """A CIFAR-10 of 400 + 200 images: the same code, fewer files."""
    monkeypatch.setattr(cifar, "SIZES", SIZES)
    random = np.random.default_rng(0)
    images = {k: random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for k, n in SIZES.items()}
    labels = {k: random.integers(0, 10, n).astype(np.uint8) for k, n in SIZES.items()}
    return images, labels


def write_mosaics(folder: Path, images, labels) -> None:
    folder.mkdir(parents=True)
    for split, pixels in images.items():
        for number, part in enumerate(pixels.reshape(-1, 200, 32, 32, 3)):
            mosaic = part.reshape(20, 10, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(640, 320, 3)
            Image.fromarray(mosaic).save(folder / f"{split}-{number:04}.webp", lossless=True)
    arrays = {f"y_{split}": values for split, values in labels.items()}
    np.savez(folder / "labels.npz", classes=np.array(cifar.CLASSES), **arrays)


def official(images, labels) -> dict[str, bytes]:
    """The batches as the official files hold them: planes of pixels, protocol 2, bytes as keys."""
    parts = np.array_split(np.arange(SIZES["train"]), 5)
    members = {}
    for name in cifar.BATCH_MD5:
        split = "test" if name == "test_batch" else "train"
        index = slice(None) if split == "test" else parts[int(name[-1]) - 1]
        planes = images[split][index].transpose(0, 3, 1, 2).reshape(-1, 3072)
        batch = {b"data": planes, b"labels": labels[split][index].tolist(), b"batch_label": b"x"}
        members[name] = pickle.dumps(batch, protocol=2)
    return members


def md5(raw: bytes) -> str:
    return hashlib.md5(raw).hexdigest()


def assert_same(data, images, labels) -> None:
    assert np.array_equal(data.x_train, images["train"])
    assert np.array_equal(data.x_test, images["test"])
    assert np.array_equal(data.y_train, labels["train"])
    assert np.array_equal(data.y_test, labels["test"])
    assert data.classes == cifar.CLASSES


@pytest.mark.parametrize("place", ["cifar10", "."])
def test_mosaics(small, tmp_path, place):
    write_mosaics(tmp_path / "data" / place, *small)
    assert_same(cifar.load_cifar10(tmp_path / "data"), *small)


def test_the_variable_names_the_folder(small, tmp_path, monkeypatch):
    write_mosaics(tmp_path / "cifar10", *small)
    monkeypatch.setenv("CODESIGN_DATA", str(tmp_path))
    assert_same(cifar.load_cifar10(), *small)


@pytest.mark.parametrize("inside", [True, False])
def test_official_batches(small, tmp_path, monkeypatch, inside):
    members = official(*small)
    monkeypatch.setattr(cifar, "BATCH_MD5", {name: md5(raw) for name, raw in members.items()})
    folder = tmp_path / cifar.BATCHES
    folder.mkdir()
    for name, raw in members.items():
        (folder / name).write_bytes(raw)
    assert_same(cifar.load_cifar10(tmp_path if inside else folder), *small)
    (folder / "data_batch_2").write_bytes(b"x")
    with pytest.raises(CodesignError) as error:
        cifar.load_cifar10(tmp_path)
    assert str(error.value) == (
        f"{folder / 'data_batch_2'}: MD5 is {md5(b'x')}, the official file has "
        f"{md5(members['data_batch_2'])}; fetch it again"
    )
    (folder / "data_batch_1").unlink()
    with pytest.raises(CodesignError, match=r"data_batch_1: cannot be read \(no such file"):
        cifar.load_cifar10(tmp_path)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, raw in members.items():
            info = tarfile.TarInfo(f"{cifar.BATCHES}/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def test_official_archive_in_a_folder_or_by_itself(small, tmp_path, monkeypatch):
    raw = archive(official(*small))
    monkeypatch.setattr(cifar, "ARCHIVE_MD5", md5(raw))
    path = tmp_path / cifar.ARCHIVE
    path.write_bytes(raw)
    assert_same(cifar.load_cifar10(tmp_path), *small)
    assert_same(cifar.load_cifar10(path), *small)


def test_download_goes_to_the_cache_once(small, tmp_path, monkeypatch):
    raw = archive(official(*small))
    monkeypatch.setattr(cifar, "ARCHIVE_MD5", md5(raw))
    monkeypatch.setattr(cifar, "URL", (tmp_path / "remote").as_uri())
    monkeypatch.delenv("CODESIGN_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(CodesignError) as error:
        cifar.load_cifar10()
    assert str(error.value).startswith(f"{cifar.URL}: cannot be fetched (")
    assert str(error.value).endswith("; give a folder with --data, or set CODESIGN_DATA")
    (tmp_path / "remote").write_bytes(raw[:-1])
    with pytest.raises(CodesignError, match="the official file has"):
        cifar.load_cifar10()
    assert not list((tmp_path / "home").rglob("*.gz"))
    (tmp_path / "remote").write_bytes(raw)
    assert_same(cifar.load_cifar10(), *small)
    (tmp_path / "remote").unlink()
    assert_same(cifar.load_cifar10(), *small)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            pickle.dumps({b"data": Evil(), b"labels": []}, protocol=2),
            "b: is not a CIFAR-10 batch (posix.system); copy the data set again",
        ),
        (
            pickle.dumps([1]),
            "b: holds no data and labels; give the official python batches",
        ),
        (b"", "b: is not a CIFAR-10 batch (Ran out of input); copy the data set again"),
    ],
)
def test_pickles_of_anything_else_are_refused(raw, message):
    with pytest.raises(CodesignError) as error:
        cifar.unpickle(Path("b"), raw)
    assert str(error.value) == message


def test_damaged_mosaics(small, tmp_path):
    write_mosaics(tmp_path / "cifar10", *small)
    folder = tmp_path / "cifar10"
    Image.new("RGB", (32, 64)).save(folder / "test-0000.webp", lossless=True)
    expect(
        tmp_path,
        f"{folder / 'test-0000.webp'}: has 32 x 64 pixels; a mosaic has 320 x 640; copy it again",
    )
    (folder / "test-0000.webp").write_text("text")
    expect(
        tmp_path,
        f"{folder / 'test-0000.webp'}: is not a readable image (UnidentifiedImageError); "
        "copy it again",
    )
    (folder / "test-0000.webp").unlink()
    expect(
        tmp_path,
        f"{folder}: has 0 test images and 200 labels; CIFAR-10 has 200; copy the data set again",
    )
    (folder / "labels.npz").write_text("text")
    expect(
        tmp_path,
        f"{folder / 'labels.npz'}: is not the list of labels (ValueError); copy the data set again",
    )


def expect(folder: Path, message: str) -> None:
    with pytest.raises(CodesignError) as error:
        cifar.load_cifar10(folder)
    assert str(error.value) == message


def test_missing_and_empty_folders(tmp_path, monkeypatch):
    expect(
        tmp_path / "no",
        f"--data {tmp_path / 'no'}: no such folder; give the folder that holds cifar10/, or is it",
    )
    expect(
        tmp_path,
        f"{tmp_path}: holds no CIFAR-10; give a folder with mosaics and labels.npz, "
        "cifar-10-batches-py/, or cifar-10-python.tar.gz",
    )
    monkeypatch.setenv("CODESIGN_DATA", "/nowhere")
    with pytest.raises(CodesignError, match=r"^CODESIGN_DATA /nowhere: no such folder"):
        cifar.load_cifar10()


@pytest.mark.cifar
@pytest.mark.skipif(not os.environ.get("CODESIGN_DATA"), reason="CODESIGN_DATA names no CIFAR-10")
def test_the_real_data_set():
    data = cifar.load_cifar10()
    assert data.x_train.shape == (50_000, 32, 32, 3)
    assert data.x_test.shape == (10_000, 32, 32, 3)
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.classes == cifar.CLASSES


def test_digits():
    data = load_digits()
    assert data.x_train.shape == (1347, 8, 8, 1)
    assert data.x_test.shape == (450, 8, 8, 1)
    assert (data.x_train.min(), data.x_train.max()) == (0, 255)
    assert set(data.y_test) == set(range(10))


def drawn(epoch=0, seed=0, pad=2, flip=True, batch=4, count=10):
    images = np.arange(count * 5 * 6 * 2).reshape(count, 5, 6, 2).astype(np.uint8)
    labels = np.arange(count)
    return images, list(
        batches(images, labels, batch=batch, seed=seed, epoch=epoch, pad=pad, flip=flip)
    )


def test_batches_are_crops_and_mirrors_of_their_images():
    images, parts = drawn()
    assert [len(labels) for _, labels in parts] == [4, 4, 2]
    assert sorted(label for _, labels in parts for label in labels) == list(range(10))
    for pixels, labels in parts:
        for image, label in zip(pixels, labels, strict=True):
            padded = np.pad(images[label], ((2, 2), (2, 2), (0, 0)))
            crops = [padded[i : i + 5, j : j + 6] for i in range(5) for j in range(5)]
            assert any(
                np.array_equal(image, crop) or np.array_equal(image, crop[:, ::-1])
                for crop in crops
            )


def test_batches_depend_on_seed_and_epoch_alone():
    def raw(**options):
        return b"".join(p.tobytes() for p, _ in drawn(**options)[1])

    assert raw() == raw()
    assert raw(epoch=1) != raw()
    assert raw(seed=1) != raw()


def test_a_small_rest_is_left_out_and_nothing_is_moved_without_augmentation():
    images, parts = drawn(pad=0, flip=False, count=9)
    assert [len(labels) for _, labels in parts] == [4, 4]
    for pixels, labels in parts:
        assert np.array_equal(pixels, images[labels])
