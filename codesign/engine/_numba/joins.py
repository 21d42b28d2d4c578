"""How codes of two maps become one: their average, the greater, the lesser, or one of the two."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

#: Average (floor), greatest, least, the first alone, the second alone.
AVERAGE, GREATEST, LEAST, FIRST, SECOND = 1, 2, 3, 4, 5


def joined(builder: Any, kind: int, signed: bool, a: Any, b: Any) -> Any:
    """Two vectors of bytes, `signed` or not, as one."""
    if kind in (FIRST, SECOND):
        return a if kind == FIRST else b
    if kind == AVERAGE:  # (a + b) >> 1 without a ninth bit: what both have, and half the rest
        half = (builder.ashr if signed else builder.lshr)(
            builder.xor(a, b), ir.Constant(a.type, [1] * a.type.count)
        )
        return builder.add(builder.and_(a, b), half)
    compare = builder.icmp_signed if signed else builder.icmp_unsigned
    return builder.select(compare(">" if kind == GREATEST else "<", a, b), a, b)
