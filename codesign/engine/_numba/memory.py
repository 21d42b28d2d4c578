"""Arrays that begin where a cache line does."""

from __future__ import annotations

import numpy as np

from codesign.ir import IntArray

#: Bytes of a cache line, and of the widest load: one that is not aligned reads two lines.
LINE = 64


def lines(size: int) -> IntArray:
    """`size` bytes, uninitialized, the first of them the first of a cache line."""
    whole = np.empty(size + LINE, np.uint8)
    start = -whole.ctypes.data % LINE
    return whole[start : start + size]


def aligned(values: IntArray) -> IntArray:
    """A copy of `values`, C-contiguous, that begins at a cache line."""
    copy: IntArray = lines(values.nbytes).view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy
