"""Arrays that begin where a cache line does, and copies between addresses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from codesign.ir import IntArray

#: Bytes of a cache line, and of the widest load: one that is not aligned reads two lines.
LINE = 64


@register_jitable
def lines(size: int) -> IntArray:
    """`size` bytes, uninitialized, the first of them the first of a cache line.

    Numba frees an array behind the last use of its name: an address taken before is no use.
    """
    whole = np.empty(size + LINE, np.uint8)
    start = -int(whole.ctypes.data) % LINE
    return whole[start : start + size]


def aligned(values: IntArray) -> IntArray:
    """A copy of `values`, C-contiguous, that begins at a cache line."""
    copy: IntArray = lines(values.nbytes).view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


@intrinsic
def move(typing: Any, source: Any, target: Any, size: Any) -> Any:
    """In compiled code: `size` bytes from one address to another that lies apart."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (builder.inttoptr(place, cgutils.voidptr_t) for place in arguments[:2])
        cgutils.raw_memcpy(builder, target, source, arguments[2], 1)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate
