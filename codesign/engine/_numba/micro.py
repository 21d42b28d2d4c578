"""The micro-kernel: a tile of sums that stays in registers from the first product to the code.

A tile is `rows` pixels x `columns` vectors of output channels. In each step every row gives four
neighbouring bytes of its pixel, copied to all lanes; every column gives a vector of four weights a
lane; one instruction multiplies and adds them to a sum. The sums are `rows * columns` registers, so
that a step loads `rows + columns` operands for `rows * columns` products, and nothing is stored
before the last step. Then bias, shift, saturation and scale are done on the same registers, and
what goes to memory is one byte a code.

Numba has no vectors, but an `intrinsic` may emit any LLVM code: the loop below is written there.
Its arguments are addresses; what it is compiled for (level, rows, columns) are the lengths of three
tuples, because a length is part of a type: each combination is compiled once and kept on disk.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.features import LEVELS

_BYTE, _HALF, _WORD, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_LANES = {level.code: level.lanes for level in LEVELS}
_VNNI, _AVX2 = 3, 2


class _Emitter:
    """Writes the code of one tile; the arguments are those of `tile`."""

    def __init__(self, builder: Any, level: int, rows: int, columns: int) -> None:
        self.b, self.level, self.rows, self.columns = builder, level, rows, columns
        self.lanes = _LANES[level]
        self.vector = ir.VectorType(_WORD, self.lanes)
        self.bytes = ir.VectorType(_BYTE, self.lanes)

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        module = self.b.module
        found = module.globals.get(name)
        return found or ir.Function(module, ir.FunctionType(result, arguments), name)

    def load(self, address: Any, kind: Any) -> Any:
        value = self.b.load(self.b.inttoptr(address, kind.as_pointer()))
        value.align = 1
        return value

    def store(self, value: Any, address: Any) -> None:
        self.b.store(value, self.b.inttoptr(address, value.type.as_pointer())).align = 1

    def splat(self, value: Any) -> Any:
        """A 32-bit number in all lanes."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.b.insert_element(undefined, value, _WORD(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(self.vector, [0] * self.lanes))

    def dot(self, total: Any, codes: Any, weights: Any) -> Any:
        """`total` plus, in each lane, four products of unsigned codes and signed weights."""
        if self.level == _VNNI:
            name = "llvm.x86.avx512.vpdpbusd.512"
            add = self.function(name, self.vector, *[self.vector] * 3)
            return self.b.call(add, [total, codes, weights])
        halves, quarters = ir.VectorType(_HALF, 16), ir.VectorType(_BYTE, 32)
        multiply = self.function("llvm.x86.avx2.pmadd.ub.sw", halves, quarters, quarters)
        operands = [self.b.bitcast(operand, quarters) for operand in (codes, weights)]
        pairs = self.b.call(multiply, operands)
        join = self.function("llvm.x86.avx2.pmadd.wd", self.vector, halves, halves)
        return self.b.add(total, self.b.call(join, [pairs, ir.Constant(halves, [1] * 16)]))

    def sums(self, pixels: list[Any], offsets: Any, steps: Any, weights: Any) -> list[list[Any]]:
        """The loop over steps; sums [row][column]."""
        b, entry = self.b, self.b.block
        loop, done = b.append_basic_block("steps"), b.append_basic_block("sums")
        b.branch(loop)
        b.position_at_end(loop)
        step = b.phi(_LONG)
        step.add_incoming(_LONG(0), entry)
        old = [[b.phi(self.vector) for _ in range(self.columns)] for _ in range(self.rows)]
        zero = ir.Constant(self.vector, [0] * self.lanes)
        size = 4 * self.lanes
        base = b.add(weights, b.mul(step, _LONG(size * self.columns)))
        columns = [
            self.load(b.add(base, _LONG(size * n)), self.vector) for n in range(self.columns)
        ]
        place = self.load(b.add(offsets, b.mul(step, _LONG(8))), _LONG)
        new = []
        for pixel, sums in zip(pixels, old, strict=True):
            codes = self.splat(self.load(b.add(pixel, place), _WORD))
            new.append([self.dot(s, codes, w) for s, w in zip(sums, columns, strict=True)])
        following = b.add(step, _LONG(1))
        step.add_incoming(following, loop)
        for before, after in zip(old, new, strict=True):
            for phi, value in zip(before, after, strict=True):
                phi.add_incoming(zero, entry)
                phi.add_incoming(value, loop)
        b.cbranch(b.icmp_signed("<", following, steps), loop, done)
        b.position_at_end(done)
        return new

    def bound(self, value: Any, limit: Any, keep: str) -> Any:
        """The lesser (keep "<") or greater (keep ">") of two vectors."""
        return self.b.select(self.b.icmp_signed(keep, value, limit), value, limit)


