"""The Verilated accelerator through its ports: registers, streams, clock cycles (harness.cpp)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError

#: Result and arguments of every function of the harness; the letters are those of `_ARGUMENTS`.
_SIGNATURES: dict[str, tuple[Any, str]] = {
    "machine_new": (ctypes.c_void_p, "Uu"),
    "machine_delete": (None, "P"),
    "machine_reset": (None, "P"),
    "machine_cycles": (ctypes.c_uint64, "P"),
    "machine_write": (ctypes.c_int, "Puuu"),
    "machine_read": (ctypes.c_int, "PuA"),
    "machine_write_many": (ctypes.c_int, "PuAU"),
    "machine_read_many": (ctypes.c_int, "PuuAU"),
    "machine_offer": (None, "PAIIu"),
    "machine_taken": (ctypes.c_int64, "P"),
    "machine_resist": (None, "Pu"),
    "machine_collect": (ctypes.c_int64, "PAA"),
    "machine_broken": (ctypes.c_int64, "P"),
    "machine_run": (ctypes.c_int, "PU"),
    "machine_idle": (None, "PU"),
    "machine_wave_open": (ctypes.c_int, "PS"),
    "machine_wave_close": (None, "P"),
}
_ARGUMENTS = {
    "P": ctypes.c_void_p,
    "A": ctypes.c_void_p,  # an array's address
    "S": ctypes.c_char_p,
    "u": ctypes.c_uint32,
    "U": ctypes.c_uint64,
    "I": ctypes.c_int64,
}

#: Responses of AXI4-Lite, and none at all.
OKAY, SLVERR, NO_ANSWER = 0, 2, -1

Words = NDArray[np.uint32]
Octets = NDArray[np.uint8]


class Verilated:
    """One machine in a library of `codesign.rtl.build`; it begins after a reset.

    Calls release the interpreter's lock: machines of one process run side by side on threads.
    """

    def __init__(self, library: Path, lanes: int, seed: int = 1) -> None:
        """`lanes` are the machine's input lanes, of 2 b each; `seed` sets unset bits and gaps."""
        self._library = ctypes.CDLL(str(library))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype = result
            function.argtypes = [_ARGUMENTS[kind] for kind in arguments]
        #: Bytes of a stream word.
        self.beat = -(-lanes // 4)
        self._machine = self._library.machine_new(self.beat, seed)
        self.reset()

    def close(self) -> None:
        """End the simulation and any waveform."""
        if self._machine:
            self._library.machine_delete(self._machine)
            self._machine = None

    def __enter__(self) -> Verilated:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_machine", None):
            self.close()

    @property
    def cycles(self) -> int:
        """Clock cycles since the start."""
        return int(self._library.machine_cycles(self._machine))

    def reset(self) -> None:
        """Assert the reset for some cycles; streams forget what they had."""
        self._library.machine_reset(self._machine)

    def write(self, address: int, value: int, strobe: int = 0xF) -> int:
        """Write a register; the response."""
        return int(self._library.machine_write(self._machine, address, value, strobe))

    def read(self, address: int) -> tuple[int, int]:
        """Read a register; the response and the value."""
        value = np.zeros(1, np.uint32)
        response = self._library.machine_read(self._machine, address, value.ctypes.data)
        return int(response), int(value[0])

    def write_many(self, address: int, values: Words) -> int:
        """Write one register again and again; the first response that is not OKAY, or OKAY."""
        data = np.ascontiguousarray(values, np.uint32)
        return int(
            self._library.machine_write_many(self._machine, address, data.ctypes.data, data.size)
        )

    def read_many(self, address: int, count: int, step: int = 0) -> tuple[int, Words]:
        """Read `count` registers that lie `step` bytes apart; the response as above, the values."""
        values = np.zeros(count, np.uint32)
        response = self._library.machine_read_many(
            self._machine, address, step, values.ctypes.data, count
        )
        return int(response), values

    def offer(self, words: Octets, *, last: int | None = None, gaps: int = 0) -> None:
        """Offer words (rows of `beat` bytes) on the input stream in the cycles to come.

        `last` is the word with TLAST (default: the last, none where it is negative); in `gaps` of
        256 cycles nothing new is offered.
        """
        data = np.ascontiguousarray(words, np.uint8).reshape(-1, self.beat)
        end = len(data) - 1 if last is None else last
        self._library.machine_offer(self._machine, data.ctypes.data, len(data), end, gaps)

    @property
    def taken(self) -> int:
        """Words of the last `offer` that the machine took."""
        return int(self._library.machine_taken(self._machine))

    def resist(self, gaps: int) -> None:
        """Be not ready for the output stream in `gaps` of 256 cycles."""
        self._library.machine_resist(self._machine, gaps)

    def collect(self) -> tuple[Octets, Octets]:
        """The words (rows of `beat` bytes) that came out since the last call, and their TLASTs."""
        count = int(self._library.machine_collect(self._machine, None, None))
        words, lasts = np.zeros((count, self.beat), np.uint8), np.zeros(count, np.uint8)
        if count:
            self._library.machine_collect(self._machine, words.ctypes.data, lasts.ctypes.data)
        return words, lasts

    @property
    def broken(self) -> int:
        """Output beats that were taken back or changed before they were taken: must be 0."""
        return int(self._library.machine_broken(self._machine))

    def run(self, limit: int) -> bool:
        """Let the clock run until the interrupt is seen; False where `limit` cycles passed."""
        return bool(self._library.machine_run(self._machine, limit))

    def idle(self, cycles: int) -> None:
        """Let the clock run for exactly so many cycles."""
        self._library.machine_idle(self._machine, cycles)

    def wave(self, path: Path) -> None:
        """Write an FST waveform from now on; the library must be built with waves."""
        try:
            path.touch()  # the writer itself would not say
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CodesignError(
                f"{path}: cannot be written ({reason}); choose a folder that is writable"
            ) from None
        if not self._library.machine_wave_open(self._machine, os.fsencode(path)):
            raise CodesignError(f"{path}: the library is built without waves; build it with them")

    def end_wave(self) -> None:
        """Finish the waveform."""
        self._library.machine_wave_close(self._machine)
