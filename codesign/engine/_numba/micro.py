"""The micro-kernel: a tile of sums that stays in registers from the first product to the code.

A tile is `rows` pixels x `columns` vectors of output channels. In each step every row gives four
neighbouring bytes of its pixel, copied to all lanes; every column gives a vector of four weights a
lane; one instruction multiplies and adds them to a sum. The sums are `rows * columns` registers, so
that a step loads `rows + columns` operands for `rows * columns` products, and nothing is stored
before the last step. Then bias, shift, saturation and scale are done on the same registers, and
what goes to memory is one byte a code. Where codes and weights are bits, the four bytes are 32 of
them, a product is the count of those that agree, and a code may be stored as a bit.

Numba has no vectors, but an `intrinsic` may emit any LLVM code: the loop below is written there.
Its arguments are addresses; what it is compiled for (mode, level, rows, columns, taps, pool) are
the lengths of tuples, because a length is part of a type: each combination is compiled once and
kept on disk.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba import dots
from codesign.engine._numba.features import LEVELS
from codesign.engine._numba.joins import joined
from codesign.engine._numba.skips import places_of
from codesign.engine._numba.vectors import load, repeat, splat, store

_BYTE, _HALF, _WORD, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_LANES = {level.code: level.lanes for level in LEVELS}
_NIBBLES, _POPCOUNT, _VNNI, _AVX2 = 6, 4, 3, 2
_DOTS = {1: dots.portable, 7: dots.arm_signed, 8: dots.arm_unsigned}


#: The variant of a `skips.Skip`; empty without one.
Skipping = tuple[int, ...]


def lengths(kind: Any) -> tuple[int, ...]:
    """Of the tuples in a tuple of this type."""
    return tuple(len(inner) for inner in kind)


class _Emitter:
    """Writes the code of one tile; the arguments are those of `tile`."""

    def __init__(self, builder: Any, level: int, rows: int, columns: int, taps: int = 1) -> None:
        self.b, self.level, self.rows, self.columns = builder, level, rows, columns
        self.taps = taps
        self.lanes = _LANES[level]
        self.vector = ir.VectorType(_WORD, self.lanes)
        self.bytes = ir.VectorType(_BYTE, self.lanes)
        self.zero = ir.Constant(self.vector, [0] * self.lanes)

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        module = self.b.module
        found = module.globals.get(name)
        return found or ir.Function(module, ir.FunctionType(result, arguments), name)

    def load(self, address: Any, kind: Any) -> Any:
        return load(self.b, address, kind)

    def vectors(self, address: Any, count: int) -> list[Any]:
        """Neighbouring vectors of 32-bit numbers."""
        places = [self.b.add(address, _LONG(4 * self.lanes * n)) for n in range(count)]
        return [self.load(place, self.vector) for place in places]

    def after(self, numbers: Any) -> list[Any]:
        """What `finish` takes of the numbers at an address, as `tile` has them."""
        words = [self.load(self.b.add(numbers, _LONG(4 * k)), _WORD) for k in range(8)]
        less = self.b.trunc(words[7], _BYTE)
        return [*map(self.splat, words[:5]), self.b.sext(words[5], _LONG), less]

    def store(self, value: Any, address: Any) -> None:
        store(self.b, value, address)

    def splat(self, value: Any) -> Any:
        """A 32-bit number in all lanes."""
        return splat(self.b, value, self.lanes)

    def dot(self, total: Any, codes: Any, weights: Any) -> Any:
        """`total` plus, in each lane, four products of unsigned codes and signed weights.

        Of bits: plus the 32 bits that differ, where a weight's bit is set if it is negative.
        """
        if self.level in _DOTS:
            return _DOTS[self.level](self.b, total, codes, weights)
        if self.level == _POPCOUNT:
            count = self.function(f"llvm.ctpop.v{self.lanes}i32", self.vector, self.vector)
            return self.b.add(total, self.b.call(count, [self.b.xor(codes, weights)]))
        if self.level == _VNNI:
            name = "llvm.x86.avx512.vpdpbusd.512"
            add = self.function(name, self.vector, *[self.vector] * 3)
            return self.b.call(add, [total, codes, weights])
        if self.level == _NIBBLES:
            return self.b.add(total, self.population(self.b.xor(codes, weights)))
        halves, quarters = ir.VectorType(_HALF, 16), ir.VectorType(_BYTE, 32)
        multiply = self.function("llvm.x86.avx2.pmadd.ub.sw", halves, quarters, quarters)
        operands = [self.b.bitcast(operand, quarters) for operand in (codes, weights)]
        pairs = self.b.call(multiply, operands)
        join = self.function("llvm.x86.avx2.pmadd.wd", self.vector, halves, halves)
        return self.b.add(total, self.b.call(join, [pairs, ir.Constant(halves, [1] * 16)]))

    def population(self, words: Any) -> Any:
        """Bits set in each lane, by a table of the counts of four bits."""
        b = self.b
        halves, quarters = ir.VectorType(_HALF, 16), ir.VectorType(_BYTE, 32)
        look = self.function("llvm.x86.avx2.pshuf.b", quarters, quarters, quarters)
        table = ir.Constant(quarters, [n.bit_count() for n in range(16)] * 2)
        low = ir.Constant(quarters, [15] * 32)
        high = b.bitcast(b.lshr(b.bitcast(words, halves), ir.Constant(halves, [4] * 16)), quarters)
        found = [
            b.call(look, [table, b.and_(part, low)]) for part in (b.bitcast(words, quarters), high)
        ]
        counts = b.add(*found)
        multiply = self.function("llvm.x86.avx2.pmadd.ub.sw", halves, quarters, quarters)
        join = self.function("llvm.x86.avx2.pmadd.wd", self.vector, halves, halves)
        pairs = b.call(multiply, [counts, ir.Constant(quarters, [1] * 32)])
        return b.call(join, [pairs, ir.Constant(halves, [1] * 16)])

    def sums(self, pixels: list[Any], offsets: Any, steps: Any, weights: Any) -> list[list[Any]]:
        """The loop over steps; sums [row][column]."""
        b, size = self.b, 4 * self.lanes

        def turn(step: Any, old: list[Any]) -> list[Any]:
            base = b.add(weights, b.mul(step, _LONG(size * self.columns)))
            columns = self.vectors(base, self.columns)
            first = b.add(offsets, b.mul(step, _LONG(8 * self.taps)))
            places = [self.load(b.add(first, _LONG(8 * n)), _LONG) for n in range(self.taps)]
            new: list[Any] = []
            for pixel in pixels:
                codes = self.codes([b.add(pixel, place) for place in places])
                sums = old[len(new) : len(new) + self.columns]
                new += [self.dot(*three) for three in zip(sums, codes, columns, strict=True)]
            return new

        found = repeat(b, steps, [self.zero] * (self.rows * self.columns), turn)
        return [found[n : n + self.columns] for n in range(0, len(found), self.columns)]

    def codes(self, addresses: list[Any]) -> list[Any]:
        """What a pixel gives each column in a step: four bytes to all lanes, or taps interleaved.

        Of four taps, four vectors of channels wide, each lane gets the four bytes of one channel;
        vectors of 16 bytes stay where they are, as the instructions have it.
        """
        if self.taps == 1:
            return [self.splat(self.load(addresses[0], _WORD))] * self.columns
        size = 4 * self.lanes
        taps = [self.load(address, ir.VectorType(_BYTE, size)) for address in addresses]
        halves = ir.VectorType(_HALF, size // 2)
        pairs = [
            self.b.bitcast(part, halves)
            for n in (0, 2)
            for part in self.interleave(taps[n], taps[n + 1], 16)
        ]
        found = [p for n in (0, 1) for p in self.interleave(pairs[n], pairs[n + 2], 8)]
        return [self.b.bitcast(part, self.vector) for part in found]

    def interleave(self, a: Any, b: Any, count: int) -> list[Any]:
        """The lower, and the upper halves of each `count` elements, one of `a`, one of `b`."""
        size = a.type.count
        found = []
        for start in (0, count // 2):
            order = [
                place + side * size
                for part in range(0, size, count)
                for place in range(part + start, part + start + count // 2)
                for side in (0, 1)
            ]
            index = ir.Constant(ir.VectorType(_WORD, size), order)
            found.append(self.b.shuffle_vector(a, b, index))
        return found

    def bound(self, value: Any, limit: Any, keep: str) -> Any:
        """The lesser (keep "<") or greater (keep ">") of two vectors."""
        return self.b.select(self.b.icmp_signed(keep, value, limit), value, limit)

    def greatest(self, values: list[Any]) -> Any:
        """The greatest of vectors."""
        found, *others = values
        for value in others:
            found = self.bound(found, value, ">")
        return found

    def finish(
        self, mode: int, totals: list[Any], column: int, after: list[Any], levels: Any
    ) -> list[Any]:
        """What is stored of pixels' sums (their bias is added) of one vector of outputs.

        Each is a code's bytes, bits, or the sum itself.
        """
        b = self.b
        if mode == SUMS:
            return totals
        if mode == BITS:
            level = self.load(b.add(levels, _LONG(4 * self.lanes * column)), self.vector)
            found = [b.icmp_signed(">=", total, level) for total in totals]
            return [b.bitcast(bits, ir.IntType(self.lanes)) for bits in found]
        shift, low, high, scale, offset, count, _ = after
        if mode == COUNTS:
            codes = self.count(totals, column, levels, count)
        else:
            codes = [
                b.shl(self.bound(self.bound(b.ashr(total, shift), low, ">"), high, "<"), scale)
                for total in totals
            ]
        return [b.trunc(b.add(code, offset), self.bytes) for code in codes]

    def places(self, targets: Any, count: int, skip: Skipping) -> list[list[Any]]:
        """The addresses of `count` results, as `skips.aim` writes them at an address."""
        each = places_of(skip)
        addresses = [
            self.load(self.b.add(targets, _LONG(8 * k)), _LONG) for k in range(count * each)
        ]
        return [addresses[k : k + each] for k in range(0, len(addresses), each)]

    def finish_all(
        self,
        mode: int,
        rows: list[list[Any]],
        after: list[Any],
        levels: Any,
        places: list[list[Any]],
        skip: Skipping,
    ) -> None:
        """Stores pixels' sums (their bias is added), `rows` of a vector of each column."""
        size = {SUMS: 4 * self.lanes, BITS: self.lanes // 8}.get(mode, self.lanes)
        columns = []
        for n, totals in enumerate(zip(*rows, strict=True)):
            columns.append(self.finish(mode, list(totals), n, after, levels))
            if self.taps == 1:
                for place, value in zip(places, columns[-1], strict=True):
                    self.put(value, [self.b.add(at, _LONG(size * n)) for at in place], after, skip)
        if self.taps > 1:
            for place, values in zip(places, zip(*columns, strict=True), strict=True):
                self.put(self.in_order(list(values)), place, after, skip)

    def put(self, value: Any, place: list[Any], after: list[Any], skip: Skipping) -> None:
        """Stores a result's vector; with a `skip`, of a code and the other map's."""
        if skip:
            (ones, zeros, signed), own = skip, value
            other = self.load(place[1], own.type)
            value = joined(self.b, ones, bool(signed), own, other)
            if zeros:
                none = ir.Constant(own.type, [0] * own.type.count)
                chosen = self.b.icmp_unsigned("!=", self.load(place[2], own.type), none)
                rest = joined(self.b, zeros, bool(signed), own, other)
                value = self.b.select(chosen, value, rest)
            value = self.b.sub(value, splat(self.b, after[-1], own.type.count))
        self.store(value, place[0])

    def in_order(self, values: list[Any]) -> Any:
        """One of four vectors whose fours of lanes stand as `codes` interleaves: as channels do."""
        whole, lanes = self.join(*(self.join(*values[n : n + 2]) for n in (0, 2))), self.lanes
        # lanes 4P to 4P + 3 of vector v hold the channels 16P + 4v to 16P + 4v + 3
        fours = [v * lanes + 4 * p for p in range(lanes // 4) for v in range(4)]
        order = [first + n for first in fours for n in range(4)]
        return self.b.shuffle_vector(
            whole, whole, ir.Constant(ir.VectorType(_WORD, 4 * lanes), order)
        )

    def join(self, a: Any, b: Any) -> Any:
        """Two vectors as one."""
        order = list(range(2 * a.type.count))
        return self.b.shuffle_vector(a, b, ir.Constant(ir.VectorType(_WORD, len(order)), order))

    def count(self, totals: list[Any], column: int, levels: Any, count: Any) -> list[Any]:
        """How many of a lane's `count` thresholds each sum reaches: a loop over thresholds.

        Each is loaded once for all sums, whose counts do not wait for each other.
        """
        b = self.b

        def turn(number: Any, passed: list[Any]) -> list[Any]:
            row = b.add(b.mul(number, _LONG(self.columns)), _LONG(column))
            level = self.load(b.add(levels, b.mul(row, _LONG(4 * self.lanes))), self.vector)
            reached = [b.icmp_signed(">=", total, level) for total in totals]
            return [
                b.add(before, b.zext(one, self.vector))
                for before, one in zip(passed, reached, strict=True)
            ]

        return repeat(b, count, [self.zero] * len(totals), turn)


#: What a tile stores: codes by shift and clip, sums of 32 bits, counts of thresholds, or bits.
CODES, SUMS, COUNTS, BITS = 1, 2, 3, 4


def emit_tile(
    builder: Any,
    mode: int,
    level: int,
    rows: int,
    columns: int,
    taps: int,
    pool: int,
    skip: Skipping,
    pixels: Any,
    offsets: Any,
    steps: Any,
    weights: Any,
    bias: Any,
    numbers: Any,
    levels: Any,
    targets: Any,
) -> None:
    """Writes what `tile` computes, into any function and for any processor.

    Up to `skip` the arguments are what is emitted, the others 64-bit values of the code.
    """
    emit = _Emitter(builder, level, rows, columns, taps)
    starts = [emit.load(builder.add(pixels, _LONG(8 * m)), _LONG) for m in range(rows)]
    sums = emit.sums(starts, offsets, steps, weights)
    given, added = emit.after(numbers), emit.vectors(bias, columns)
    worth = emit.splat(emit.load(builder.add(numbers, _LONG(4 * 6)), _WORD))
    results = []
    for m in range(0, rows, pool):
        # what becomes of a sum falls nowhere, so that the greatest code is the greatest sum's
        row = [emit.greatest(list(column)) for column in zip(*sums[m : m + pool], strict=True)]
        if level in (_POPCOUNT, _NIBBLES) and mode != BITS:  # a level of bits is of the count
            row = [builder.mul(total, worth) for total in row]
        results.append([builder.add(total, more) for total, more in zip(row, added, strict=True)])
    emit.finish_all(mode, results, given, levels, emit.places(targets, rows // pool, skip), skip)


@intrinsic
def tile(
    typing: Any,
    mode: Any,
    level: Any,
    rows: Any,
    columns: Any,
    taps: Any,
    pool: Any,
    skip: Any,
    pixels: Any,
    offsets: Any,
    steps: Any,
    weights: Any,
    bias: Any,
    numbers: Any,
    levels: Any,
    targets: Any,
) -> Any:
    """One tile: sums with their bias, and by `mode` what becomes of them.

    `mode`, `level`, `rows`, `columns`, `taps`, `pool` are tuples of that length, `skip` one of
    tuples as long as its variant says (`skips`). Everything else is a number or the address of
    numbers: `pixels` of `rows` 64-bit addresses of pixels, `offsets` of `steps` * `taps` 64-bit
    offsets from a pixel to four bytes, or with 4 `taps` and columns to as many vectors' bytes of
    channels, `weights` of the packed weights [step][column][lane][4], `bias` of 32-bit biases
    [column][lane], `targets` of the addresses of `rows` results, as `skips.aim` has them. Of each
    `pool` pixels next to each other the greatest result is stored: then `rows / pool` results.

    CODES are `(clip(sum >> shift, lo, hi) << scale) + offset`, one byte each; `numbers` are those
    five, the count of thresholds, what counted bits are worth, and what a skip takes off, 32 bits
    each. COUNTS are how many of the count `levels` [threshold][column][lane] a sum reaches, plus
    `offset`. BITS are whether a sum reaches its one level, eight in a byte. SUMS are stored in 32
    bits.
    """
    signature = types.void(mode, level, rows, columns, taps, pool, skip, *[types.intp] * 8)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sizes: Any = lengths(signature.args[:6])
        operands: Any = (lengths(signature.args[6]), *arguments[7:])
        emit_tile(builder, *sizes, *operands)
        return context.get_dummy_value()

    return signature, generate
