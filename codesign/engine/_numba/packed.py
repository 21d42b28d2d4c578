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

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from codesign.engine._numba import bits, micro
from codesign.engine._numba.after import (
    Counted,
    Cut,
    Rescale,
    finishing,
    lay,
    lay_after,
    lay_numbers,
    sided,
)
from codesign.engine._numba.features import Level
from codesign.engine._numba.memory import aligned
from codesign.engine._numba.native import Buffers
from codesign.engine._numba.packedloop import packed_entry
from codesign.engine._numba.skips import SKIP_NUMBERS, Skip, variant_of
from codesign.engine._numba.tasks import PART_PRODUCTS, Task, address, compute
from codesign.engine._numba.windows import Window, in_rows, pixel_offsets, runs, squares
from codesign.ir import IntArray, IntType

#: Rows of a tile by its columns: as many sums as the registers hold beside the operands, and no
#: more rows than their addresses do. With 12, three addresses are read from the stack in each step:
#: a third slower, and in one process of two, by where its memory lies, slower by a factor of five.
_ROWS = {16: {1: 10, 2: 10, 3: 8, 4: 6}, 8: {1: 8, 2: 4}, 4: {1: 12, 2: 12, 3: 8, 4: 6}}
#: Pixels of a window of the pools that products take along: 2 x 2.
POOL = 4


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


class Ready(ABC):
    """A product, ready to run: what its loop over tiles reads.

    Attributes:
        size: bytes of a frame.
        offsets: from there, of what each step reads.
        weights: (groups, blocks of outputs, size), bytes as the tiles read them.
        bias: (groups, blocks, lanes).
        numbers, levels: of what becomes of the sums, as `micro.tile` has them.
        group_bytes: bytes between what two groups read.
        width, stored: elements that a tile stores of a pixel, and of a group's outputs.
        reads_within: whether no step reads beyond the window's last pixel.
        skip: what results are merged with, if with anything.
    """

    size: int
    offsets: IntArray
    weights: IntArray
    bias: IntArray
    numbers: IntArray
    levels: IntArray
    group_bytes: int
    width: int
    stored: int
    reads_within: bool
    skip: Skip | None

    def run(
        self, frame: IntArray, images: int, y: IntArray, places: IntArray, step: int,
        beside: Buffers = (),
    ) -> None:  # fmt: skip
        """Results of `images` frames (bytes, flat, with SLACK behind them) go into the flat `y`.

        Elements of `y` are bytes, of codes or of eight bits, or sums of 32 bits. `places` are those
        where the pixels of an image begin, `step` the distance of two images. `beside` are what a
        skip reads: a flat map, its pixels one after the other, and the bits of a select.
        """
        task = self.task(frame, y, places, step, beside)
        assert task is not None
        compute(task, images)

    @abstractmethod
    def task(
        self, frame: IntArray, y: IntArray, places: IntArray, step: int, beside: Buffers = ()
    ) -> Task | None:
        """As `run`, as a task whose parts write apart; None: the product has only `run`."""

    def selects(self, places: IntArray) -> IntArray:
        """Where each result's select begins in an image's; without a skip nothing reads it."""
        return places if self.skip is None else self.skip.selects

    def record(
        self, frame: IntArray, y: IntArray, starts: IntArray, places: IntArray, step: int,
        beside: Buffers, *own: int,
    ) -> tuple[IntArray, tuple[Any, ...]]:  # fmt: skip
        """The record that `operands` reads, `own` numbers behind it, and the arrays it names."""
        arrays = (frame, y, starts, places, self.offsets, self.weights, self.bias, self.numbers,
                  self.levels)  # fmt: skip
        numbers = (
            len(starts), self.size, step, len(self.offsets), *self.weights.shape,
            self.group_bytes, *self.levels.shape[2:], self.width, self.stored,
        )  # fmt: skip
        others = (0,) * SKIP_NUMBERS if self.skip is None else self.skip.laid(beside)
        record = [0, *map(address, arrays), *numbers, *others, *own]
        return np.array(record, np.int64), (*arrays, *beside)


class Packed(Ready):
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
        skip: Skip | None = None,
    ) -> None:
        self.base, self.skip = base, skip
        self.pool = POOL if pooled else 1
        self.outputs = len(weight)
        self.lanes = self.outputs // window.groups
        rows, columns = self.blocking(level, -(-self.lanes // level.lanes))
        rows -= rows % self.pool
        bias, numbers, levels, mode = finishing(after, len(weight))
        if isinstance(after, Counted | Cut):
            weight = sided(weight, after)
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
        self.variant = (
            mode, level.code, rows, columns, self.taps, self.pool, variant_of(skip)
        )  # fmt: skip
        share = 8 if mode == micro.BITS else 1
        self.width, self.stored = columns * level.lanes // share, -(-self.lanes // share)
        table, self.offsets, self.group_bytes = self.steps_of(window, weight)
        corner = tuple(k - 1 for k in window.kernel)
        ones = (1,) * len(corner)
        end = int(pixel_offsets(window.padded, ones, ones, corner, window.channels)[0])
        last = int(self.offsets.max()) + self.step_bytes + (window.groups - 1) * self.group_bytes
        self.reads_within = last <= end + window.channels
        width = columns * level.lanes
        self.weights = _pack(table, window.groups, width, level.lanes)
        self.bias, self.levels = lay_after(bias, levels, window.groups, width)
        self.numbers = lay_numbers(numbers, levels.shape[1], worth, skip)
        self.size = window.frame_bytes

    @property
    def starts(self) -> IntArray:
        """Offsets in a frame of the windows' first pixels, in the order of tiles."""
        starts = self.window.starts
        if self.pool == 1:
            return starts
        return starts[squares(self.window.results, pool=True).reshape(-1)]

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

    def task(
        self, frame: IntArray, y: IntArray, places: IntArray, step: int, beside: Buffers = ()
    ) -> Task | None:
        """See `Ready.task`; the parts are ranges of tiles, over pixels and blocks of outputs."""
        starts = self.starts.reshape(-1, self.pool)
        corners = np.ascontiguousarray(starts[0] - starts[0, 0])
        width, begins, hops = in_rows((starts[:, 0], places, self.selects(places)))
        own = self.apart, address(corners), address(begins[2]), width, *hops.tolist()
        record, arrays = self.record(frame, y, begins[0], begins[1], step, beside, *own)
        products = self.bias.size * starts.size * 4 * len(self.offsets)
        function = packed_entry(*self.variant, y.dtype.name)
        return Task(function, record, products / PART_PRODUCTS, (*arrays, corners, begins))


def _pack(table: IntArray, groups: int, width: int, lanes: int) -> IntArray:
    """(outputs, steps, 4) as (groups, blocks, steps, columns, lanes, 4), as the tile reads them."""
    laid = lay(table, groups, width)
    laid = laid.reshape(groups, laid.shape[1], width // lanes, lanes, *table.shape[1:])
    packed = laid.transpose(0, 1, 4, 2, 3, 5)
    return aligned(packed).reshape(groups, laid.shape[1], -1)
