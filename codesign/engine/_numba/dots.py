"""Products of vectors of bytes that are not x86's own: on ARM, and on any processor at all.

Each function takes vectors of 32-bit lanes: sums, codes, and weights, four bytes a lane. It gives
the sums plus, in each lane, the four products.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

_BYTE, _HALF, _WORD = (ir.IntType(bits) for bits in (8, 16, 32))


def portable(builder: Any, total: Any, codes: Any, weights: Any) -> Any:
    """Unsigned codes, signed weights, on every processor.

    Each half of a lane holds two bytes: the even ones make one pair of products, the odd ones the
    other, so that bytes never move between lanes. Exact: a product fits 16 bits, it is widened
    before the sum. The order is what LLVM knows an instruction for: on x86 all products, then sums
    of neighbours (`pmaddwd`); elsewhere one half of each lane at a time (`smlal` on ARM).
    """
    lanes = total.type.count
    halves, wide = (ir.VectorType(kind, 2 * lanes) for kind in (_HALF, _WORD))
    eight, low, nothing = _all(halves, 8), _all(halves, 255), ir.Constant(halves, ir.Undefined)
    code, weight = (builder.bitcast(operand, halves) for operand in (codes, weights))
    even = builder.and_(code, low), builder.ashr(builder.shl(weight, eight), eight)
    odd = builder.lshr(code, eight), builder.ashr(weight, eight)
    places = [ir.Constant(total.type, list(range(n, 2 * lanes, 2))) for n in (0, 1)]
    for pair in (even, odd):
        if str(builder.module.triple).startswith("x86"):
            product = builder.mul(*(builder.sext(side, wide) for side in pair))
            first, second = (builder.shuffle_vector(product, product, place) for place in places)
            total = builder.add(total, builder.add(first, second))
            continue
        for place in places:
            parts = [builder.shuffle_vector(side, nothing, place) for side in pair]
            product = builder.mul(*(builder.sext(part, total.type) for part in parts))
            total = builder.add(total, product)
    return total


def arm_unsigned(builder: Any, total: Any, codes: Any, weights: Any) -> Any:
    """Unsigned codes, signed weights, by `usdot`."""
    return _arm(builder, "usdot", "+neon,+i8mm", total, codes, weights)


def arm_signed(builder: Any, total: Any, codes: Any, weights: Any) -> Any:
    """Signed codes, signed weights, by `sdot`."""
    return _arm(builder, "sdot", "+neon,+dotprod", total, codes, weights)


def _arm(builder: Any, name: str, features: str, total: Any, codes: Any, weights: Any) -> Any:
    # LLVM knows not all features of a processor by its name. llvmlite refuses what it has not heard
    # of, so the attribute goes into its set as text.
    set.add(builder.function.attributes, f'"target-features"="{features}"')
    quarters = ir.VectorType(_BYTE, 4 * total.type.count)
    intrinsic = f"llvm.aarch64.neon.{name}.v{total.type.count}i32.v{quarters.count}i8"
    kind = ir.FunctionType(total.type, (total.type, quarters, quarters))
    module = builder.module
    function = module.globals.get(intrinsic) or ir.Function(module, kind, intrinsic)
    operands = [builder.bitcast(operand, quarters) for operand in (codes, weights)]
    return builder.call(function, [total, *operands])


def _all(kind: Any, number: int) -> Any:
    return ir.Constant(kind, [number] * kind.count)
