"""Skip connections behind products: codes are merged with another map's before they are stored.

`mux(shift_add(f, x), f, select)` with the product's codes f needs of each pixel the codes of x and
the bits of the select; f itself never reaches memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.extending import register_jitable

from codesign.engine._numba.tasks import address
from codesign.ir import IntArray

#: Numbers of a record that say where the other map and the select lie, in the order of `Skip.laid`.
SKIP_NUMBERS = 4


@dataclass(frozen=True, slots=True)
class Skip:
    """What is stored in place of a product's codes.

    Attributes:
        ones: how a code and the other map's are joined, one of `joins`, where the select is 1; or
            everywhere, without one.
        zeros: where it is 0; 0 without a select.
        signed: whether codes are.
        channels: of the other map, which the result has once or several times.
        outputs: channels of the result, and bits of a select.
        pixels: of the result.
        frames: parts of the result with a select of their own, one behind the other.
        less: what is taken off each result.
    """

    ones: int
    zeros: int
    signed: bool
    channels: int
    outputs: int
    pixels: int
    frames: int = 1
    less: int = 0

    @property
    def selects(self) -> IntArray:
        """Where each pixel's select begins in those of an image, (pixels,)."""
        starts = np.arange(self.frames, dtype=np.int64) * self.outputs
        return np.repeat(starts, self.pixels // self.frames)

    def laid(self, beside: tuple[IntArray, ...]) -> tuple[int, ...]:
        """Numbers of a record; `beside` are the other map and, if there is one, the select."""
        bits = self.frames * self.outputs
        return address(beside[0]), address(beside[-1]), self.channels, bits


def variant_of(skip: Skip | None) -> tuple[int, ...]:
    """What a tile is compiled for; nothing without a skip."""
    return () if skip is None else (skip.ones, skip.zeros, int(skip.signed))


@register_jitable
def places_of(skip: Any) -> int:
    """Addresses of a result: its own, with a skip also the other map's and the select's."""
    return 3 if len(skip) else 1


@register_jitable
def beside_of(skip: Any, numbers: tuple[int, ...], first: int) -> tuple[int, ...]:
    """The numbers of a record for results from the channel `first` on: no division for each."""
    other, select, channels, bits = numbers
    if len(skip):
        other, select = other + first % channels, select + first
    return other, select, channels, bits


@register_jitable
def aim(
    skip: Any,
    targets: IntArray,
    number: int,
    place: int,
    beside: tuple[int, ...],
    pixels: int,
    image: int,
    pixel: int,
    chosen: int,
) -> None:
    """The addresses of one of a tile's results, which goes to `place`.

    It is a pixel of an image of so many; `chosen` is where in the image's bits its select begins.
    """
    if len(skip) == 0:
        targets[number] = place
    else:
        other, select, channels, bits = beside
        targets[3 * number] = place
        targets[3 * number + 1] = other + (image * pixels + pixel) * channels
        targets[3 * number + 2] = select + image * bits + chosen
