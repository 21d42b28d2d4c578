"""Memory with a fence behind it, for tests of what compiled code reads and writes."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

_PROT_NONE = 0  # as in sys/mman.h


class Fenced:
    """Bytes that end where the next page may not be touched, and begin with a page of canaries."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        self.pages = -(-size // page)
        self.memory = mmap.mmap(-1, (self.pages + 1) * page)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        libc = ctypes.CDLL(None, use_errno=True)
        fence = ctypes.c_void_p(address + self.pages * page)
        assert libc.mprotect(fence, ctypes.c_size_t(page), _PROT_NONE) == 0
        whole = np.frombuffer(self.memory, np.uint8, self.pages * page)
        whole[:] = 0xA5
        self.before, self.array = whole[:-size], whole[-size:]

    def untouched(self) -> bool:
        return bool((self.before == 0xA5).all())
