"""`codesign rtl`: what it prints, what it refuses before it writes."""

from __future__ import annotations

from pathlib import Path

from codesign.convert import save
from tests.cli.conftest import Command
from tests.hw import networks


def error(text: str) -> str:
    return f"codesign: error: {text}\n"


def test_one_random_frame(codesign: Command, folder: Path) -> None:
    ended = codesign("rtl", "small.onnx", "--hw", "tiny", "--out", "made")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "made: small on tiny, 7 descriptors, 1 frame of 4,103 cycles; see made/README.md\n"
    )
    assert "| 0 | random seed 0 |\n" in (folder / "made" / "README.md").read_text()
    assert not (folder / "made" / "frame_1").exists()


def test_images_and_random_frames(codesign: Command, folder: Path) -> None:
    arguments = ("rtl", "small.onnx", "--hw", "tiny", "--out")
    assert codesign(*arguments, "a", "--input", "cat.png", "--input", "eight.png").code == 0
    readme = (folder / "a" / "README.md").read_text()
    assert "| 0 | cat.png |\n| 1 | eight.png |\n" in readme
    first = (folder / "a" / "frame_0" / "layer_01_conv1.hex").read_text()
    assert codesign(*arguments, "b", "--count", 2, "--seed", 5).code == 0
    assert codesign(*arguments, "c", "--count", 1, "--seed", 5).code == 0
    random = [(folder / name / "frame_0" / "layer_01_conv1.hex").read_text() for name in ("b", "c")]
    assert random[0] == random[1] != first


def test_force(codesign: Command, folder: Path) -> None:
    arguments = ("rtl", "small.onnx", "--hw", "tiny", "--out", "made")
    assert codesign(*arguments).code == 0
    ended = codesign(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == error(
        "made: is not empty; give a new folder, or --force to replace what an earlier "
        "codesign rtl wrote"
    )
    assert codesign(*arguments, "--count", 2, "--force").code == 0
    assert (folder / "made" / "frame_1").is_dir()


def test_what_does_not_fit_is_refused_before_anything_is_written(
    codesign: Command, folder: Path
) -> None:
    save(networks.nqe(), folder / "nqe.onnx")
    before = sorted(folder.iterdir())
    ended = codesign("rtl", "nqe.onnx", "--hw", "tiny", "--out", "made")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == error(
        "nqe: weights need 1,009,728 b, tiny builds 48,000 b (961,728 b over); "
        "the largest layer is conv6 with 331,776 b; build more or store less"
    )
    assert sorted(folder.iterdir()) == before


def test_a_place_that_cannot_be_written(codesign: Command) -> None:
    ended = codesign("rtl", "small.onnx", "--hw", "tiny", "--out", "no/made")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == error(
        "no/made: cannot be written (no such file or directory); choose a folder that exists, "
        "is writable and has room"
    )
    assert codesign("rtl", "small.onnx", "--hw", "tiny", "--out", "cat.png").err == error(
        "cat.png: is a file; give the path of a folder"
    )
