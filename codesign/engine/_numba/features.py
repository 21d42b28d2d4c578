"""Which instructions the products may use: the machine's, less those that are switched off."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from codesign.errors import CodesignError

#: Names features that are not to be used, separated by commas: for tests, and to compare speeds.
VARIABLE = "CODESIGN_CPU_OFF"


@dataclass(frozen=True, slots=True)
class Level:
    """A way to multiply codes.

    Attributes:
        name: as the report and the environment variable have it.
        needs: features of the processor, as LLVM calls them.
        lanes: sums in one vector.
        code: tells compiled functions of one level from those of another.
        pairs: adds pairs of products in 16 bits with saturation, so the codes must be small.
        bits: multiplies codes of one bit, 32 in each lane, in place of four bytes, and takes as
            long as that many steps of bytes; 0 where it multiplies bytes.
        signed: takes the bytes of codes as signed.
        tiles: multiplies 16 pixels with 16 outputs at a time, where the kernel permits it.
    """

    name: str
    needs: tuple[str, ...]
    lanes: int
    code: int
    pairs: bool = False
    bits: int = 0
    signed: bool = False
    tiles: bool = False


#: From the fastest to the one that runs everywhere.
LEVELS = (
    Level("amx", ("amx-tile", "amx-int8", "avx512f", "avx512vl"), 16, 5, tiles=True),
    Level("popcount", ("avx512f", "avx512vpopcntdq"), 16, 4, bits=2),
    Level("vnni", ("avx512f", "avx512vl", "avx512vnni"), 16, 3),
    Level("nibbles", ("avx2",), 8, 6, bits=3),
    Level("avx2", ("avx2",), 8, 2, pairs=True),
    Level("i8mm", ("i8mm",), 4, 8),
    Level("dotprod", ("dotprod",), 4, 7, signed=True),
    Level("portable", (), 8, 1),
)
PORTABLE = LEVELS[-1]
#: Features of 64-bit ARM that LLVM does not ask Linux for: which word of `getauxval` has them, and
#: which bit of it (AT_HWCAP, HWCAP_ASIMDDP; AT_HWCAP2, HWCAP2_I8MM).
ARM_BITS = {"dotprod": (16, 20), "i8mm": (26, 13)}


def levels() -> tuple[Level, ...]:
    """The levels of this machine that are not switched off, the fastest first.

    Raises CodesignError where the variable names an unknown level.
    """
    return _allowed(os.environ.get(VARIABLE, ""))


@lru_cache(maxsize=8)
def _allowed(switched_off: str) -> tuple[Level, ...]:
    off = {name.strip() for name in switched_off.split(",") if name.strip()}
    known = [level.name for level in LEVELS[:-1]]
    for name in sorted(off):
        if name not in known:
            raise CodesignError(
                f"{VARIABLE}: {name!r} is not a level that can be switched off; "
                f"give some of {', '.join(known)}"
            )
    found = _host_features()
    return tuple(
        level
        for level in LEVELS
        if level.name not in off
        and all(found.get(feature, False) for feature in level.needs)
        and (not level.tiles or _tiles_are_permitted())
    )


@lru_cache(maxsize=1)
def _host_features() -> dict[str, bool]:
    from llvmlite import binding

    try:
        found = dict(binding.get_host_cpu_features())
    except RuntimeError:  # LLVM does not know this processor
        found = {}
    if (sys.platform, platform.machine()) == ("linux", "aarch64"):
        found |= _arm_features(ctypes.CDLL(None).getauxval)
    return found


def _arm_features(getauxval: Any) -> dict[str, bool]:
    getauxval.argtypes, getauxval.restype = [ctypes.c_ulong], ctypes.c_ulong
    return {name: bool(getauxval(word) >> bit & 1) for name, (word, bit) in ARM_BITS.items()}


#: As in Linux' asm/prctl.h: the call, its request, and the number of the tiles' data.
_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18


@lru_cache(maxsize=1)
def _tiles_are_permitted() -> bool:
    """Asks the kernel to keep tiles for this process: 8 KB a thread that no one has unasked."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    return int(ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST, _TILE_DATA)) == 0
