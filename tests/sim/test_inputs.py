"""Inputs from files, folders, arrays and seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codesign.errors import CodesignError
from codesign.ir import Graph, GraphBuilder, IntType
from codesign.sim.inputs import Inputs, from_arrays, from_paths, from_random
from tests.small import small

GRAPH = small()


def all_of(inputs: Inputs, size: int = 256) -> tuple[list[str], np.ndarray]:
    batches = list(inputs.batches(size))
    names = [name for batch in batches for name in batch.names]
    return names, np.concatenate([batch.arrays["image"] for batch in batches])


def two_inputs() -> Graph:
    builder = GraphBuilder("two")
    a = builder.input("a", (2,), IntType(-1, 1, 2))
    builder.input("b", (3,), IntType(0, 3))
    builder.output(builder.node("y", "sign", [a]))
    return builder.build()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of one colour each, 0, 1, 2, in a tree, and other files beside them."""
    for number, name in enumerate(["a.png", "b/c.webp", "b/d.PNG"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        image = Image.new("RGB", (8, 8), (number, number, number))
        image.save(path, **({"lossless": True} if path.suffix == ".webp" else {}))
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".hidden.png").write_text("none")
    return tmp_path


def test_folder_in_order_of_names(folder: Path) -> None:
    inputs = from_paths(GRAPH, [folder, folder / "a.png"])
    names, codes = all_of(inputs, 2)
    assert len(inputs) == 4
    assert [name.removeprefix(f"{folder}/") for name in names] == [
        "a.png", "b/c.webp", "b/d.PNG", "a.png",
    ]  # fmt: skip
    assert codes[:, 0, 0, 0].tolist() == [0, 1, 2, 0]


def test_batches_and_limit(tmp_path: Path) -> None:
    first, second = np.zeros((5, 3, 8, 8), np.uint8), np.ones((4, 3, 8, 8), np.int64)
    np.save(tmp_path / "x.npy", first)
    np.savez(tmp_path / "y.npz", anything=second)
    paths = [tmp_path / "x.npy", tmp_path / "y.npz"]
    for limit, size in [(None, 256), (None, 2), (7, 3), (5, 3), (2, 3), (99, 4)]:
        inputs = from_paths(GRAPH, paths, limit=limit)
        names, codes = all_of(inputs, size)
        assert len(names) == len(codes) == len(inputs) == min(limit or 9, 9)
        assert codes[:, 0, 0, 0].tolist() == ([0] * 5 + [1] * 4)[: len(codes)]
        assert max(len(batch.names) for batch in inputs.batches(size)) <= size
    assert all_of(from_paths(GRAPH, paths))[0][4:6] == [
        f"{tmp_path}/x.npy[4]",
        f"{tmp_path}/y.npz[0]",
    ]


def test_one_input_without_its_axis_and_several_graph_inputs(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8), np.int32))
    names, codes = all_of(from_paths(GRAPH, [tmp_path / "x.npy"]))
    assert (names, codes.shape) == ([f"{tmp_path}/x.npy"], (1, 3, 8, 8))
    np.savez(tmp_path / "z.npz", b=np.full((2, 3), 3), a=np.full((2, 2), -1), more=np.zeros(1))
    (batch,) = from_paths(two_inputs(), [tmp_path / "z.npz"]).batches()
    assert list(batch.arrays) == ["a", "b"]
    assert batch.arrays["b"].tolist() == [[3] * 3] * 2


def message(graph: Graph, path: Path) -> str:
    with pytest.raises(CodesignError) as error:
        list(from_paths(graph, [path]).batches())
    return str(error.value).replace(f"{path.parent}/", "")


def test_refused_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"

    def of(**arrays: np.ndarray) -> str:
        np.savez(path, **arrays)
        return message(GRAPH, path)

    good = np.zeros((2, 3, 8, 8))
    assert of(image=good) == (
        "x.npz: input image has float64 elements; expected integer codes [0..255]; "
        "convert it to integers"
    )
    good[1, 2, 3, 4] = np.nan
    assert of(image=good) == (
        "x.npz: input image holds NaN at [1, 2, 3, 4]; expected integer codes [0..255]; "
        "replace it and convert to integers"
    )
    wrong = np.zeros((2, 3, 8, 8), np.int16)
    wrong[1, 0, 7, 7] = 256
    assert of(image=wrong) == (
        "x.npz: input image holds 256 at [1, 0, 7, 7]; expected codes [0..255]; "
        "bring it into its type"
    )
    assert of(image=np.zeros((2, 8, 8, 3), np.uint8)) == (
        "x.npz: input image has shape (2, 8, 8, 3); expected (N, 3, 8, 8), images first"
    )
    assert of(x=wrong, y=wrong) == "x.npz: holds x, y, small takes image; name the arrays so"
    assert of(image=np.array([None])) == (
        "x.npz: cannot be read (it holds Python objects); write integer arrays with numpy.savez"
    )
    np.savez(path, a=np.zeros((2, 2), np.int8), b=np.zeros((2, 3), np.int8))
    assert message(two_inputs(), path) == (
        "x.npz: input a holds 0 at [0, 0]; expected codes [-1..1/2]; bring it into its type"
    )
    np.savez(path, a=np.ones((2, 2), np.int8), b=np.zeros((1, 3), np.int8))
    assert message(two_inputs(), path) == (
        "x.npz: inputs have different numbers of images (a 2, b 1); give as many each"
    )


def save_each(folder: Path, array: np.ndarray) -> list[Path]:
    """The array in every kind of file that holds it."""
    paths = [folder / name for name in ("x.npy", "stored.npz", "packed.npz", "columns.npz")]
    np.save(paths[0], array)
    np.savez(paths[1], other=np.zeros(3), image=array)
    np.savez_compressed(paths[2], image=array)
    np.savez(paths[3], image=np.asfortranarray(array))
    return paths


@pytest.mark.parametrize("dtype", [np.uint8, ">i4", np.int64])
def test_files_are_read_by_parts(tmp_path: Path, dtype: str) -> None:
    array = np.random.default_rng(0).integers(0, 256, (23, 3, 8, 8)).astype(dtype)
    for path in save_each(tmp_path, array):
        inputs = from_paths(GRAPH, [path])
        for size in (1, 5, 23, 99):
            names, codes = all_of(inputs, size)
            assert np.array_equal(codes, array)
            assert codes.dtype == np.uint8
            assert names == [f"{path}[{i}]" for i in range(23)]
        assert np.array_equal(all_of(from_paths(GRAPH, [path], limit=7), 3)[1], array[:7])


def test_what_is_wrong_far_behind(tmp_path: Path) -> None:
    """A wrong code is named by its place in the whole, and only what is asked for is judged."""
    array = np.zeros((600, 3, 8, 8), np.int16)
    array[517, 1, 2, 3] = -1
    for path in save_each(tmp_path, array):
        assert message(GRAPH, path) == (
            f"{path.name}: input image holds -1 at [517, 1, 2, 3]; expected codes [0..255]; "
            "bring it into its type"
        )
        assert len(all_of(from_paths(GRAPH, [path], limit=517))[0]) == 517
    floats = np.zeros((600, 3, 8, 8), np.float32)
    floats[517, 1, 2, 3] = np.nan
    for path in save_each(tmp_path, floats):
        with pytest.raises(CodesignError) as error:
            from_paths(GRAPH, [path])  # before anything is computed
        assert str(error.value) == (
            f"{path}: input image holds NaN at [517, 1, 2, 3]; expected integer codes [0..255]; "
            "replace it and convert to integers"
        )


