"""Image files as codes: mode and size are checked, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.errors import CodesignError
from codesign.ir import Graph, IntArray, IntType
from codesign.report.rows import Fit
from codesign.sim._box import box_average, centre_crop

#: How a photograph of another size is handled.
FITS = ("crop", "exact")
#: File names that a folder of images is searched for.
SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)
_PIXEL = IntType(0, 255)
_MODES = {1: "L", 3: "RGB"}


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Reads image files for one graph: (channels, height, width) codes 0..255.

    `fit` "crop" cuts the centre to the input's aspect and averages it down; "exact" takes only
    images of the input's own size.
    """

    model: str
    channels: int
    height: int
    width: int
    fit: str = "crop"

    @classmethod
    def of(cls, graph: Graph, fit: str = "crop") -> ImageReader:
        """The reader for `graph`'s input; CodesignError where it does not take images."""
        if fit not in FITS:
            raise CodesignError(f"fit {fit!r} is not known; choose {' or '.join(FITS)}")
        name = graph.inputs[0]
        value = graph.values[name]
        takes = len(graph.inputs) == 1 and len(value.shape) == 3 and value.shape[0] in _MODES
        if not takes or value.type != _PIXEL:
            inputs = ", ".join(f"{item} {graph.values[item]}" for item in graph.inputs)
            raise CodesignError(
                f"{graph.name} does not take images: its inputs are {inputs}, an image is "
                "1 or 3 x height x width [0..255]; give an .npz with integer codes"
            )
        channels, height, width = value.shape
        return cls(graph.name, channels, height, width, fit)

    def read(self, path: Path, place: str) -> tuple[IntArray, Fit | None]:
        """The codes of the image at `path`, and how it was fitted (None: it had the size).

        Raises CodesignError, one line, beginning with `place`.
        """
        pixels = self._pixels(path, place)
        height, width = pixels.shape[:2]
        fitted = None
        if (height, width) != (self.height, self.width):
            self._need_room(width, height, place)
            top, left, rows, columns = centre_crop((height, width), (self.height, self.width))
            cut = pixels[top : top + rows, left : left + columns]
            pixels = box_average(cut, (self.height, self.width)).astype(np.uint8)
            fitted = Fit(
                width=width,
                height=height,
                left=left,
                top=top,
                crop_width=columns,
                crop_height=rows,
            )
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)), fitted

    def _need_room(self, width: int, height: int, place: str) -> None:
        wanted = f"{self.width}x{self.height}"
        if self.fit == "exact":
            raise CodesignError(
                f"{place}: the image is {width}x{height}, {self.model} takes exactly {wanted}; "
                "scale it, or use --fit crop"
            )
        if width < self.width or height < self.height:
            raise CodesignError(
                f"{place}: the image is {width}x{height}, smaller than the {wanted} that "
                f"{self.model} takes; give one of at least {wanted}"
            )

    def _pixels(self, path: Path, place: str) -> IntArray:
        """(height, width, channels) codes, turned as the file's orientation says."""
        from PIL import Image, ImageOps, UnidentifiedImageError

        mode = _MODES[self.channels]
        try:
            with Image.open(path) as image:
                if image.mode != mode:
                    channels = "3 channels" if self.channels == 3 else "1 channel"
                    raise CodesignError(
                        f"{place}: the image's mode is {image.mode}, {self.model} takes {mode} "
                        f"({channels}); convert the file to {mode}"
                    )
                ImageOps.exif_transpose(image, in_place=True)
                pixels = np.asarray(image)
        except UnidentifiedImageError:
            raise CodesignError(
                f"{place}: is not an image that can be read; give a PNG, JPEG or WebP file, "
                "an .npz or an .npy"
            ) from None
        except Image.DecompressionBombError:
            raise CodesignError(
                f"{place}: the image is too large to open safely; scale it down first"
            ) from None
        except (OSError, SyntaxError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error).splitlines()[0].lower()
            raise CodesignError(
                f"{place}: the image cannot be read ({reason}); give a whole file"
            ) from None
        return pixels.reshape(*pixels.shape[:2], self.channels)
