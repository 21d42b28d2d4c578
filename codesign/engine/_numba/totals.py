"""Sums of maps over their pixels: bytes narrow while they cannot overflow, 32 bits in the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from codesign.engine._numba.jit import compiled
from codesign.engine._numba.lines import lanes_of
from codesign.engine._numba.tasks import PART_BYTES, Task, address, compute, entry, numbers_at
from codesign.engine._numba.vectors import load, repeat, splat, store
from codesign.ir import IntArray, IntType

_BYTE, _WORD, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


@dataclass(frozen=True)
class Gate:
    """Which sums become bits: those greater than their threshold.

    Attributes:
        theta: thresholds, one for each channel of the result.
        times: how often the result has the channels of the map, one after the other.
        frames: parts of an image that are summed apart.
        delay: frames by which the bits are late; the first are 0.
    """

    theta: IntArray
    times: int = 1
    frames: int = 1
    delay: int = 0


class Totals:
    """Sums over the pixels of maps (images, pixels, channels) whose codes have the type `codes`.

    Of bytes, the codes less the least are added up in `width` bytes, as many as surely fit, and
    those sums in 32 bits. With a gate the results are its bits; an image is then a frame of one.
    """

    def __init__(
        self, codes: IntType, pixels: int, channels: int, gate: Gate | None = None
    ) -> None:
        self.low, span = codes.lo, max(codes.hi - codes.lo, 1)
        self.width = 1 if span <= 31 else 2
        self.most = ((1 << 8 * self.width) - 1) // span
        self.pixels, self.channels, self.gated = pixels, channels, gate is not None
        self.gate = gate or Gate(np.zeros(channels, np.int64))

    def run(self, x: IntArray, y: IntArray, images: int) -> None:
        """The sums, or bits, of the flat `x` into the flat `y`, both of any integers."""
        compute(self.task(x, y), images)

    def task(self, x: IntArray, y: IntArray) -> Task:
        """As `run`, as a task; its parts are ranges of channels of all images."""
        gate = self.gate
        arrays = x, y, gate.theta
        sizes = (
            self.pixels, self.channels, self.low, self.most, gate.times, gate.frames, gate.delay
        )  # fmt: skip
        record = np.array([0, *map(address, arrays), *sizes], np.int64)
        cost = gate.frames * self.pixels * self.channels * x.itemsize / PART_BYTES
        if x.itemsize == 1:
            lanes = min(lanes_of(self.channels), 64)
            function = _bytes_entry(self.gated, self.width, lanes, y.dtype.name)
        else:
            function = _wide_entry(self.gated, x.dtype.name, y.dtype.name)
        return Task(function, record, cost, arrays)


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
        b, codes = builder, ir.VectorType(_BYTE, lanes)
        narrow, wide = ir.VectorType(ir.IntType(8 * size), lanes), ir.VectorType(_WORD, lanes)
        zeros = [0] * lanes
        base = splat(b, b.trunc(low, _BYTE), lanes)

        def part_of(number: Any, total: list[Any]) -> list[Any]:
            start = b.mul(number, most)
            left = b.sub(pixels, start)
            count = b.select(b.icmp_signed("<", left, most), left, most)

            def pixel(number: Any, sums: list[Any]) -> list[Any]:
                value = load(b, b.add(x, b.mul(b.add(start, number), step)), codes)
                value = b.sub(value, base)
                return [b.add(*sums, value if size == 1 else b.zext(value, narrow))]

            sums = repeat(b, count, [ir.Constant(narrow, zeros)], pixel)
            return [b.add(*total, b.zext(*sums, wide))]

        parts = b.udiv(b.sub(b.add(pixels, most), _LONG(1)), most)
        total = repeat(b, parts, [ir.Constant(wide, zeros)], part_of)
        store(b, total[0], y)
        return context.get_dummy_value()

    return signature, generate


@compiled
def _settle(
    gated: tuple[int, ...],
    sums: IntArray,
    skip: int,
    more: int,
    start: int,
    image: int,
    channels: int,
    y: IntArray,
    theta: IntArray,
    times: int,
    frames: int,
    delay: int,
) -> None:
    """`sums` behind the first `skip`, plus `more`, are those of the channels from `start`."""
    count = len(sums) - skip
    if len(gated) == 0:
        for c in range(count):
            y[image * channels + start + c] = sums[skip + c] + more
        return
    t, width = image % frames, channels * times
    if t < delay:
        for k in range(times):
            place = image * width + k * channels + start
            for c in range(count):
                y[place + c] = 0
    if t + delay < frames:
        for k in range(times):
            first = k * channels + start
            place = (image + delay) * width + first
            for c in range(count):
                y[place + c] = sums[skip + c] + more > theta[first + c]


@compiled
def _totals(
    gated: tuple[int, ...],
    width: tuple[int, ...],
    lanes: tuple[int, ...],
    x: int,
    pixels: int,
    channels: int,
    low: int,
    most: int,
    y: IntArray,
    theta: IntArray,
    times: int,
    frames: int,
    delay: int,
    begin: int,
    end: int,
) -> None:
    """Bytes at the address `x`; the last vector of channels overlaps the one before.

    Of the vectors of all images, those from `begin` to `end`.
    """
    vectors = (channels + len(lanes) - 1) // len(lanes)
    sums = np.empty(len(lanes), np.int32)
    for index in range(begin, end):
        image, start = index // vectors, index % vectors * len(lanes)
        c = min(start, channels - len(lanes))
        source = x + image * pixels * channels + c
        column(  # type: ignore[call-arg]
            width, lanes, source, pixels, channels, low, most, sums.ctypes.data
        )
        _settle(
            gated, sums, start - c, low * pixels, start, image, channels, y, theta, times, frames,
            delay,
        )  # fmt: skip


@compiled
def _wide_totals(
    gated: tuple[int, ...],
    x: IntArray,
    pixels: int,
    channels: int,
    y: IntArray,
    theta: IntArray,
    times: int,
    frames: int,
    delay: int,
    begin: int,
    end: int,
) -> None:
    """Flat x, of the images from `begin` to `end`; sums of 32 bits, which the proof allows."""
    sums = np.empty(channels, np.int32)
    for image in range(begin, end):
        sums[:] = 0
        for p in range(pixels):
            place = (image * pixels + p) * channels
            for c in range(channels):
                sums[c] += x[place + c]
        _settle(gated, sums, 0, 0, 0, image, channels, y, theta, times, frames, delay)


@register_jitable
def _results_at(n: IntArray, kind: Any) -> tuple[IntArray, IntArray, int, int, int]:
    """What both loops take last of a record: results of type `kind`, and the gate."""
    channels, times, frames = n[5], n[8], n[9]
    y = numbers_at(n[2], n[0] * frames * times * channels, kind)
    return y, numbers_at(n[3], times * channels, np.int64), times, frames, n[10]


@cache
def _bytes_entry(gated: bool, width: int, lanes: int, target: str) -> int:
    """Address of `_totals` on the record that `Totals.task` makes."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    g, w, v = ((zero,) * length for length in (gated, width, lanes))
    kind = np.dtype(target).type

    def totals_of_bytes(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 11, np.int64)
        whole = n[0] * n[9] * ((n[5] + len(v) - 1) // len(v))
        _totals(
            g, w, v, n[1], n[4], n[5], n[6], n[7], *_results_at(n, kind),
            whole * part // parts, whole * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(totals_of_bytes)


@cache
def _wide_entry(gated: bool, source: str, target: str) -> int:
    """Address of `_wide_totals` on the record that `Totals.task` makes."""
    zero: Any = np.int64(0)
    g = (zero,) * gated
    from_type, to_type = np.dtype(source).type, np.dtype(target).type

    def totals_of_words(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, 11, np.int64)
        images = n[0] * n[9]
        _wide_totals(
            g, numbers_at(n[1], images * n[4] * n[5], from_type), n[4], n[5],
            *_results_at(n, to_type), images * part // parts, images * (part + 1) // parts,
        )  # fmt: skip
        return 1

    return entry(totals_of_words)
