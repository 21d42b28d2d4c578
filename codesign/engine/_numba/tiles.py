"""Products by AMX tiles: which pixels share a tile, and where its rows of 64 bytes come from.

The 16 rows of a tile of codes lie at one distance from each other. Neighbouring pixels of a map do
as well, so a window is read in place, 64 bytes of 16 pixels at a time (*direct*); a tile may reach
over the end of a row of pixels, and what it computes for positions that are none is dropped. Where
the bytes that lie side by side are few, or rows of pixels short, that would be a waste: then 64
bytes of windows are put together in a scratch, once for all outputs (*gathered*). What is less work
is taken, and a product that is less work still for single vectors is left to those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.engine._numba import amx
from codesign.engine._numba.after import Counted, Cut, Rescale
from codesign.engine._numba.amx import OUTPUTS, PIXELS, ROW, SUM_TILES
from codesign.engine._numba.depthwise import Depthwise, is_depthwise
from codesign.engine._numba.features import Level
from codesign.engine._numba.native import Buffers
from codesign.engine._numba.packed import Packed
from codesign.engine._numba.skips import Skip
from codesign.engine._numba.tasks import PART_PRODUCTS, Task, address
from codesign.engine._numba.tiletasks import RECORD, tiles_entry
from codesign.engine._numba.windows import Window, runs
from codesign.ir import IntArray

#: Cycles, estimated: a pixel's share of a tile's product (its least is 1; loads are not always
#: near), a copy of 64 bytes across cache lines, a product of single vectors in a loop.
_PRODUCT, _COPY, _VECTOR = 1.5, 4.0, 0.6
#: Times as many products as single vectors do, at least: so much larger is a part for a thread.
_FASTER = 4


@dataclass(frozen=True)
class Cover:
    """Tiles of pixels at one distance.

    Attributes:
        pitch: bytes between two rows of a tile.
        starts: (tiles,) bytes from the frame's begin to a tile's first row.
        pixels: (tiles, rows) pixel of each row, -1 where it is none or another tile's.
    """

    pitch: int
    starts: IntArray
    pixels: IntArray


def cover(starts: IntArray) -> Cover | None:
    """Tiles over the pixels that begin at the ascending `starts`; None where a tile is too long.

    A tile begins at the first pixel that no tile has yet. No row lies behind the last pixel: there
    a tile begins earlier, and has rows of pixels that are another tile's.
    """
    first, last = int(starts[0]), int(starts[-1])
    pitch = int(starts[1]) - first if len(starts) > 1 else ROW
    reach = (PIXELS - 1) * pitch
    if last - first < reach:
        return None
    begins, lines, done = [], [], 0
    while done < len(starts):
        begin = int(starts[done])
        begin -= max(0, -(-(begin + reach - last) // pitch)) * pitch
        if begin < first:
            return None
        stop = int(np.searchsorted(starts, begin + reach, "right"))
        row, beside = np.divmod(starts[done:stop] - begin, pitch)
        count = int(np.argmax(beside > 0)) if beside.any() else len(row)
        line: IntArray = np.full(PIXELS, -1, np.int64)
        line[row[:count]] = np.arange(done, done + count)
        begins.append(begin)
        lines.append(line)
        done += count
    return Cover(pitch, np.array(begins, np.int64), np.array(lines, np.int64))


def _images(window: Window) -> Cover:
    """For images of one pixel: their distance. Which of them share a tile, their number says."""
    none: IntArray = np.zeros(1, np.int64)
    return Cover(window.frame_bytes, none, none[:, None])


def _pieces(places: IntArray, length: int, step: int) -> tuple[IntArray, IntArray]:
    """How runs of `length` bytes at `places` become rows of 64: where from, and where to.

    A piece ends where its run or row does; rows of one pixel are `step` bytes apart. Pieces are
    copied in order, 64 bytes each: what is too much of one, the next overwrites.
    """
    sources, targets, position = [], [], 0
    for place in places.tolist():
        end = position + length
        while position < end:
            sources.append(place + length - (end - position))
            targets.append(position // ROW * step + position % ROW)
            position = min(end, (position // ROW + 1) * ROW)
    return np.array(sources, np.int64), np.array(targets, np.int64)


@dataclass(frozen=True)
class Way:
    """How a product of one window takes its tiles.

    Attributes:
        cover: the tiles that are read in place; None: windows are gathered.
        cycles: estimate for a pixel of a group, with `outputs` outputs.
    """

    cover: Cover | None
    cycles: float


def way_of(window: Window, outputs: int) -> Way:
    """The cheaper way of a product with so many outputs a group."""
    places, length = _run_shape(window)
    tiles = -(-outputs // OUTPUTS)
    steps = -(-len(places) * length // ROW)
    pieces = len(_pieces(places, length, ROW)[0])
    gathered = Way(None, _PRODUCT * steps * tiles + _COPY * pieces)
    pixels = window.starts
    found = cover(pixels) if len(pixels) > 1 else _images(window)
    if found is None:
        return gathered
    share = found.pixels.size / (found.pixels >= 0).sum()
    cycles = _PRODUCT * share * len(places) * -(-length // ROW) * tiles
    return Way(found, cycles) if cycles <= gathered.cycles else gathered


def suits(level: Level, window: Window, outputs: int) -> bool:
    """Whether tiles, where the level has them, are less work than single vectors."""
    if not level.tiles:
        return True
    each = outputs // window.groups
    places, length = _run_shape(window)
    vectors = -(-each // OUTPUTS) * len(places) * -(-length // 4)
    return way_of(window, each).cycles < _VECTOR * vectors


def _run_shape(window: Window) -> tuple[IntArray, int]:
    """Where the runs of a window begin, and how long each is."""
    taps, places, _ = runs(
        window, np.zeros((1, window.channels // window.groups, *window.kernel), np.int8)
    )
    return places, taps.shape[2]


def packed_product(
    level: Level,
    window: Window,
    weight: IntArray,
    base: int,
    after: Rescale | Counted | Cut | None,
    step: int = 1,
    pooled: bool = False,
    skip: Skip | None = None,
) -> Packed:
    """A product of the level, ready to run; arguments as `Packed` has them."""
    if is_depthwise(window, len(weight)) and not level.tiles:
        # see `takes_pools`, `takes_skips`
        assert not isinstance(after, Cut) and not pooled and skip is None
        return Depthwise(level, window, weight, base, after)
    kind = Tiled if level.tiles else Packed
    return kind(level, window, weight, base, after, step, pooled, skip)


def takes_pools(level: Level, window: Window, outputs: int) -> bool:
    """Whether a product may be `pooled`."""
    return not level.tiles and not is_depthwise(window, outputs)


def takes_skips(level: Level, window: Window, outputs: int) -> bool:
    """Whether a product may have a skip: a vector of outputs has to be of one group."""
    return outputs // window.groups % level.lanes == 0 and not is_depthwise(window, outputs)


class Tiled(Packed):
    """A product by tiles. Its steps are of 64 bytes."""

    step_bytes = ROW

    def blocking(self, level: Level, vectors: int) -> tuple[int, int]:
        """Tiles of pixels and of outputs: four of sums."""
        columns = 2 - vectors % 2
        return SUM_TILES // columns, columns

    def steps_of(self, window: Window, weight: IntArray) -> tuple[IntArray, IntArray, int]:
        """As `Packed` has it; the offsets of a gathered product are those of its pieces."""
        self.cover = way_of(window, len(weight) // window.groups).cover
        if self.cover is not None:
            return super().steps_of(window, weight)
        taps, places, between = runs(window, weight)
        outputs, count, length = taps.shape
        steps = -(-count * length // ROW)
        table = np.zeros((outputs, steps * ROW), np.int8)
        table[:, : count * length] = taps.reshape(outputs, -1)
        # a row behind those of all pixels takes what is too much of the last one
        rows = self.variant[2] * PIXELS + 1
        self.steps = np.arange(steps, dtype=np.int64) * rows * ROW
        offsets, self.targets = _pieces(places, length, rows * ROW)
        return table.reshape(outputs, -1, 4), offsets, between

    def task(
        self, frame: IntArray, y: IntArray, places: IntArray, step: int, beside: Buffers = ()
    ) -> Task:
        """As `Packed` has it; its parts are ranges of blocks of tiles."""
        none: IntArray = np.zeros(1, np.int64)
        pixels, positions, steps, pitch = none[:, None], none, none, 0
        way = "gathered" if self.cover is None else "direct"
        starts = self.starts
        if self.cover is None:
            positions, steps = self.targets, self.steps
        else:
            starts, pixels, pitch = self.cover.starts, self.cover.pixels, self.cover.pitch
        selects = self.selects(places)
        more = amx.CONFIGURATIONS, pixels, positions, steps, selects
        own = *map(address, more), pixels.shape[1], pitch, len(steps), len(places)
        record, arrays = self.record(frame, y, starts, places, step, beside, *own)
        assert len(record) == RECORD
        mode, _, rows, columns, _, _, skip = self.variant
        function = tiles_entry(way, mode, rows, columns, skip, y.dtype.name)
        products = self.weights.size * len(places)
        return Task(function, record, products / (_FASTER * PART_PRODUCTS), (*arrays, *more))
