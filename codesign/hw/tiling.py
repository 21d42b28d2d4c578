"""Tiles of a product layer: output tiles, input tiles, pixel blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codesign.hw.layout import Layout


@dataclass(frozen=True, slots=True)
class OutputTile:
    """Up to PO output channels of one group, computed together."""

    group: int
    first: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of output pixels whose accumulators are held together."""

    rows: int
    columns: int

    @property
    def pixels(self) -> int:
        """Pixels of the block."""
        return self.rows * self.columns


def output_tiles(channels: int, groups: int, lanes: int) -> list[OutputTile]:
    """Output tiles in order; a tile never straddles two groups, its last lanes stay idle."""
    each = channels // groups
    return [
        OutputTile(group, group * each + start, min(lanes, each - start))
        for group in range(groups)
        for start in range(0, each, lanes)
    ]


def input_tiles(source: Layout, group: int, groups: int) -> list[int]:
    """Channels of each input tile of a group: what one activation word holds of the group.

    A group that starts or ends inside a word uses a part of it; the other lanes are idle.
    """
    each = source.channels // groups
    first = group * each
    per_word = source.word_lanes // source.lanes
    sizes = []
    for word in source.span(first, each):
        low, high = max(first, word * per_word), min(first + each, (word + 1) * per_word)
        sizes.append(high - low)
    return sizes


def window_fits_block(window: tuple[int, ...], pixels: int) -> bool:
    """Whether a pooling window's accumulators are in one block."""
    return window[0] * window[1] <= pixels


def block_shape(
    height: int, width: int, pixels: int, window: tuple[int, int] = (1, 1)
) -> tuple[int, int]:
    """Rows and columns of a full block: whole rows where they fit, else a part of a row.

    Both are multiples of the fused pooling window, so that no window straddles two blocks.
    """
    rows, columns = window
    if rows * width <= pixels:
        return min(pixels // width // rows * rows, -(-height // rows) * rows), width
    return rows, pixels // rows // columns * columns


def blocks(height: int, width: int, shape: tuple[int, int]) -> Iterator[Block]:
    """The blocks of a map in order: from top to bottom, in a band from left to right."""
    for top in range(0, height, shape[0]):
        for left in range(0, width, shape[1]):
            yield Block(min(shape[0], height - top), min(shape[1], width - left))


def windows(block: Block, window: tuple[int, int]) -> int:
    """Whole pooling windows in a block; rows and columns left over belong to none."""
    return (block.rows // window[0]) * (block.columns // window[1])


def tile_places(inputs: int) -> int:
    """Codes of one output channel in a weight tile: its inputs, rounded up to a power of two.

    So a lane finds its code at a fixed distance from the channel's first, without a crossbar.
    """
    return 1 << (inputs - 1).bit_length()


def words_per_tile(inputs: int, outputs: int, bits: int, word: int) -> int:
    """Words of one weight tile: codes of `bits`, as many as a word of `word` bits holds.

    A tile starts on a word and a code never straddles two.
    """
    return -(-tile_places(inputs) * outputs // (word // bits))


def valid_taps(size: int, outputs: int, kernel: int, stride: int, padding: int) -> int:
    """Along one axis: (tap, output) pairs that fall inside the map, not into its padding."""
    return sum(
        0 <= output * stride + tap - padding < size
        for tap in range(kernel)
        for output in range(outputs)
    )
