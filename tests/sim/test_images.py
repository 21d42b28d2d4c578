"""Images become codes by exact integer rules; anything else is refused with one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from codesign.errors import CodesignError
from codesign.sim._box import box_average, centre_crop
from codesign.sim.images import ImageReader
from tests.small import small

READER = ImageReader.of(small())
GRAY = ImageReader.of(small(1))


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.RandomState(height).randint(0, 256, (height, width, channels), np.uint8)


def save(pixels: np.ndarray, path: Path, **options: object) -> Path:
    Image.fromarray(pixels.squeeze()).save(path, **options)
    return path


def by_fractions(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The definition: the exact mean over each result's area, rounded half up."""
    height, width, channels = pixels.shape
    result = np.empty((rows, columns, channels), np.int64)
    for i, j, c in np.ndindex(*result.shape):
        total = Fraction(0)
        for y, x in np.ndindex(height, width):
            tall = min(Fraction(y + 1), Fraction((i + 1) * height, rows))
            tall -= max(Fraction(y), Fraction(i * height, rows))
            wide = min(Fraction(x + 1), Fraction((j + 1) * width, columns))
            wide -= max(Fraction(x), Fraction(j * width, columns))
            if tall > 0 and wide > 0:
                total += int(pixels[y, x, c]) * tall * wide
        mean = total * rows * columns / (height * width)
        result[i, j, c] = (mean + Fraction(1, 2)) // 1
    return result


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_box_average_is_the_exact_mean(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    height, width = data.draw(st.integers(rows, 9)), data.draw(st.integers(columns, 9))
    pixels = noise(height * 16 + width, 1)[: height * width].reshape(height, width, -1)
    assert np.array_equal(box_average(pixels, (rows, columns)), by_fractions(pixels, rows, columns))


def test_box_average_keeps_its_own_size_and_constants() -> None:
    pixels = noise(7, 5)
    assert np.array_equal(box_average(pixels, (7, 5)), pixels)
    assert np.array_equal(
        box_average(np.full((1000, 999, 1), 255), (32, 32)), np.full((32, 32, 1), 255)
    )


@given(st.tuples(*[st.integers(1, 4000)] * 4))
def test_crop_is_centred_inside_and_of_the_aspect(sizes: tuple[int, ...]) -> None:
    height, width, rows, columns = sizes
    top, left, cut_height, cut_width = centre_crop((height, width), (rows, columns))
    assert top == (height - cut_height) // 2
    assert left == (width - cut_width) // 2
    assert cut_height == height or cut_width == width
    # one more row or column would be too many for the aspect
    assert cut_width == width or (cut_width + 1) * rows > cut_height * columns
    assert cut_height == height or (cut_height + 1) * columns > cut_width * rows


def test_same_size_is_taken_as_it_is(tmp_path: Path) -> None:
    pixels = noise(8, 8)
    codes, fit = READER.read(save(pixels, tmp_path / "a.png"), "a.png")
    assert fit is None
    assert np.array_equal(codes, pixels.transpose(2, 0, 1))
    gray = noise(8, 8, 1)
    codes, fit = GRAY.read(save(gray, tmp_path / "b.png"), "b.png")
    assert np.array_equal(codes, gray.transpose(2, 0, 1))


def test_a_photograph_is_cropped_and_averaged(tmp_path: Path) -> None:
    pixels = noise(20, 31)
    codes, fit = READER.read(save(pixels, tmp_path / "a.png"), "a.png")
    expected = box_average(pixels[:, 5:25], (8, 8))
    assert np.array_equal(codes, expected.transpose(2, 0, 1))
    assert fit is not None
    assert fit.model_dump() == {
        "width": 31,
        "height": 20,
        "left": 5,
        "top": 0,
        "crop_width": 20,
        "crop_height": 20,
    }


def test_orientation_of_the_file_is_honoured(tmp_path: Path) -> None:
    pixels = noise(8, 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    codes, _ = READER.read(save(pixels, tmp_path / "a.png", exif=exif), "a.png")
    assert np.array_equal(codes, np.rot90(pixels, -1).transpose(2, 0, 1))


def refused(reader: ImageReader, path: Path) -> str:
    with pytest.raises(CodesignError) as error:
        reader.read(path, path.name)
    assert error.value.exit_code == 2
    return str(error.value)


def test_refused_sizes(tmp_path: Path) -> None:
    assert refused(READER, save(noise(7, 9), tmp_path / "a.png")) == (
        "a.png: the image is 9x7, smaller than the 8x8 that small takes; give one of at least 8x8"
    )
    assert refused(ImageReader.of(small(), "exact"), save(noise(9, 8), tmp_path / "b.png")) == (
        "b.png: the image is 8x9, small takes exactly 8x8; scale it, or use --fit crop"
    )


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
def test_refused_modes(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    Image.new(mode, (8, 8)).save(path)
    assert refused(READER, path) == (
        f"a.tiff: the image's mode is {mode}, small takes RGB (3 channels); convert the file to RGB"
    )


def test_refused_colour_for_gray(tmp_path: Path) -> None:
    assert refused(GRAY, save(noise(8, 8), tmp_path / "a.png")) == (
        "a.png: the image's mode is RGB, small takes L (1 channel); convert the file to L"
    )


def test_refused_files(tmp_path: Path) -> None:
    text, empty, cut = (tmp_path / name for name in ("text.png", "empty.png", "cut.png"))
    text.write_text("not a picture\n")
    empty.write_bytes(b"")
    cut.write_bytes(save(noise(64, 64), tmp_path / "whole.png").read_bytes()[:2000])
    for path in (text, empty):
        assert refused(READER, path) == (
            f"{path.name}: is not an image that can be read; give a PNG, JPEG or WebP file, "
            "an .npz or an .npy"
        )
    message = refused(READER, cut)
    assert message.startswith("cut.png: the image cannot be read (")
    assert message.endswith("); give a whole file")


def test_refused_networks() -> None:
    from codesign.ir import GraphBuilder, IntType

    builder = GraphBuilder("codes")
    builder.output(builder.node("y", "sign", [builder.input("x", (4, 8, 8), IntType(0, 3))]))
    with pytest.raises(CodesignError) as error:
        ImageReader.of(builder.build())
    assert str(error.value) == (
        "codes does not take images: its inputs are x 4x8x8 [0..3], an image is "
        "1 or 3 x height x width [0..255]; give an .npz with integer codes"
    )
    with pytest.raises(CodesignError, match=r"^fit 'stretch' is not known; choose crop or exact$"):
        ImageReader.of(small(), "stretch")
