"""Packed products: weights laid out for the micro-kernel, maps read in place through offsets.

A pixel's sums take its window's bytes in steps of four. Where they lie, counted from the window's
first pixel, is a table of offsets, the same for every pixel: so there is no copy of windows, groups
are other first channels, and a channel shuffle before the product is another table. A map that is
padded lies in a frame that holds the pad code around it. Codes travel as unsigned bytes less a
base; what the base adds to a sum is taken off with the bias.

Codes of one bit travel 32 in a word (`bits.py`). With a code `base + step * bit` and weights of -k
and k, of which n are negative, `sum = base * sum(weights) + step * k * (agreeing - n)`, where a bit
agrees that is set and meets k, or is not and meets -k: again a number that is added, and one more
to multiply with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba import bits, micro
from codesign.engine._numba.features import Level
from codesign.engine._numba.jit import compiled
from codesign.engine._numba.memory import aligned, move
from codesign.engine._numba.tasks import PART_PRODUCTS, Task, address, compute, entry, numbers_at
from codesign.ir import IntArray, IntType

#: Bytes behind a frame that may be read: the last step may reach three beyond its pixel.
SLACK = 64
#: Numbers at the begin of each record of a product: what `operands` reads.
HEAD = 22
#: Rows of a tile by its columns: as many sums as the registers hold beside the operands, and no
#: more rows than their addresses do. With 12, three addresses are read from the stack in each step:
#: a third slower, and in one process of two, by where its memory lies, slower by a factor of five.
_ROWS = {16: {1: 10, 2: 10, 3: 8, 4: 6}, 8: {1: 8, 2: 4}, 4: {1: 12, 2: 12, 3: 8, 4: 6}}
#: Pixels of a window of the pools that products take along: 2 x 2.
POOL = 4


@dataclass(frozen=True, slots=True)
class Window:
    """How a product reads its map: a linear layer is a window of one element on N pixels.

    Attributes:
        sizes: of the map behind its channels.
        channels: of the map.
        kernel, stride, padding: one number for each of `sizes`.
        groups: of the product.
        shuffle: groups of the channel shuffle that the map has yet to go through; 1 without.
    """

    sizes: tuple[int, ...]
    channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    groups: int = 1
    shuffle: int = 1

    @property
    def padded(self) -> tuple[int, ...]:
        """Sizes of the frame."""
        return tuple(s + 2 * p for s, p in zip(self.sizes, self.padding, strict=True))

    @property
    def results(self) -> tuple[int, ...]:
        """Sizes of the result."""
        places = zip(self.padded, self.kernel, self.stride, strict=True)
        return tuple((size - window) // step + 1 for size, window, step in places)

    @property
    def frame_bytes(self) -> int:
        """Bytes of the frame."""
        return int(np.prod(self.padded)) * self.channels

    @property
    def starts(self) -> IntArray:
        """Offsets in the frame of the windows' first pixels, in order of the results."""
        none = (0,) * len(self.sizes)
        return pixel_offsets(self.padded, self.results, self.stride, none, self.channels)


@dataclass(frozen=True, slots=True)
class Rescale:
    """From sums to codes: `(clip((sum + bias) >> shift, lo, hi) << scale) + offset`."""

    bias: IntArray
    shift: int
    lo: int
    hi: int
    scale: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """From sums to codes: how many thresholds `(sum + bias) * side` reaches, plus `offset`.

    `levels` is (outputs, count), ascending or not, each times its output's `side`, 1 or -1.
    """

    bias: IntArray
    side: IntArray
    levels: IntArray
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """From sums to bits: whether `sum * side` reaches its output's one of `levels` (outputs,)."""

    side: IntArray
    levels: IntArray


