"""Products of vectors of bytes that are not x86's own: on ARM, and on any processor at all.

Each function takes vectors of 32-bit lanes: sums, codes, and weights, four bytes a lane. It gives
the sums plus, in each lane, the four products.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

_BYTE, _HALF, _WORD = (ir.IntType(bits) for bits in (8, 16, 32))


def portable(builder: Any, total: Any, codes: Any, weights: Any) -> Any:
    """Unsigned codes, signed weights, on every processor; exact: no product leaves 32 bits.

    A lane is taken apart by shifts, so that bytes never move between lanes. What is written is what
    LLVM knows: on x86 a sum of neighbours of widened products (`pmaddwd`), else a product and a sum
    of each lane (`mla` on ARM).
    """
    if str(builder.module.triple).startswith("x86"):
        return _pairs(builder, total, codes, weights)
    for up in (24, 16, 8, 0):
        left, right = (_all(total.type, number) for number in (up, 24))
        code = builder.lshr(builder.shl(codes, left), right)
        weight = builder.ashr(builder.shl(weights, left), right)
        total = builder.add(total, builder.mul(code, weight))
    return total


def _pairs(builder: Any, total: Any, codes: Any, weights: Any) -> Any:
    """Halves of a lane hold two bytes each: the even ones make one pair of products, the odd one.

    The widened product of a code and a weight fits 16 bits, a sum of two does not.
    """
    lanes = total.type.count
    halves, wide = (ir.VectorType(kind, 2 * lanes) for kind in (_HALF, _WORD))
    eight, low = _all(halves, 8), _all(halves, 255)
    code, weight = (builder.bitcast(operand, halves) for operand in (codes, weights))
    even = builder.and_(code, low), builder.ashr(builder.shl(weight, eight), eight)
    odd = builder.lshr(code, eight), builder.ashr(weight, eight)
    for left, right in (even, odd):
        product = builder.mul(builder.zext(left, wide), builder.sext(right, wide))
        nothing = ir.Constant(wide, ir.Undefined)
        places = (ir.Constant(total.type, list(range(n, 2 * lanes, 2))) for n in (0, 1))
        first, second = (builder.shuffle_vector(product, nothing, place) for place in places)
        total = builder.add(total, builder.add(first, second))
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
