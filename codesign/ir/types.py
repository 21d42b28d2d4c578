"""Integer code sets: the one type system of the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codesign.errors import CodesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.integer[Any]]
else:
    IntArray = np.ndarray

#: Array types a value may travel in, narrowest first; the same as the ONNX file's.
CARRIERS = (np.uint8, np.int8, np.int32, np.int64)

#: Widest register of a map's value, signed; ONNX's integer products accumulate in 32 bits.
MAX_WIDTH = 32


@dataclass(frozen=True, slots=True)
class IntType:
    """The code set `{lo, lo + step, ..., hi}` (design choice: one type for all codes).

    Bipolar is `(-1, 1, 2)`, ternary `(-1, 1)`, quinary `(-2, 2)`, 2-bit mid-rise `(-3, 3, 2)`,
    HWMSB `(0, 3)`, a pixel `(0, 255)`. Widths are derived, never stored.

    Raises CodesignError where `hi < lo`, the step is not positive or does not divide `hi - lo`.
    """

    lo: int
    hi: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.hi < self.lo:
            raise CodesignError(f"type [{self.lo}..{self.hi}] is empty; give lo <= hi")
        if self.step < 1 or (self.hi - self.lo) % self.step:
            raise CodesignError(
                f"type [{self.lo}..{self.hi}] has step {self.step}, which does not divide "
                f"{self.hi - self.lo}; give a positive divisor"
            )
        if self.lo == self.hi and self.step != 1:
            object.__setattr__(self, "step", 1)  # one code has one spelling

    @property
    def count(self) -> int:
        """How many codes the set has."""
        return (self.hi - self.lo) // self.step + 1

    @property
    def storage_bits(self) -> int:
        """Bits one code takes in a memory: `ceil(log2(count))`, at least 1."""
        return max(1, (self.count - 1).bit_length())

    @property
    def signed(self) -> bool:
        """Whether a register that holds the value needs a sign."""
        return self.lo < 0

    @property
    def width(self) -> int:
        """Bits of the register that holds the value itself (two's complement where signed)."""
        if not self.signed:
            return max(1, self.hi.bit_length())
        return max((-self.lo - 1).bit_length(), max(self.hi, 0).bit_length()) + 1

    @property
    def signed_width(self) -> int:
        """Bits of the two's complement register that holds the value, whatever its sign."""
        return self.width if self.signed else self.hi.bit_length() + 1

    @property
    def fits_byte(self) -> bool:
        """Whether a byte holds every code, less the least one where that is negative."""
        return self.lo >= -128 and self.hi <= 255 and self.hi - self.lo <= 255

    @property
    def fits_register(self) -> bool:
        """Whether a signed register of MAX_WIDTH bits holds every value of the set."""
        return self.signed_width <= MAX_WIDTH

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest array type that carries every value of the set."""
        for carrier in CARRIERS:
            info = np.iinfo(carrier)
            if info.min <= self.lo and self.hi <= info.max:
                return np.dtype(carrier)
        raise CodesignError(f"type {self} needs more than 64 b; narrow the values before it")

    def holds(self, other: IntType) -> bool:
        """Whether every code of `other` is a code of this set."""
        if not (self.lo <= other.lo and other.hi <= self.hi):
            return False
        return (other.lo - self.lo) % self.step == 0 and (
            other.count == 1 or other.step % self.step == 0
        )

    def contains(self, codes: IntArray) -> bool:
        """Whether every element of `codes` is in the set (true for no element)."""
        if codes.size == 0:
            return True
        low, high = int(codes.min()), int(codes.max())
        if low < self.lo or high > self.hi:
            return False
        if self.step == 1:
            return True
        if codes.dtype.itemsize == 1 and self.fits_byte:  # the distance from the least as well
            distance = codes.view(np.uint8) - np.uint8(self.lo % 256)
            return not bool((distance % np.uint8(self.step)).any())
        return not bool(((codes.astype(np.int64) - self.lo) % self.step).any())

    def __str__(self) -> str:
        step = f"/{self.step}" if self.step != 1 else ""
        return f"[{self.lo}..{self.hi}{step}]"


def unsigned(bits: int) -> IntType:
    """All codes of `bits` unsigned bits, `[0..2^bits-1]`."""
    return IntType(0, (1 << bits) - 1)


def code_set(levels: int) -> IntType:
    """The symmetric code set of `levels` >= 2 weight levels (1-heq.md 4.1, design choice).

    Odd n: `-(n-1)/2 .. (n-1)/2`; even n: the odd integers `-(n-1) .. n-1`.
    """
    if levels < 2:
        raise CodesignError(f"{levels} levels are not a quantizer; use 2 or more")
    if levels % 2:
        return IntType(-(levels // 2), levels // 2)
    return IntType(-(levels - 1), levels - 1, 2)