def pixel_offsets(
    sizes: tuple[int, ...],
    inner: tuple[int, ...],
    step: tuple[int, ...],
    first: tuple[int, ...],
    channels: int,
) -> IntArray:
    """Offsets in a map of `sizes` of the pixels `first + i * step`, i below `inner`, in order."""
    place: IntArray = np.zeros(1, np.int64)
    for size, count, stride, start in zip(sizes, inner, step, first, strict=True):
        place = (place[:, None] * size + start + stride * np.arange(count)).reshape(-1)
    return place * channels


def squares(results: tuple[int, ...], pool: bool) -> IntArray:
    """Pixels of each 2 x 2 of a map of results, (squares, 4), row by row.

    Of an odd number the last square overlaps another; those of a `pool` leave the rest out.
    """
    rows, columns = (
        np.arange(size // 2) * 2 if pool else np.minimum(np.arange(0, size, 2), size - 2)
        for size in results
    )
    corners = (rows[:, None] * results[1] + columns).reshape(-1, 1)
    found: IntArray = corners + np.array([0, 1, results[1], results[1] + 1])
    return found


def base_of(codes: IntType, pad_code: int, signed: bool = False) -> int | None:
    """What is taken off the codes so that they are bytes; None where they are too many.

    Bytes are unsigned, or `signed`: then more than 127 are counted from the middle.
    """
    base = min(codes.lo, pad_code, 0)
    greatest = max(codes.hi, pad_code) - base
    if greatest > 255:
        return None
    return base + 128 if signed and greatest > 127 else base


def fits_level(level: Level, codes: IntType, pad_code: int, weight: IntArray) -> bool:
    """Whether the level's instruction is exact on these codes and weights."""
    base = base_of(codes, pad_code)
    if base is None or not level.lanes or level.bits:
        return False
    least, most = int(weight.min(initial=0)), int(weight.max(initial=0))
    if least < -128 or most > 127:
        return False
    greatest = max(-least, most)
    return not level.pairs or 2 * (max(codes.hi, pad_code) - base) * greatest < 1 << 15


class Packed:
    """One product, ready to run: packed weights, offsets, biases.

    `weight` is (outputs, channels/groups, *kernel). A code is `base + step * stored`, where a
    level of bytes stores a byte (its `step` is 1), and a level of bits one bit. With `after` the
    results are codes of one byte, or bits behind a cut, else sums of 32 bits. With `pooled`, of
    each 2 x 2 results from the first on, the greatest is the one that is stored.

    Attributes:
        step_bytes: what a step reads of each pixel.
        taps: pixels of the window that it reads them of.
        apart: bytes of a pixel between what two blocks of outputs read.
    """

    step_bytes = 4
    taps = 1
    apart = 0

    def __init__(
        self,
        level: Level,
        window: Window,
        weight: IntArray,
        base: int,
        after: Rescale | Counted | Cut | None,
        step: int = 1,
        pooled: bool = False,
    ) -> None:
        self.base = base
        self.pool = POOL if pooled else 1
        self.outputs = len(weight)
        self.lanes = self.outputs // window.groups
        rows, columns = self.blocking(level, -(-self.lanes // level.lanes))
        rows -= rows % self.pool
        bias, numbers, levels, mode = finishing(after, len(weight))
        if isinstance(after, Counted | Cut):
            weight = weight * after.side.reshape(-1, *[1] * (weight.ndim - 1))
        flat = weight.reshape(self.outputs, -1)
        bias, worth = bias + base * flat.sum(1, dtype=np.int64), 1
        if level.bits:
            worth = step * max(int(flat.max()), -int(flat.min()))
            bias = bias - worth * (flat < 0).sum(1)
            if mode == micro.BITS:  # of the count itself, so that nothing is left to multiply
                levels, bias = -((bias[:, None] - levels) // worth), 0 * bias
            weight = bits.negative_bits(weight)
            window = replace(window, channels=weight.shape[1] * window.groups)
        self.window = window
        #: What a tile is compiled for.
        self.variant = mode, level.code, rows, columns, self.taps, self.pool
        #: Elements that a tile stores of a pixel, and of a group's outputs.
        share = 8 if mode == micro.BITS else 1
        self.width, self.stored = columns * level.lanes // share, -(-self.lanes // share)
        table, self.offsets, self.group_bytes = self.steps_of(window, weight)
        corner = tuple(k - 1 for k in window.kernel)
        ones = (1,) * len(corner)
        end = int(pixel_offsets(window.padded, ones, ones, corner, window.channels)[0])
        last = int(self.offsets.max()) + self.step_bytes + (window.groups - 1) * self.group_bytes
        #: Whether no step reads beyond the window's last pixel.
        self.reads_within = last <= end + window.channels
        width = columns * level.lanes
        self.weights = _pack(table, window.groups, width, level.lanes)
        self.bias, self.levels = lay_after(bias, levels, window.groups, width)
        self.numbers = np.array((*numbers, levels.shape[1], worth), np.int64).astype(np.int32)
        self.size, self.starts = window.frame_bytes, window.starts
        if pooled:
            self.starts = self.starts[squares(window.results, pool=True).reshape(-1)]

    def blocking(self, level: Level, vectors: int) -> tuple[int, int]:
        """Pixels of a tile, and its columns, for so many vectors of outputs."""
        columns = max(c for c in _ROWS[level.lanes] if vectors % c == 0)
        return _ROWS[level.lanes][columns], columns

    def steps_of(self, window: Window, weight: IntArray) -> tuple[IntArray, IntArray, int]:
        """Weights in the order of the steps, (outputs, fours, 4); offsets; bytes between groups."""
        taps, places, between = runs(window, weight)
        outputs, count, length = taps.shape
        pieces = -(-length // self.step_bytes)
        table = np.zeros((outputs, count, self.step_bytes * pieces), np.int8)
        table[..., :length] = taps
        offsets = (places[:, None] + self.step_bytes * np.arange(pieces)).reshape(-1)
        return table.reshape(outputs, -1, 4), offsets.astype(np.int64), between

    def run(self, frame: IntArray, images: int, y: IntArray, places: IntArray, step: int) -> None:
        """Results of `images` frames (bytes, flat, with SLACK behind them) go into the flat `y`.

        Elements of `y` are bytes, of codes or of eight bits, or sums of 32 bits. `places` are those
        where the pixels of an image begin, `step` the distance of two images.
        """
        task = self.task(frame, y, places, step)
        assert task is not None
        compute(task, images)

    def task(self, frame: IntArray, y: IntArray, places: IntArray, step: int) -> Task | None:
        """As `run`, as a task; its parts are ranges of tiles, over pixels and blocks of outputs.

        None: the product has only `run`.
        """
        record, arrays = self.record(frame, y, self.starts, places, step, self.apart)
        products = self.bias.size * len(self.starts) * 4 * len(self.offsets)
        function = _tiles_entry(*self.variant, y.dtype.name)
        return Task(function, record, products / PART_PRODUCTS, arrays)

    def record(
        self, frame: IntArray, y: IntArray, starts: IntArray, places: IntArray, step: int,
        *own: int,
    ) -> tuple[IntArray, tuple[IntArray, ...]]:  # fmt: skip
        """The record that `operands` reads, `own` numbers behind it, and the arrays it names."""
        arrays = (frame, y, starts, places, self.offsets, self.weights, self.bias, self.numbers,
                  self.levels)  # fmt: skip
        numbers = (
            len(starts), self.size, step, len(self.offsets), *self.weights.shape,
            self.group_bytes, *self.levels.shape[2:], self.width, self.stored,
        )  # fmt: skip
        return np.array([0, *map(address, arrays), *numbers, *own], np.int64), arrays


def finishing(
    after: Rescale | Counted | Cut | None, outputs: int
) -> tuple[IntArray, tuple[int, ...], IntArray, int]:
    """Biases, numbers, thresholds (outputs, count) and the tile's mode."""
    none: IntArray = np.zeros((outputs, 0), np.int64)
    if isinstance(after, Rescale):
        numbers = (after.shift, after.lo, after.hi, after.scale, after.offset)
        return after.bias.astype(np.int64), numbers, none, micro.CODES
    if isinstance(after, Counted):
        bias: IntArray = after.bias.astype(np.int64) * after.side
        return bias, (0, 0, 0, 0, after.offset), after.levels, micro.COUNTS
    nothing: IntArray = np.zeros(outputs, np.int64)
    if isinstance(after, Cut):
        return nothing, (0,) * 5, after.levels[:, None], micro.BITS
    return nothing, (0,) * 5, none, micro.SUMS


def runs(window: Window, weight: IntArray) -> tuple[IntArray, IntArray, int]:
    """Weights by the bytes that lie side by side in a map, (outputs, runs, length).

    With the offsets of the runs from the window's first pixel, and the bytes between groups.
    """
    outputs, depth = weight.shape[:2]
    taps: IntArray = weight.reshape(outputs, depth, -1).transpose(0, 2, 1)  # (outputs, taps, depth)
    ones, none = (1,) * len(window.sizes), (0,) * len(window.sizes)
    places = pixel_offsets(window.padded, window.kernel, ones, none, window.channels)
    if window.shuffle == 1 and window.groups == 1:
        # neighbouring taps of a row are one run of bytes
        last = window.kernel[-1]
        return taps.reshape(outputs, -1, last * depth), places[::last], 0
    # shuffled channel j*G + g lies at g*C/G + j: a group reads a run in each of the G parts
    parts = window.shuffle
    apart = taps.reshape(outputs, len(places), depth // parts, parts).swapaxes(2, 3)
    within = np.arange(parts) * (window.channels // parts)
    places = (places[:, None] + within).reshape(-1)
    return apart.reshape(outputs, len(places), depth // parts), places, depth // parts


def _lay(values: IntArray, groups: int, width: int, rest: int = 0) -> IntArray:
    """(outputs, ...) as (groups, blocks, width, ...), `rest` beyond a group's outputs."""
    lanes = len(values) // groups
    blocks = -(-lanes // width)
    laid = np.full((groups, blocks * width, *values.shape[1:]), rest, values.dtype)
    laid[:, :lanes] = values.reshape(groups, lanes, *values.shape[1:])
    return laid.reshape(groups, blocks, width, *values.shape[1:])


def lay_after(
    bias: IntArray, levels: IntArray, groups: int, width: int
) -> tuple[IntArray, IntArray]:
    """Biases (groups, blocks, width) and thresholds (groups, blocks, count, width) of 32 bits."""
    limits = np.iinfo(np.int32)
    laid = _lay(levels.clip(limits.min, limits.max), groups, width, limits.max)
    rows = np.ascontiguousarray(laid.swapaxes(2, 3).astype(np.int32))
    return _lay(bias, groups, width).astype(np.uint32).view(np.int32), rows


def _pack(table: IntArray, groups: int, width: int, lanes: int) -> IntArray:
    """(outputs, steps, 4) as (groups, blocks, steps, columns, lanes, 4), as the tile reads them."""
    laid = _lay(table, groups, width)
    laid = laid.reshape(groups, laid.shape[1], width // lanes, lanes, *table.shape[1:])
    packed = laid.transpose(0, 1, 4, 2, 3, 5)
    return aligned(packed).reshape(groups, laid.shape[1], -1)


@compiled
def _tiles(
    mode: tuple[int, ...],
    level: tuple[int, ...],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    taps: tuple[int, ...],
    pool: tuple[int, ...],
    places: IntArray,
    apart: int,
    begin: int,
    end: int,
    frame: IntArray,
    starts: IntArray,
    size: int,
    images: int,
    offsets: IntArray,
    weights: IntArray,
    between: int,
    bias: IntArray,
    numbers: IntArray,
    levels: IntArray,
    y: IntArray,
    step: int,
    width: int,
    stored: int,
) -> None:
    """Tile after tile over the pixels of all images; `y` holds bytes, or sums of 32 bits.

    Each `pool` pixels have one of `places`.
    Of the tiles, in the order of groups, blocks of outputs, pixels, those from `begin` to `end`.
    """
    count, pixels = len(rows), len(starts)
    tiles = -(-images * pixels // count)
    sources, results = np.empty(count, np.int64), count // len(pool)
    targets, indices = np.empty(results, np.int64), np.empty(results, np.int64)
    spare = np.empty(results * width, y.dtype)
    for g in range(weights.shape[0]):
        for b in range(weights.shape[1]):
            ahead = (g * weights.shape[1] + b) * tiles
            if ahead + tiles <= begin or end <= ahead:
                continue
            valid = min(width, stored - b * width)
            origin = frame.ctypes.data + g * between + b * apart
            first = g * stored + b * width
            for t in range(max(0, begin - ahead), min(tiles, end - ahead)):
                start = t * count
                n, p = start // pixels, start % pixels
                for m in range(count):
                    sources[m] = origin + n * size + starts[p]
                    if m % len(pool) == 0:
                        k = m // len(pool)
                        indices[k] = n * step + places[p // len(pool)] + first
                        if valid == width:
                            targets[k] = y.ctypes.data + y.itemsize * indices[k]
                        else:
                            targets[k] = spare.ctypes.data + y.itemsize * k * width
                    p += 1
                    if start + m + 1 >= images * pixels:  # the last pixels are repeated
                        p -= len(pool) if (m + 1) % len(pool) == 0 else 0
                    elif p == pixels:
                        n, p = n + 1, 0
                micro.tile(  # type: ignore[call-arg]
                    mode, level, rows, columns, taps, pool, sources.ctypes.data,
                    offsets.ctypes.data, len(offsets) // len(taps), weights[g, b].ctypes.data,
                    bias[g, b].ctypes.data, numbers.ctypes.data, levels[g, b].ctypes.data,
                    targets.ctypes.data,
                )  # fmt: skip
                if valid < width:
                    for k in range(results):
                        place = y.ctypes.data + y.itemsize * indices[k]
                        move(targets[k], place, y.itemsize * valid)


@register_jitable
def operands(n: IntArray, kind: Any) -> Any:
    """What every loop over tiles takes last, from a record; `kind` is the type of `y`."""
    groups, blocks, lanes = n[14], n[15], n[19]
    return (
        numbers_at(n[1], 1, np.uint8),
        numbers_at(n[3], n[10], np.int64),
        n[11], n[0],
        numbers_at(n[5], n[13], np.int64),
        numbers_at(n[6], (groups, blocks, n[16]), np.int8),
        n[17],
        numbers_at(n[7], (groups, blocks, lanes), np.int32),
        numbers_at(n[8], 1, np.int32),
        numbers_at(n[9], (groups, blocks, n[18], lanes), np.int32),
        numbers_at(n[2], 1, kind),
        n[12], n[20], n[21],
    )  # fmt: skip


@cache
def _tiles_entry(
    mode: int, level: int, rows: int, columns: int, taps: int, pool: int, result: str
) -> int:
    """Address of `_tiles` on the record that `Packed.task` makes; `result` is the type of `y`."""
    # not of Python's zero, whose type would have its value
    zero: Any = np.int64(0)
    variant = mode, level, rows, columns, taps, pool
    m, v, r, c, a, q = ((zero,) * length for length in variant)
    kind = np.dtype(result).type

    def packed_tiles(record: int, part: int, parts: int) -> int:
        n = numbers_at(record, HEAD + 1, np.int64)
        images, pixels, groups, blocks = n[0], n[10], n[14], n[15]
        tiles = groups * blocks * (-(-images * pixels // len(r)))
        _tiles(
            m, v, r, c, a, q, numbers_at(n[4], pixels // len(q), np.int64), n[HEAD],
            tiles * part // parts, tiles * (part + 1) // parts, *operands(n, kind),
        )  # fmt: skip
        return 1

    return entry(packed_tiles)
