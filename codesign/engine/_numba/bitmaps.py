"""Maps of bits: frames that counted products read, their maximum, and who may write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from codesign.engine._numba import bits
from codesign.engine._numba.after import Counted, Cut, Rescale
from codesign.engine._numba.features import Level
from codesign.engine._numba.frames import Bordered
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.layout import Site, storage
from codesign.engine._numba.native import Buffers, Native, Read
from codesign.engine._numba.tasks import PART_BYTES, Task, address, entry, numbers_at
from codesign.engine._numba.windows import Window, pixel_offsets
from codesign.ir import IntArray, IntType


@dataclass(frozen=True)
class BitFrame(Bordered):
    """How a map of two codes lies in memory: as bits.

    A bit is set where the code is `codes.hi`; the cells around the map hold `pad_code`.
    """

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

    @property
    def cell(self) -> IntArray:
        """See `Bordered.cell`."""
        ones: IntArray = np.zeros(8 * self.pixel, np.uint8)
        ones[: self.channels] = self.pad_code == self.codes.hi
        return np.packbits(ones, bitorder="little")

    @cached_property
    def around(self) -> tuple[IntArray, IntArray]:
        """See `Bordered.around`; of pixels with bits of no channel, which are to be 0, all."""
        if self.channels % bits.WORD == 0:
            return super().around
        return np.zeros(1, np.int64), np.full(1, self.image, np.int64)

    def fill(self, frame: IntArray, x: IntArray) -> None:
        """Write the map `x`, (N, *sizes, C) of a byte a code, into a frame for N or more."""
        codes = x if x.itemsize == 1 else x.astype(np.uint8)
        codes = np.ascontiguousarray(codes).reshape(len(x), -1, self.channels)
        bits.pack(codes, self.codes.hi, frame, self.places, self.image)


def fits_bits(
    level: Level, window: Window, codes: IntType, pad_code: int, weight: IntArray
) -> bool:
    """Whether the product is one of bits, each group has words of its own, and bytes are no faster.

    Bytes take fewer steps where few channels leave most of a word empty.
    """
    depth, last = window.channels // window.groups, window.kernel[-1]
    greatest = max(-int(weight.min()), int(weight.max()))
    run = depth * last if window.groups == 1 else depth  # bytes that lie side by side
    runs = int(np.prod(window.kernel)) // (last if window.groups == 1 else 1)
    steps = int(np.prod(window.kernel)) * bits.pixel_bytes(depth) // bits.WORD_BYTES
    return (
        level.bits > 0
        and codes.count == 2
        and storage(codes).itemsize == 1
        and pad_code in (codes.lo, codes.hi)
        and greatest > 0
        and bool(((weight == greatest) | (weight == -greatest)).all())
        and (window.groups == 1 or depth % bits.WORD == 0)
        and level.bits * steps <= runs * -(-run // 4)
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


class WindowsOr(Native):
    """Maximum of each window of a map of bits, which is their OR, into the frame read next."""

    def __init__(self, site: Site, source: BitFrame, target: BitFrame) -> None:
        super().__init__((Read(source, framed=True),), target)
        sizes, results = site.arguments[0].shape[1:], site.result.shape[1:]
        self.words = source.pixel // bits.WORD_BYTES
        self.taps = pixel_offsets(
            source.padded, site.integers("kernel"), (1,) * len(sizes), (0,) * len(sizes), self.words
        )
        stride = site.integers("stride")
        self.starts = pixel_offsets(source.padded, results, stride, source.padding, self.words)
        self.places = target.places // bits.WORD_BYTES

    def task(self, sources: Buffers, target: IntArray) -> Task:
        """See `Native.task`; the parts are ranges of windows of all images."""
        arrays = *sources, target, self.starts, self.taps, self.places
        steps = (place.image // bits.WORD_BYTES for place in (self.reads[0].place, self.target))
        numbers = len(self.starts), len(self.taps), *steps, self.words
        record = np.array([0, *map(address, arrays), *numbers], np.int64)
        size = len(self.starts) * len(self.taps) * self.words * bits.WORD_BYTES
        return Task(_or_entry(), record, size / PART_BYTES, arrays)


@cache
def _or_entry() -> int:
    """Address of `_or` on the record that `WindowsOr.task` makes."""

    def windows_or(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 11, np.int64)
        images, pixels = n[0], n[6]
        windows = images * pixels
        _or(
            numbers_at(n[1], images * n[8], np.uint32), n[8],
            numbers_at(n[3], pixels, np.int64),
            numbers_at(n[4], n[7], np.int64),
            n[10],
            numbers_at(n[2], images * n[9], np.uint32),
            numbers_at(n[5], pixels, np.int64),
            n[9], windows * part // parts, windows * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(windows_or)


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
    begin: int,
    end: int,
) -> None:
    """x and y flat words; the window of `starts[p]` goes to `places[p]`.

    Of the windows of all images, those from `begin` to `end`.
    """
    for index in range(begin, end):
        n, p = index // len(starts), index % len(starts)
        source, target = n * size + starts[p], n * step + places[p]
        for w in range(words):
            word = x[source + w]
            for t in range(1, len(taps)):
                word |= x[source + taps[t] + w]
            y[target + w] = word