@intrinsic
def tile(
    typing: Any,
    level: Any,
    rows: Any,
    columns: Any,
    pixels: Any,
    offsets: Any,
    steps: Any,
    weights: Any,
    bias: Any,
    rescale: Any,
    targets: Any,
) -> Any:
    """One tile of codes: `((sum + bias) >> shift` clipped to `lo..hi`, shifted left by `scale`,
    plus `offset`.

    `level`, `rows`, `columns` are tuples of that length. `pixels` is the address of `rows` 64-bit
    addresses of pixels, `offsets` that of `steps` 64-bit offsets from a pixel to four bytes,
    `weights` that of the packed weights [step][column][lane][4], `bias` that of 32-bit biases
    [column][lane], `rescale` that of five 32-bit numbers shift, lo, hi, scale, offset, `targets`
    that of `rows` addresses which take the codes, one byte each.
    """
    signature = types.void(
        level, rows, columns, types.intp, types.intp, types.intp, types.intp, types.intp,
        types.intp, types.intp,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Emitter(builder, len(kinds[0]), len(kinds[1]), len(kinds[2]))
        pixels, offsets, steps, weights, bias, rescale, targets = arguments[3:]
        starts = [emit.load(builder.add(pixels, _LONG(8 * m)), _LONG) for m in range(emit.rows)]
        sums = emit.sums(starts, offsets, steps, weights)
        shift, low, high, scale, offset = (
            emit.splat(emit.load(builder.add(rescale, _LONG(4 * k)), _WORD)) for k in range(5)
        )
        size = 4 * emit.lanes
        added = [
            emit.load(builder.add(bias, _LONG(size * n)), emit.vector) for n in range(emit.columns)
        ]
        for m, row in enumerate(sums):
            target = emit.load(builder.add(targets, _LONG(8 * m)), _LONG)
            for n, total in enumerate(row):
                code = builder.ashr(builder.add(total, added[n]), shift)
                code = emit.bound(emit.bound(code, low, ">"), high, "<")
                code = builder.add(builder.shl(code, scale), offset)
                place = builder.add(target, _LONG(emit.lanes * n))
                emit.store(builder.trunc(code, emit.bytes), place)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sums(
    typing: Any,
    level: Any,
    rows: Any,
    columns: Any,
    pixels: Any,
    offsets: Any,
    steps: Any,
    weights: Any,
    bias: Any,
    targets: Any,
) -> Any:
    """One tile of sums plus bias, 32 bits each; arguments as those of `tile`."""
    signature = types.void(
        level, rows, columns, types.intp, types.intp, types.intp, types.intp, types.intp, types.intp
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Emitter(builder, len(kinds[0]), len(kinds[1]), len(kinds[2]))
        pixels, offsets, steps, weights, bias, targets = arguments[3:]
        starts = [emit.load(builder.add(pixels, _LONG(8 * m)), _LONG) for m in range(emit.rows)]
        size = 4 * emit.lanes
        for m, row in enumerate(emit.sums(starts, offsets, steps, weights)):
            target = emit.load(builder.add(targets, _LONG(8 * m)), _LONG)
            for n, total in enumerate(row):
                added = emit.load(builder.add(bias, _LONG(size * n)), emit.vector)
                emit.store(builder.add(total, added), builder.add(target, _LONG(size * n)))
        return context.get_dummy_value()

    return signature, generate