def test_a_file_that_is_damaged_behind(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (300, 3, 8, 8), np.uint8)
    for path in save_each(tmp_path, array)[1:]:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x5A
        path.write_bytes(content)
        assert message(GRAPH, path) == (
            f"{path.name}: cannot be read (it is cut short or no NumPy file); "
            "write integer arrays with numpy.savez"
        )
    path = tmp_path / "x.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CodesignError) as error:
        from_paths(GRAPH, [path])
    assert str(error.value) == (
        f"{path}: cannot be read (it is cut short or no NumPy file); "
        "write integer arrays with numpy.savez"
    )


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    tracemalloc = pytest.importorskip("tracemalloc")
    path = tmp_path / "x.npz"
    np.savez_compressed(path, image=np.zeros((100_000, 3, 8, 8), np.uint8))
    inputs = from_paths(GRAPH, [path])
    tracemalloc.start()
    try:
        assert sum(len(batch.names) for batch in inputs.batches()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20  # 19 MB are in the file
    finally:
        tracemalloc.stop()


def test_clips_and_clips_of_another_length(tmp_path: Path) -> None:
    builder = GraphBuilder("video")
    clip = builder.input("clip", (3, 4, 6, 8), IntType(0, 255))
    builder.output(builder.node("y", "hwmsb", [clip], bits=1, shift=7))
    graph, path = builder.build(), tmp_path / "x.npy"
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 6, 8), dtype=np.uint8)
    for given in (clips, clips[0]):
        np.save(path, given)
        (batch,) = from_paths(graph, [path]).batches()
        assert np.array_equal(batch.arrays["clip"], given.reshape(-1, 3, 4, 6, 8))
    for given in (clips[:, :, :3], clips[0, :, :3]):
        np.save(path, given)
        assert message(graph, path) == (
            "x.npy: input clip has 3 frames, video takes 4; sample the clip to 4 frames"
        )
    np.save(path, np.moveaxis(clips, 1, -1))
    assert message(graph, path) == (
        "x.npy: input clip has shape (2, 4, 6, 8, 3), channels last; expected (N, 3, 4, 6, 8): "
        "channels, frames, height, width"
    )
    np.save(path, clips[..., :7])
    assert message(graph, path) == (
        "x.npy: input clip has shape (2, 3, 4, 6, 7); expected (N, 3, 4, 6, 8), images first"
    )


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut short", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_refused_files(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    found = message(GRAPH, tmp_path / name)
    assert found.startswith(f"{name}: cannot be read (")
    assert found.endswith("); write integer arrays with numpy.savez")


def test_truncated_npz(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, image=np.zeros((9, 3, 8, 8), np.uint8))
    path.write_bytes(path.read_bytes()[:900])
    assert message(GRAPH, path) == (
        "x.npz: cannot be read (it is cut short or no NumPy file); "
        "write integer arrays with numpy.savez"
    )


def test_refused_paths(tmp_path: Path) -> None:
    assert message(GRAPH, tmp_path / "no.png") == "no.png: no such file or folder; check the path"
    (tmp_path / "empty").mkdir()
    assert message(GRAPH, tmp_path / "empty") == (
        "empty: holds no images (.bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp); "
        "give a folder with some"
    )
    with pytest.raises(CodesignError, match=r"^limit is 0; give 1 or more$"):
        from_paths(GRAPH, [tmp_path], limit=0)


def test_random_is_pinned() -> None:
    names, codes = all_of(from_random(GRAPH, 7, 3))
    assert names == ["random seed 7[0]", "random seed 7[1]", "random seed 7[2]"]
    assert codes[0, 0, 0].tolist() == all_of(from_random(GRAPH, 7, 1))[1][0, 0, 0].tolist()
    assert codes[2, 2, 7].tolist() == [7, 244, 241, 39, 57, 228, 231, 31]
    assert not np.array_equal(codes, all_of(from_random(GRAPH, 8, 3))[1])
    (batch,) = from_random(two_inputs(), 0, 500).batches(500)
    assert np.unique(batch.arrays["a"]).tolist() == [-1, 1]
    assert np.unique(batch.arrays["b"]).tolist() == [0, 1, 2, 3]
    with pytest.raises(CodesignError, match=r"^the number of random inputs is 0; give 1 or more$"):
        from_random(GRAPH, 0, 0)


def test_arrays_are_checked() -> None:
    with pytest.raises(CodesignError, match=r"^input pixels is not one of small; it takes image$"):
        from_arrays(GRAPH, {"pixels": np.zeros((1, 3, 8, 8), np.int8)})
    assert len(from_arrays(GRAPH, {"image": np.zeros((0, 3, 8, 8), np.int8)})) == 0
