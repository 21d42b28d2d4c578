"""Products with fewer multiplications: 3 x 3 windows of stride 1 on few-bit codes.

Winograd's F(2 x 2, 3 x 3) computes 2 x 2 results with 16 products of transformed codes and weights
where the window itself takes 36. Its transforms add up to four codes and nine weights, which in
floats costs precision; the codes and weights of a quantized network leave that room in a byte, and
every step is exact. The 16 positions are linear layers on the transformed channels: the kernels of
`micro.py` multiply there as everywhere.

Sources: Winograd, Arithmetic Complexity of Computations (1980), and Lavin and Gray, Fast Algorithms
for Convolutional Neural Networks (2016), for the transforms; integers instead of floats, and which
products are worth it: design choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from codesign.engine._numba import micro
from codesign.engine._numba.after import (
    Counted,
    Cut,
    Rescale,
    finishing,
    lay_after,
    lay_numbers,
    sided,
)
from codesign.engine._numba.features import Level
from codesign.engine._numba.memory import lines
from codesign.engine._numba.native import Buffers
from codesign.engine._numba.packed import Packed, Ready
from codesign.engine._numba.skips import Skip, variant_of
from codesign.engine._numba.tasks import PART_PRODUCTS, Task, address
from codesign.engine._numba.transforms import CHANNELS, SCALE
from codesign.engine._numba.windows import Window, squares
from codesign.engine._numba.winogradloops import RECORD, products_entry
from codesign.ir import IntArray

#: The transform of three weights on a line, twice what Lavin and Gray have.
_WEIGHTS = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int16)
#: Bytes of the scratch for transformed codes and their sums, about: a part of the second cache.
_SCRATCH = 200 << 10
#: Cycles, estimated: to spread 64 channels of a tile, to join a vector of a tile's sums.
_SPREAD, _JOIN = 60, 70


def transformed(weight: IntArray) -> Iterator[IntArray]:
    """Weights (outputs, depth, 3, 3) of each of the 16 positions, (outputs, depth).

    Of bytes, nine at most are added: 16 bits hold them.
    """
    for row in _WEIGHTS:
        line = np.einsum("u,ocuv->ocv", row, weight, dtype=np.int16, casting="same_kind")
        for column in _WEIGHTS:
            yield np.einsum("v,ocv->oc", column, line)


def suits(level: Level, window: Window, weight: IntArray, greatest: int) -> bool:
    """Whether such a product is exact and, by an estimate, less work.

    `greatest` is the greatest code that is read, less the least: codes are stored from 0.
    """
    if (
        level.bits
        or level.tiles
        or not level.lanes
        or window.kernel != (3, 3)
        or window.stride != (1, 1)
        or min(window.results) < 2
        or 4 * greatest > 255
        or _cycles(level, window, len(weight)) >= 1
    ):
        return False
    limit = 127
    if level.pairs:  # two products in 16 bits
        limit = min(limit, ((1 << 15) - 1) // (2 * 4 * max(greatest, 1)))
    # nine weights at most are added: only where that could be too much, the sums are looked at
    return 9 * max(int(weight.max()), -int(weight.min())) <= limit or all(
        int(np.abs(position).max()) <= limit for position in transformed(weight)
    )


def _cycles(level: Level, window: Window, outputs: int) -> float:
    """Estimate of a product's cycles, of those that the window itself takes."""
    vectors = window.groups * -(-outputs // window.groups // level.lanes)
    steps = -(-window.channels // window.groups // 4)
    tiles = np.prod([-(-size // 2) for size in window.results])
    spread = _SPREAD * -(-window.channels // CHANNELS)
    mine = tiles * (16 * steps * vectors + _JOIN * vectors + spread)
    return float(mine / (9 * steps * vectors * np.prod(window.results)))


class Winograd(Ready):
    """One product, ready to run; arguments as `Packed` has them.

    `pooled`: of each 2 x 2 results from the first on, the greatest is the one that is stored.
    """

    def __init__(
        self,
        level: Level,
        window: Window,
        weight: IntArray,
        base: int,
        greatest: int,
        after: Rescale | Counted | Cut | None,
        pooled: bool = False,
        skip: Skip | None = None,
    ) -> None:
        self.window, self.pooled, self.skip = window, pooled, skip
        self.outputs = len(weight)
        if isinstance(after, Counted | Cut):
            weight = sided(weight, after)
        # stored are values of 0 or more (or, signed, of as many below 0): what they are less
        below = 2 * greatest
        low = below if level.signed else 0
        self.rest, self.middle = below - low, -low
        line = Window((1,), window.channels, (1,), (1,), (0,), window.groups, window.shuffle)
        bases = [low + 4 * base if place == 5 else low - below for place in range(16)]
        for place, position in enumerate(transformed(weight)):
            packed = Packed(level, line, position[..., None], bases[place], None)
            if not place:
                weights, self.bases = (
                    lines(16 * a.nbytes).view(a.dtype).reshape(*a.shape[:2], 16, a.shape[2])
                    for a in (packed.weights, packed.bias)
                )
            weights[:, :, place], self.bases[:, :, place] = packed.weights, packed.bias
        self.weights = weights.reshape(*weights.shape[:2], -1)
        self.offsets, self.group_bytes = packed.offsets, packed.group_bytes
        rows, columns = packed.variant[2:4]
        bias, numbers, levels, mode = finishing(_scaled(after), self.outputs)
        self.variant = mode, level.code, rows, columns, pooled
        lanes, width = self.outputs // window.groups, packed.width
        share = 8 if mode == micro.BITS else 1
        self.width, self.stored = width // share, -(-lanes // share)
        self.bias, self.levels = lay_after(bias, levels, window.groups, width)
        self.numbers = lay_numbers(numbers, levels.shape[1], 1, skip)
        pixels = squares(window.results, pooled)
        self.size, self.starts = window.frame_bytes, window.starts[pixels[:, 0]]
        #: The results of each tile, by their numbers.
        self.results = np.arange(len(pixels))[:, None] if pooled else pixels
        # a pixel is read in runs of 64 bytes
        self.reads_within = window.channels % CHANNELS == 0
        pitch = -(-window.channels // CHANNELS) * CHANNELS
        most = max(1, _SCRATCH // (16 * (pitch + 4 * width)) // rows)
        self.block = rows * most

    def task(
        self, frame: IntArray, y: IntArray, places: IntArray, step: int, beside: Buffers = ()
    ) -> Task:
        """See `Ready.task`; the parts are ranges of blocks of tiles, groups and outputs."""
        channels = self.window.channels
        selects = self.selects(places)
        own = (
            address(self.bases), self.window.padded[1] * channels, channels, self.rest,
            self.middle, self.block, address(self.results), self.results.shape[1], len(places),
            address(selects),
        )  # fmt: skip
        record, arrays = self.record(frame, y, self.starts, places, step, beside, *own)
        assert len(record) == RECORD
        function = products_entry(*self.variant, variant_of(self.skip), y.dtype.name)
        products = 16 * self.bias.size * len(self.starts) * 4 * len(self.offsets)
        holds = *arrays, self.bases, self.results, selects
        return Task(function, record, products / PART_PRODUCTS, holds)


def _scaled(after: Rescale | Counted | Cut | None) -> Rescale | Counted | Cut | None:
    """What becomes of four times the sum."""
    if isinstance(after, Rescale):
        return replace(after, bias=after.bias << SCALE, shift=after.shift + SCALE)
    if isinstance(after, Counted):
        return replace(after, bias=after.bias << SCALE, levels=after.levels << SCALE)
    return None if after is None else replace(after, levels=after.levels << SCALE)
