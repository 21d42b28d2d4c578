"""How a map lies in the activation memory: words of 2 b lanes, one pixel after the other."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.hw.config import LANE_BITS
from codesign.ir import IntType, Value

#: Codes that take one bit though they have a sign.
BIPOLAR = IntType(-1, 1, 2)


def is_bipolar(code_type: IntType) -> bool:
    """Whether the codes are stored as one bit for a sign."""
    return code_type.lo < 0 and BIPOLAR.holds(code_type)


def field_bits(code_type: IntType) -> int:
    """Bits of a code in an activation word: 1 for bipolar, else the value's own width."""
    return 1 if is_bipolar(code_type) else code_type.width


def lanes_per_code(code_type: IntType) -> int:
    """Lanes that one code takes: the power of two that covers its bits, 2 b a lane."""
    lanes = -(-field_bits(code_type) // LANE_BITS)
    return 1 << (lanes - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Layout:
    """A map as `height x width` pixels of `channels` codes, channels side by side in words.

    `lanes` is what one code takes; `word_lanes` what one word has. The word of a lane is
    `lane // word_lanes`; both are powers of two, so that no code straddles two words unless it is
    wider than a word.
    """

    channels: int
    height: int
    width: int
    lanes: int
    word_lanes: int

    @property
    def pixels(self) -> int:
        """Pixels of the map."""
        return self.height * self.width

    @property
    def words_per_pixel(self) -> int:
        """Words of one pixel, the last one perhaps not full."""
        return -(-self.channels * self.lanes // self.word_lanes)

    @property
    def words(self) -> int:
        """Words of the whole map."""
        return self.pixels * self.words_per_pixel

    def span(self, first: int, count: int) -> range:
        """The words (within a pixel) that hold channels `first .. first + count - 1`."""
        low = first * self.lanes // self.word_lanes
        high = ((first + count) * self.lanes - 1) // self.word_lanes
        return range(low, high + 1)

    def scattered(self, channels: list[int]) -> int:
        """How many words a write of these channels touches."""
        return len({word for channel in channels for word in self.span(channel, 1)})


def layout(value: Value, word_lanes: int) -> Layout:
    """The layout of `value`: its first axis is the channels, the others are pixels.

    `(C, H, W)` is H x W pixels; `(F,)` is one pixel of F channels; `()` one code.
    """
    channels = value.shape[0] if value.shape else 1
    rest = value.shape[1:]
    height = rest[0] if rest else 1
    width = 1
    for size in rest[1:]:
        width *= size
    return Layout(channels, height, width, lanes_per_code(value.type), word_lanes)


def same_addresses(before: Value, after: Value) -> bool:
    """Whether a reshape leaves every code where it is: the channels stay, or all is one code."""
    first = before.shape[0] if before.shape else 1
    return first == (after.shape[0] if after.shape else 1)
