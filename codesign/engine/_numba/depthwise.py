"""Depthwise products: a filter for each channel, whose sums are a vector of neighbouring channels.

A group of one channel fills one lane of a tile. Here a step is four taps of the window, each four
vectors of channels wide; their bytes are interleaved, so that every lane holds four taps of its own
channel, and what multiplies and adds is what any tile multiplies and adds. Interleaving goes by 16
channels, so that the lanes of the four vectors of sums are in an order of their own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.engine._numba.after import Counted, Rescale
from codesign.engine._numba.features import Level
from codesign.engine._numba.packed import Packed
from codesign.engine._numba.windows import Window, pixel_offsets
from codesign.ir import IntArray

#: Taps of a step, which are also the vectors of channels that a tile is wide.
TAPS = 4
#: Rows of a tile by lanes: as many sums as leave registers for four taps and their parts.
_ROWS = {16: 4, 8: 2, 4: 3}
#: Channels below which groups of one are tiles as any other.
_LEAST = 4


def is_depthwise(window: Window, outputs: int) -> bool:
    """Whether each output is one channel's own."""
    return window.groups == window.channels == outputs >= _LEAST


class Depthwise(Packed):
    """A depthwise product, ready to run; arguments as `Packed` has them.

    It writes no bits, for which a group would need a byte of its own, and takes no pool along.
    """

    taps = TAPS

    def __init__(
        self,
        level: Level,
        window: Window,
        weight: IntArray,
        base: int,
        after: Rescale | Counted | None,
    ) -> None:
        order = _order(window.channels, level.lanes)
        if after is not None:
            after = replace(after, bias=after.bias[order])
        if isinstance(after, Counted):
            after = replace(after, side=after.side[order], levels=after.levels[order])
        super().__init__(level, replace(window, groups=1), weight[order], base, after)
        self.apart, self.stored = self.width, window.channels
        self.reads_within = window.channels % self.width == 0

    def blocking(self, level: Level, vectors: int) -> tuple[int, int]:
        """See `Packed.blocking`."""
        return _ROWS[level.lanes], TAPS

    def steps_of(self, window: Window, weight: IntArray) -> tuple[IntArray, IntArray, int]:
        """Weights (outputs, steps, 4), the offsets of each step's four taps; there is one group."""
        taps = weight.reshape(len(weight), -1)
        count = taps.shape[1]
        table = np.zeros((len(weight), -(-count // TAPS) * TAPS), np.int8)
        table[:, :count] = taps
        ones, none = (1,) * len(window.sizes), (0,) * len(window.sizes)
        places = pixel_offsets(window.padded, window.kernel, ones, none, window.channels)
        # what fills the last step reads the last tap, and multiplies it with 0
        filled = np.pad(places, (0, table.shape[1] - count), mode="edge")
        return table.reshape(len(weight), -1, TAPS), filled.astype(np.int64), 0


def _order(channels: int, lanes: int) -> IntArray:
    """The channel of each lane of each vector, in steps of four vectors; beyond the last, any."""
    block = TAPS * lanes
    within = np.arange(block).reshape(lanes // 4, TAPS, 4).swapaxes(0, 1).reshape(-1)
    blocks = np.arange(-(-channels // block))[:, None] * block
    order: IntArray = np.minimum((blocks + within).reshape(-1), channels - 1)
    return order
