"""Frames: byte maps with the pad code around them, where a packed product reads its windows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from codesign.engine._numba.memory import lines
from codesign.engine._numba.packed import SLACK, Window, pixel_offsets
from codesign.ir import IntArray


@dataclass(frozen=True)
class Frame:
    """How a map lies in memory for its product: (N, *padded, C) unsigned bytes, flat, and SLACK.

    Codes are stored less `base`, modulo 256; the cells around the map hold `pad_code`.
    """

    sizes: tuple[int, ...]
    padding: tuple[int, ...]
    channels: int
    base: int
    pad_code: int

    @classmethod
    def of(cls, window: Window, base: int, pad_code: int) -> Frame:
        """The frame that a product of this window reads."""
        return cls(window.sizes, window.padding, window.channels, base, pad_code)

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Sizes with the border."""
        return tuple(s + 2 * p for s, p in zip(self.sizes, self.padding, strict=True))

    @cached_property
    def image(self) -> int:
        """Bytes of one image."""
        return int(np.prod(self.padded)) * self.channels

    @cached_property
    def places(self) -> IntArray:
        """Offsets of the map's pixels."""
        ones = (1,) * len(self.sizes)
        return pixel_offsets(self.padded, self.sizes, ones, self.padding, self.channels)

    def empty(self, images: int) -> IntArray:
        """A frame whose border holds the pad code, its map not yet written."""
        frame = lines(images * self.image + SLACK)
        if any(self.padding):
            frame.fill(self.pad_code - self.base & 255)
        return frame

    def inside(self, frame: IntArray, images: int) -> IntArray:
        """View of the map in a frame, (N, *sizes, C)."""
        whole = frame[: images * self.image].reshape(images, *self.padded, self.channels)
        cut = (slice(p, p + s) for p, s in zip(self.padding, self.sizes, strict=True))
        return whole[(slice(None), *cut)]

    def copy(self, x: IntArray) -> IntArray:
        """A frame with the map `x`, (N, *sizes, C) of any integer type."""
        frame = self.empty(len(x))
        inside = self.inside(frame, len(x))
        codes = x.reshape(inside.shape).astype(np.uint8, copy=False)  # wraps; so does the sum
        if self.base:
            np.add(codes, np.uint8(-self.base & 255), out=inside)
        else:
            inside[...] = codes
        return frame
