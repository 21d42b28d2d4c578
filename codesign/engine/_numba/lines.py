"""Maps that are merged or copied byte by byte, a vector of them at a time.

A line is a run of neighbouring bytes. Two maps are joined (average, greatest, least, or the first
alone), a mask of bytes 0 or 255 may choose between the join and a third map, and the result is
written where it is wanted. The vectors are LLVM's own, so the code is the same for every processor;
a line's last vector overlaps the one before it and writes the same bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.joins import FIRST, joined
from codesign.engine._numba.tasks import PART_BYTES, Task, address, compute, entry, numbers_at
from codesign.engine._numba.vectors import load, repeat, splat, store
from codesign.ir import IntArray

_BYTE, _LONG = ir.IntType(8), ir.IntType(64)


def lanes_of(length: int) -> int:
    """Bytes of a vector for lines of `length` bytes: a power of two, at most 64."""
    return int(min(64, 1 << (length.bit_length() - 1)))


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the lines of one image lie in each map: offsets, all of one length in bytes.

    Attributes:
        channels: of the result.
        times: copies of the second map's channels in the result.
        length: bytes of a line.
        first: offsets in the first map, and in the one that is taken where the mask is 0.
        second: in the second map.
        mask: in an image's mask.
        places: in the result.
    """

    channels: int
    times: int
    length: int
    first: IntArray
    second: IntArray
    mask: IntArray
    places: IntArray

    @classmethod
    def of(
        cls, pixels: int, channels: int, places: IntArray | None, times: int = 1, wide: int = 4096
    ) -> Lines:
        """Lines of maps of `pixels` x `channels`.

        `places` are where the result's pixels lie, without them one after the other. The second
        map has its channels `times` times. Without either a line is as many pixels as fit `wide`
        bytes, all of one image's mask.
        """
        if places is None and times == 1:
            most = max(1, wide // channels)
            near = max(k for k in range(1, min(most, pixels) + 1) if pixels % k == 0)
            first: IntArray = np.arange(pixels // near, dtype=np.int64) * (near * channels)
            none = np.zeros_like(first)
            return cls(channels, 1, near * channels, first, first, none, first)
        length = channels // times
        pixel, part = (grid.reshape(-1) for grid in np.indices((pixels, times)))
        start = pixel * channels if places is None else places[pixel]
        within = part * length
        first = pixel * channels + within
        return cls(channels, times, length, first, pixel * length, within, start + within)

    @property
    def size(self) -> int:
        """Bytes of the first map."""
        return len(self.first) * self.length


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge of byte maps, ready to run.

    Attributes:
        kind: how two maps are joined: any of `joins` but SECOND.
        masked: whether a select of each channel chooses between the join and another map.
        signed: whether the bytes are signed.
        lines: where they lie.
        less: what is taken off each result.
        inverted: whether the join is taken where the select is 0, else where it is 1.
        frames: parts of an image, each with a select of its own; `lines` are those of a part.
    """

    kind: int
    masked: bool
    signed: bool
    lines: Lines
    less: int = 0
    inverted: bool = False
    frames: int = 1

    def run(self, maps: tuple[IntArray, ...], y: IntArray, images: int, step: int) -> None:
        """The two maps that are joined, and with a choice the other one and the select, into `y`.

        All are flat bytes; parts of the images are `step` bytes apart in `y`.
        """
        compute(self.task(maps, y, step), images)

    def task(self, maps: tuple[IntArray, ...], y: IntArray, step: int) -> Task:
        """As `run`, as a task; its parts are ranges of lines of all images."""
        lines = self.lines
        tables = lines.first, lines.second, lines.mask, lines.places
        # without a choice nothing reads the third and the fourth
        arrays = *(maps if self.masked else (*maps, *maps)), y, *tables
        sizes = (
            len(lines.first), lines.size, lines.size // lines.times, step, lines.length,
            lines.channels, self.less, self.inverted, self.frames,
        )  # fmt: skip
        record = np.array([0, *map(address, arrays), *sizes], np.int64)
        function = _merge_entry(self.kind, self.masked, self.signed, lanes_of(lines.length))
        return Task(function, record, self.frames * lines.size / PART_BYTES, arrays)


@intrinsic
def line(
    typing: Any,
    kind: Any,
    masked: Any,
    signed: Any,
    lanes: Any,
    a: Any,
    b: Any,
    other: Any,
    mask: Any,
    y: Any,
    length: Any,
    less: Any,
) -> Any:
    """One line of `length` bytes, `lanes` or more, at the addresses `a`, `b`, `other`, `mask`, `y`.

    `kind`, `masked`, `signed`, `lanes` are tuples of that length; `less` is taken off each byte.
    """
    signature = types.void(kind, masked, signed, lanes, *[types.intp] * 7)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        join, chosen, sign, width = (len(tuple_type) for tuple_type in signature.args[:4])
        *addresses, end, off = arguments[4:]
        b, kind = builder, ir.VectorType(_BYTE, width)
        base = splat(b, b.trunc(off, _BYTE), width)
        last = b.sub(end, _LONG(width))

        def turn(number: Any, _: list[Any]) -> list[Any]:
            at = b.mul(number, _LONG(width))
            place = b.select(b.icmp_signed("<", at, last), at, last)

            def read(address: Any) -> Any:
                return load(b, b.add(address, place), kind)

            left = read(addresses[0])
            right = None if join == FIRST else read(addresses[1])
            value = joined(b, join, bool(sign), left, right)
            if chosen:
                bits, rest = read(addresses[3]), read(addresses[2])
                value = b.or_(b.and_(value, bits), b.and_(rest, b.not_(bits)))
            store(b, b.sub(value, base), b.add(addresses[4], place))
            return []

        repeat(b, b.udiv(b.add(end, _LONG(width - 1)), _LONG(width)), [], turn)
        return context.get_dummy_value()

    return signature, generate


@cache
def _merge_entry(kind: int, masked: bool, signed: bool, lanes: int) -> int:
    """Address of `_merge` on the record that `Merge.task` makes."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    k, m, s, v = ((zero,) * length for length in (kind, masked, signed, lanes))

    def merge(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 19, np.int64)
        rows, size, second = n[10], n[11], n[12]
        whole = n[0] * n[18] * rows
        _merge(
            k, m, s, v, n[1], n[2], n[3], n[4], n[5], size, second, n[13], n[14], n[15],
            numbers_at(n[6], rows, np.int64),
            numbers_at(n[7], rows, np.int64),
            numbers_at(n[8], rows, np.int64),
            numbers_at(n[9], rows, np.int64),
            n[16], n[17], whole * part // parts, whole * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(merge)


@compiled
def _merge(
    kind: tuple[int, ...],
    masked: tuple[int, ...],
    signed: tuple[int, ...],
    lanes: tuple[int, ...],
    a: int,
    b: int,
    other: int,
    select: int,
    y: int,
    size_a: int,
    size_b: int,
    step: int,
    length: int,
    channels: int,
    first: IntArray,
    second: IntArray,
    chosen: IntArray,
    places: IntArray,
    less: int,
    inverted: int,
    begin: int,
    end: int,
) -> None:
    """a, b, other, select and y are addresses; the tables are those of `Lines`.

    Of the lines of all images, those from `begin` to `end`.
    """
    rows = len(first)
    mask, of = np.empty(max(length, channels), np.uint8), -1
    n, r = begin // rows, begin % rows
    for _ in range(begin, end):
        if len(masked) and n != of:
            bits = numbers_at(select + n * channels, channels, np.uint8)
            for c in range(channels):
                mask[c] = bits[c] - 1 if inverted else 0 - bits[c]
            for c in range(channels, len(mask)):
                mask[c] = mask[c - channels]
            of = n
        line(  # type: ignore[call-arg]
            kind, masked, signed, lanes, a + n * size_a + first[r], b + n * size_b + second[r],
            other + n * size_a + first[r], mask.ctypes.data + chosen[r],
            y + n * step + places[r], length, less,
        )  # fmt: skip
        r += 1
        if r == rows:
            n, r = n + 1, 0
