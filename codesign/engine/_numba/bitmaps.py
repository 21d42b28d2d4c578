"""Maps of bits: frames that counted products read, their maximum, and who may write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from codesign.engine._numba import bits
from codesign.engine._numba.features import Level
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Kernel, Site, storage
from codesign.engine._numba.packed import SLACK, Counted, Cut, Rescale, Window, pixel_offsets
from codesign.ir import IntArray, IntType


@dataclass(frozen=True)
class BitFrame:
    """How a map of two codes lies in memory: (N, *padded, pixel bytes) of bits, flat, and SLACK.

    A bit is set where the code is `codes.hi`; the cells around the map hold `pad_code`.
    """

    sizes: tuple[int, ...]
    padding: tuple[int, ...]
    channels: int
    codes: IntType
    pad_code: int

    @classmethod
    def of(cls, window: Window, codes: IntType, pad_code: int) -> BitFrame:
        """The frame that a product of this window reads; without padding no code is the pad's."""
        pad = pad_code if any(window.padding) else codes.lo
        return cls(window.sizes, window.padding, window.channels, codes, pad)

    @cached_property
    def pixel(self) -> int:
        """Bytes of a pixel."""
        return bits.pixel_bytes(self.channels)

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Sizes with the border."""
        return tuple(s + 2 * p for s, p in zip(self.sizes, self.padding, strict=True))

    @cached_property
    def image(self) -> int:
        """Bytes of one image."""
        return int(np.prod(self.padded)) * self.pixel

    @cached_property
    def places(self) -> IntArray:
        """Bytes where the map's pixels begin."""
        ones = (1,) * len(self.sizes)
        return pixel_offsets(self.padded, self.sizes, ones, self.padding, self.pixel)

    def empty(self, images: int) -> IntArray:
        """A frame whose border holds the pad code, and where no bit without a channel is set."""
        size = images * self.image + SLACK
        if self.pad_code == self.codes.hi:
            if self.channels % bits.WORD == 0:
                return np.full(size, 255, np.uint8)
            ones = np.ones((1, 1, self.channels), np.uint8)
            pixel, start = np.empty(self.pixel, np.uint8), np.zeros(1, np.int64)
            bits.pack(ones, 1, pixel, start, 0)
            return np.resize(pixel, size)
        if any(self.padding) or self.channels % bits.WORD:
            return np.zeros(size, np.uint8)
        return np.empty(size, np.uint8)

    def copy(self, x: IntArray) -> IntArray:
        """A frame with the map `x`, (N, *sizes, C) of a byte a code."""
        frame = self.empty(len(x))
        codes = x if x.itemsize == 1 else x.astype(np.uint8)
        codes = np.ascontiguousarray(codes).reshape(len(x), -1, self.channels)
        bits.pack(codes, self.codes.hi, frame, self.places, self.image)
        return frame


def fits_bits(
    level: Level, window: Window, codes: IntType, pad_code: int, weight: IntArray
) -> bool:
    """Whether the product is one of bits, and the level does it in fewer instructions than bytes.

    A group has words of its own, and a step of 32 bits costs at most what two of four bytes do.
    """
    depth, last = window.channels // window.groups, window.kernel[-1]
    greatest = np.abs(weight.astype(np.int64))
    run = depth * last if window.groups == 1 else depth  # bytes that lie side by side
    runs = int(np.prod(window.kernel)) // (last if window.groups == 1 else 1)
    steps = int(np.prod(window.kernel)) * bits.pixel_bytes(depth) // bits.WORD_BYTES
    return (
        level.bits
        and codes.count == 2
        and storage(codes).itemsize == 1
        and pad_code in (codes.lo, codes.hi)
        and int(greatest.min()) == int(greatest.max()) > 0
        and (window.groups == 1 or depth % bits.WORD == 0)
        and 2 * steps <= runs * -(-run // 4)
    )


def cut_of(after: Rescale | Counted | None, codes: IntType, total: IntType) -> Cut | None:
    """`after` as a comparison with the sum, of type `total`; None where it is no such thing."""
    limits = np.iinfo(np.int32)
    if codes.count != 2 or total.lo <= limits.min + 1 or total.hi >= limits.max:
        return None
    if isinstance(after, Counted):
        reached = after.levels.shape[1] == 1 and after.offset + 1 == codes.hi
        return Cut(after.side, after.levels[:, 0] - after.bias * after.side) if reached else None
    if after is None:
        return None
    least = -(-(codes.hi - after.offset) >> after.scale)  # the clipped number that gives codes.hi
    if not after.lo < least <= after.hi:
        return None
    return Cut(np.ones_like(after.bias), (least << after.shift) - after.bias)


def fits_bytes(outputs: int, groups: int) -> bool:
    """Whether every group's outputs begin with a byte of their own."""
    return groups == 1 or (outputs // groups) % 8 == 0


def shared(
    read: Mapping[str, set[BitFrame]], pools: Mapping[str, BitFrame], sources: Mapping[str, str]
) -> dict[str, BitFrame]:
    """Which maps lie as bits, and in which frame: what their readers read is written at once.

    `read` are the frames in which products read each map that something can write as bits and
    that only products of bits and pools read; `pools` the frame in which a pool would read its
    `sources`. A pool reads bits where it writes them; it has to know both.
    """
    frames = {name: set(read_there) for name, read_there in read.items()}
    for pool, source in sources.items():
        if source in frames:
            frames[source].add(pools[pool])
    before = -1
    while before != len(frames):
        before = len(frames)
        frames = {
            name: wanted
            for name, wanted in frames.items()
            if len(wanted) == 1
            and (name not in sources or sources[name] in frames)
            and all(pool in frames for pool, source in sources.items() if source == name)
        }
    return {name: wanted.pop() for name, wanted in frames.items()}


def windows_or(site: Site, source: BitFrame, target: BitFrame) -> Kernel:
    """Maximum of each window of a map of bits, which is their OR, into the frame read next."""
    sizes, results = site.arguments[0].shape[1:], site.result.shape[1:]
    words = source.pixel // bits.WORD_BYTES
    taps = pixel_offsets(
        source.padded, site.integers("kernel"), (1,) * len(sizes), (0,) * len(sizes), words
    )
    starts = pixel_offsets(source.padded, results, site.integers("stride"), source.padding, words)
    places, step = target.places // bits.WORD_BYTES, target.image // bits.WORD_BYTES

    def run(x: IntArray) -> IntArray:
        images = (len(x) - SLACK) // source.image
        y = target.empty(images)
        _or(x.view(np.uint32), source.image // bits.WORD_BYTES, starts, taps, words,
            y.view(np.uint32), places, step, images)  # fmt: skip
        return y

    return run


@compiled
def _or(
    x: IntArray,
    size: int,
    starts: IntArray,
    taps: IntArray,
    words: int,
    y: IntArray,
    places: IntArray,
    step: int,
    images: int,
) -> None:
    """x and y flat words; the window of `starts[p]` goes to `places[p]`."""
    for n in range(images):
        for p in range(len(starts)):
            source, target = n * size + starts[p], n * step + places[p]
            for w in range(words):
                word = x[source + w]
                for t in range(1, len(taps)):
                    word |= x[source + taps[t] + w]
                y[target + w] = word
