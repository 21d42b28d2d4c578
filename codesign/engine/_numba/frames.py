"""Places where maps lie: frames, with the pad code around the map, and plain maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from codesign.engine._numba.memory import lines
from codesign.engine._numba.windows import SLACK, Window, pixel_offsets
from codesign.ir import IntArray


@dataclass(frozen=True)
class Bordered(ABC):
    """A map with a border around it: (N, *padded, pixel bytes), flat, and SLACK."""

    sizes: tuple[int, ...]
    padding: tuple[int, ...]
    channels: int

    @property
    @abstractmethod
    def pixel(self) -> int:
        """Bytes of a pixel."""

    @property
    @abstractmethod
    def cell(self) -> IntArray:
        """The bytes of a pixel of the border."""

    @property
    def element(self) -> np.dtype[Any]:
        """See `Place.element`."""
        return np.dtype(np.uint8)

    def size(self, images: int) -> int:
        """See `Place.size`."""
        return images * self.image + SLACK

    @cached_property
    def around(self) -> tuple[IntArray, IntArray]:
        """Bytes of an image where runs of the border begin, and the runs' lengths."""
        border: IntArray = np.ones(self.padded, np.bool_)
        border[tuple(slice(p, p + s) for p, s in zip(self.padding, self.sizes, strict=True))] = 0
        edges = np.flatnonzero(np.diff(border.reshape(-1), prepend=False, append=False))
        starts, ends = edges.reshape(-1, 2).T * self.pixel
        return np.ascontiguousarray(starts), ends - starts

    def empty(self, images: int) -> IntArray:
        """A frame whose border is ready, its map not yet written."""
        frame = lines(self.size(images))
        if len(self.around[0]):
            frame[:] = np.resize(self.cell, len(frame))
        return frame

    @abstractmethod
    def fill(self, frame: IntArray, x: IntArray) -> None:
        """Write the map `x`, (N, *sizes, C), into a frame for N or more."""

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Sizes with the border."""
        return tuple(s + 2 * p for s, p in zip(self.sizes, self.padding, strict=True))

    @cached_property
    def image(self) -> int:
        """Bytes of one image."""
        return int(np.prod(self.padded)) * self.pixel

    @property
    def places(self) -> IntArray:
        """Bytes where the map's pixels begin."""
        ones = (1,) * len(self.sizes)
        return pixel_offsets(self.padded, self.sizes, ones, self.padding, self.pixel)

    def view(self, frame: IntArray, images: int) -> IntArray:
        """The first images of a frame for more, flat."""
        return frame[: self.size(images)]

    def copy(self, x: IntArray) -> IntArray:
        """A frame with the map `x`, as `fill` takes it."""
        frame = self.empty(len(x))
        self.fill(frame, x)
        return frame


@dataclass(frozen=True)
class Frame(Bordered):
    """How a map lies in memory for its product: unsigned bytes, channels last.

    Codes are stored less `base`, modulo 256; the cells around the map hold `pad_code`.
    """

    base: int
    pad_code: int

    @classmethod
    def of(cls, window: Window, base: int, pad_code: int) -> Frame:
        """The frame that a product of this window reads."""
        return cls(window.sizes, window.padding, window.channels, base, pad_code)

    @property
    def pixel(self) -> int:
        """Bytes of a pixel."""
        return self.channels

    @property
    def cell(self) -> IntArray:
        """See `Bordered.cell`."""
        return np.full(self.channels, self.pad_code - self.base & 255, np.uint8)

    def inside(self, frame: IntArray, images: int) -> IntArray:
        """View of the map in a frame, (N, *sizes, C)."""
        whole = frame[: images * self.image].reshape(images, *self.padded, self.channels)
        cut = (slice(p, p + s) for p, s in zip(self.padding, self.sizes, strict=True))
        return whole[(slice(None), *cut)]

    def fill(self, frame: IntArray, x: IntArray) -> None:
        """Write the map `x`, (N, *sizes, C) of any integer type, into a frame for N or more."""
        inside = self.inside(frame, len(x))
        codes = x.reshape(inside.shape).astype(np.uint8, copy=False)  # wraps; so does the sum
        if self.base:
            np.add(codes, np.uint8(-self.base & 255), out=inside)
        else:
            inside[...] = codes


@dataclass(frozen=True)
class Plain:
    """A map (N, *shape), channels last, flat."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Plain:
        """Where a value of `shape`, channels first, lies."""
        return cls((*shape[1:], *shape[:1]), dtype)

    @cached_property
    def image(self) -> int:
        """Elements of one image."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def places(self) -> IntArray:
        """Offsets of the map's pixels."""
        channels = (self.shape or (1,))[-1]
        return np.arange(self.image // channels, dtype=np.int64) * channels

    @property
    def element(self) -> np.dtype[Any]:
        """See `Place.element`."""
        return self.dtype

    def size(self, images: int) -> int:
        """See `Place.size`."""
        return images * self.image

    def empty(self, images: int) -> IntArray:
        """A map not yet written."""
        return np.empty(self.size(images), self.dtype)

    def view(self, flat: IntArray, images: int) -> IntArray:
        """The first images of a map for more, (N, *shape)."""
        return flat[: images * self.image].reshape(images, *self.shape)

    def fill(self, flat: IntArray, x: IntArray) -> None:
        """Write the map `x`, (N, *sizes, C) of any integer type that holds codes of this one."""
        self.view(flat, len(x))[...] = x.reshape(len(x), *self.shape)


class Place(Protocol):
    """A way to lie in memory: plain, in a frame, or as bits. Equal ones have equal buffers."""

    @property
    def image(self) -> int:
        """Elements of one image."""

    @property
    def places(self) -> IntArray:
        """Elements of an image where its pixels begin."""

    @property
    def element(self) -> np.dtype[Any]:
        """The type of its elements."""

    def size(self, images: int) -> int:
        """Elements of a buffer."""

    def empty(self, images: int) -> IntArray:
        """A flat buffer, ready but for the map."""

    def view(self, flat: IntArray, images: int) -> IntArray:
        """The first images, as kernels take them that work on their own."""

    def fill(self, flat: IntArray, x: IntArray) -> None:
        """Write a map, (N, ..., C)."""
