"""Sums of byte maps over their pixels: narrow while they cannot overflow, 32 bits in the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.lines import lanes_of
from codesign.ir import IntArray, IntType

_BYTE, _WORD, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


class Totals:
    """Sums of maps whose codes are bytes of the type `codes`.

    The codes less the least are added up in `width` bytes, as many as surely fit, and those sums
    in 32 bits.
    """

    def __init__(self, codes: IntType) -> None:
        self.low, span = codes.lo, max(codes.hi - codes.lo, 1)
        self.width = 1 if span <= 31 else 2
        self.most = ((1 << 8 * self.width) - 1) // span

    def run(self, x: IntArray) -> IntArray:
        """Bytes x (N, pixels, C) to sums (N, C), int32."""
        images, pixels, channels = x.shape
        y = np.empty((images, channels), np.int32)
        _totals(
            (0,) * self.width, (0,) * min(lanes_of(channels), 64), x.view(np.uint8), self.low,
            self.most, y,
        )  # fmt: skip
        y += self.low * pixels
        return y


@intrinsic
def column(
    typing: Any,
    width: Any,
    lanes: Any,
    x: Any,
    pixels: Any,
    step: Any,
    low: Any,
    most: Any,
    y: Any,
) -> Any:
    """Sums of `lanes` neighbouring bytes over `pixels`, each less `low`, to 32-bit sums at `y`.

    `width` and `lanes` are tuples of that length; x and y are addresses, `step` the bytes from
    pixel to pixel; at most `most` pixels are added up in `width` bytes.
    """
    signature = types.void(width, lanes, *[types.intp] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size, lanes = (len(tuple_type) for tuple_type in signature.args[:2])
        x, pixels, step, low, most, y = arguments[2:]
        codes = ir.VectorType(_BYTE, lanes)
        narrow, wide = ir.VectorType(ir.IntType(8 * size), lanes), ir.VectorType(_WORD, lanes)
        zero = [0] * lanes
        undefined = ir.Constant(codes, ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(low, _BYTE), _WORD(0))
        every = ir.Constant(ir.VectorType(_WORD, lanes), zero)
        base = builder.shuffle_vector(first, undefined, every)
        entry = builder.block
        outer, inner = builder.append_basic_block("parts"), builder.append_basic_block("pixels")
        after, done = builder.append_basic_block("part"), builder.append_basic_block("total")
        builder.branch(outer)
        builder.position_at_end(outer)
        start, total = builder.phi(_LONG), builder.phi(wide)
        start.add_incoming(_LONG(0), entry)
        total.add_incoming(ir.Constant(wide, zero), entry)
        end = builder.add(start, most)
        end = builder.select(builder.icmp_signed("<", end, pixels), end, pixels)
        builder.branch(inner)
        builder.position_at_end(inner)
        pixel, part = builder.phi(_LONG), builder.phi(narrow)
        pixel.add_incoming(start, outer)
        part.add_incoming(ir.Constant(narrow, zero), outer)
        address = builder.add(x, builder.mul(pixel, step))
        value = builder.load(builder.inttoptr(address, codes.as_pointer()))
        value.align = 1
        value = builder.sub(value, base)
        sums = builder.add(part, value if size == 1 else builder.zext(value, narrow))
        following = builder.add(pixel, _LONG(1))
        pixel.add_incoming(following, inner)
        part.add_incoming(sums, inner)
        builder.cbranch(builder.icmp_signed("<", following, end), inner, after)
        builder.position_at_end(after)
        added = builder.add(total, builder.zext(sums, wide))
        start.add_incoming(end, after)
        total.add_incoming(added, after)
        builder.cbranch(builder.icmp_signed("<", end, pixels), outer, done)
        builder.position_at_end(done)
        builder.store(added, builder.inttoptr(y, wide.as_pointer())).align = 1
        return context.get_dummy_value()

    return signature, generate


@compiled
def _totals(
    width: tuple[int, ...],
    lanes: tuple[int, ...],
    x: IntArray,
    low: int,
    most: int,
    y: IntArray,
) -> None:
    """x (N, pixels, C) bytes, y (N, C); the last vector of channels overlaps the one before."""
    images, pixels, channels = x.shape
    for n in range(images):
        source, target = x[n].ctypes.data, y[n].ctypes.data
        for start in range(0, channels, len(lanes)):
            c = min(start, channels - len(lanes))
            column(  # type: ignore[call-arg]
                width, lanes, source + c, pixels, channels, low, most, target + 4 * c
            )
