"""Maps that are merged or copied byte by byte, a vector of them at a time.

A line is a run of neighbouring bytes. Two maps are joined (average, greatest, least, or the first
alone), a mask of bytes 0 or 255 may choose between the join and a third map, and the result is
written where it is wanted. The vectors are LLVM's own, so the code is the same for every processor;
a line's last vector overlaps the one before it and writes the same bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.jit import compiled
from codesign.ir import IntArray

_BYTE, _LONG = ir.IntType(8), ir.IntType(64)

#: What a line holds of two maps: their average (floor), the greatest, the least, or the first map.
AVERAGE, GREATEST, LEAST, FIRST = 1, 2, 3, 4


def lanes_of(length: int) -> int:
    """Bytes of a vector for lines of `length` bytes: a power of two, at most 64."""
    return int(min(64, 1 << (length.bit_length() - 1)))


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the lines of one image lie in each map: offsets, all of one length in bytes.

    Attributes:
        length: bytes of a line.
        first: offsets in the first map, and in the one that is taken where the mask is 0.
        second: in the second map.
        mask: in an image's mask.
        places: in the result.
    """

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
            return cls(near * channels, first, first, np.zeros_like(first), first)
        length = channels // times
        pixel, part = (grid.reshape(-1) for grid in np.indices((pixels, times)))
        start = pixel * channels if places is None else places[pixel]
        within = part * length
        return cls(length, pixel * channels + within, pixel * length, within, start + within)


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge of byte maps, ready to run.

    Attributes:
        kind: AVERAGE, GREATEST, LEAST or FIRST.
        masked: whether a mask chooses between the join and another map.
        signed: whether the bytes are signed.
        lines: where they lie.
        less: what is taken off each result.
    """

    kind: int
    masked: bool
    signed: bool
    lines: Lines
    less: int = 0

    def run(
        self, a: IntArray, b: IntArray, other: IntArray, mask: IntArray, y: IntArray, step: int
    ) -> None:
        """Flat bytes of each image (images, bytes) go into the flat `y`, `step` bytes an image."""
        lines = self.lines
        _merge(
            (0,) * self.kind, (0,) * self.masked, (0,) * self.signed,
            (0,) * lanes_of(lines.length), a, b, other, mask, y, step, lines.length,
            lines.first, lines.second, lines.mask, lines.places, self.less,
        )  # fmt: skip


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
        kind = ir.VectorType(_BYTE, width)
        undefined = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(off, _BYTE), ir.IntType(32)(0))
        every = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        base = builder.shuffle_vector(first, undefined, every)
        last = builder.sub(end, _LONG(width))
        entry, loop = builder.block, builder.append_basic_block("bytes")
        done = builder.append_basic_block("line")
        builder.branch(loop)
        builder.position_at_end(loop)
        at = builder.phi(_LONG)
        at.add_incoming(_LONG(0), entry)
        place = builder.select(builder.icmp_signed("<", at, last), at, last)

        def load(address: Any) -> Any:
            pointer = builder.inttoptr(builder.add(address, place), kind.as_pointer())
            value = builder.load(pointer)
            value.align = 1
            return value

        left = load(addresses[0])
        value = left if join == FIRST else _joined(builder, join, sign, left, load(addresses[1]))
        if chosen:
            bits, rest = load(addresses[3]), load(addresses[2])
            value = builder.or_(builder.and_(value, bits), builder.and_(rest, builder.not_(bits)))
        target = builder.inttoptr(builder.add(addresses[4], place), kind.as_pointer())
        builder.store(builder.sub(value, base), target).align = 1
        following = builder.add(at, _LONG(width))
        at.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, end), loop, done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


def _joined(builder: Any, join: int, sign: int, a: Any, b: Any) -> Any:
    if join == AVERAGE:  # (a + b) >> 1 without a ninth bit: what both have, and half the rest
        half = (builder.ashr if sign else builder.lshr)(
            builder.xor(a, b), ir.Constant(a.type, [1] * a.type.count)
        )
        return builder.add(builder.and_(a, b), half)
    compare = builder.icmp_signed if sign else builder.icmp_unsigned
    return builder.select(compare(">" if join == GREATEST else "<", a, b), a, b)


@compiled
def _merge(
    kind: tuple[int, ...],
    masked: tuple[int, ...],
    signed: tuple[int, ...],
    lanes: tuple[int, ...],
    a: IntArray,
    b: IntArray,
    other: IntArray,
    mask: IntArray,
    y: IntArray,
    step: int,
    length: int,
    first: IntArray,
    second: IntArray,
    chosen: IntArray,
    places: IntArray,
    less: int,
) -> None:
    """a, b, other, mask (images, bytes); the tables are those of `Lines`."""
    for n in range(len(a)):
        of_a, of_b = a[n].ctypes.data, b[n].ctypes.data
        of_other, of_mask = other[n].ctypes.data, mask[n].ctypes.data
        to = y.ctypes.data + n * step
        for r in range(len(first)):
            line(  # type: ignore[call-arg]
                kind, masked, signed, lanes, of_a + first[r], of_b + second[r],
                of_other + first[r], of_mask + chosen[r], to + places[r], length, less,
            )  # fmt: skip
