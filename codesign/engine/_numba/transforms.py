"""The two sides of a Winograd product: windows to 16 values, and 16 sums to four results.

F(2 x 2, 3 x 3), Winograd 1980, with the form of Lavin and Gray 2016: four neighbouring results of
a 3 x 3 window of stride 1 need 4 x 4 pixels and 16 products instead of 36. All of it is integers:
the half in the transform of the weights is left out, so that sums are four times what they are to
be, exactly, which a shift takes back.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.micro import SUMS, _Emitter, lengths
from codesign.engine._numba.vectors import load, splat, store

_BYTE, _WORD, _LONG = (ir.IntType(bits) for bits in (8, 32, 64))
#: Bytes of a pixel that are transformed at once; what a pixel has less, is read beyond it.
CHANNELS = 64
#: Bits by which a sum of 16 positions is too large.
SCALE = 2


@intrinsic
def spread(
    typing: Any, source: Any, line: Any, pixel: Any, target: Any, plane: Any, rest: Any, middle: Any
) -> Any:
    """64 channels of 4 x 4 pixels at the address `source` to 16 positions.

    `line` and `pixel` are the bytes between rows and between pixels, `plane` those between
    positions at the address `target`. `middle` is added to position (1, 1), which is the only one
    that is a sum of four codes, `rest` to all others, which are differences. Modulo 256.
    """
    signature = types.void(*[types.intp] * 7)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, line, pixel, target, plane, rest, middle = arguments
        b, codes = builder, ir.VectorType(_BYTE, CHANNELS)
        summed, differing = (splat(b, b.trunc(v, _BYTE), CHANNELS) for v in (middle, rest))
        rows = [b.add(source, b.mul(line, _LONG(u))) for u in range(4)]
        columns = [
            _into(b, [load(b, b.add(row, b.mul(pixel, _LONG(v))), codes) for row in rows])
            for v in range(4)
        ]
        for u in range(4):
            for v, value in enumerate(_into(b, [column[u] for column in columns])):
                place = b.add(target, b.mul(plane, _LONG(4 * u + v)))
                store(b, b.add(value, summed if u == v == 1 else differing), place)
        return context.get_dummy_value()

    return signature, generate


def _into(b: Any, d: list[Any]) -> list[Any]:
    """Four values on a line to four positions."""
    return [b.sub(d[0], d[2]), b.add(d[1], d[2]), b.sub(d[2], d[1]), b.sub(d[1], d[3])]


def _back(b: Any, m: list[Any]) -> list[Any]:
    """Four positions on a line to two results."""
    return [b.add(b.add(m[0], m[1]), m[2]), b.sub(b.sub(m[1], m[2]), m[3])]


@intrinsic
def join(
    typing: Any,
    mode: Any,
    level: Any,
    columns: Any,
    pooled: Any,
    skip: Any,
    sums: Any,
    plane: Any,
    bias: Any,
    numbers: Any,
    levels: Any,
    targets: Any,
) -> Any:
    """The sums of 16 positions, `plane` bytes apart from the address `sums`, to four results.

    What becomes of a result, by `mode`, is as `micro.tile` has it, with `bias`, `numbers` and
    `levels` for four times the sum; `mode`, `level`, `columns` and `pooled` are tuples of that
    length, `skip` one of tuples. `targets` is the address of the four results' addresses (`skips`),
    or with `pooled`, of those of the greatest one.
    """
    signature = types.void(mode, level, columns, pooled, skip, *[types.intp] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mode, level, width, pooled = (len(tuple_type) for tuple_type in signature.args[:4])
        sums, plane, bias, numbers, levels, targets = arguments[5:]
        emit, b = _Emitter(builder, level, 1, width), builder
        given = emit.after(numbers)
        size = 4 * emit.lanes
        skipped = lengths(signature.args[4])
        places = emit.places(targets, 1 if pooled else 4, skipped)
        planes = [b.add(sums, b.mul(plane, _LONG(p))) for p in range(16)]
        rows: list[list[Any]] = [[] for _ in places]
        for n in range(width):
            lines = []
            for u in range(4):
                found = [
                    emit.load(b.add(place, _LONG(size * n)), emit.vector)
                    for place in planes[4 * u : 4 * u + 4]
                ]
                lines.append(_back(b, found))
            left, right = (_back(b, [line[k] for line in lines]) for k in range(2))
            results = [left[0], right[0], left[1], right[1]]
            if pooled:
                results = [emit.greatest(results)]
            added = emit.load(b.add(bias, _LONG(size * n)), emit.vector)
            for row, result in zip(rows, results, strict=True):
                total = b.add(result, added)
                row.append(b.ashr(total, emit.splat(_WORD(SCALE))) if mode == SUMS else total)
        emit.finish_all(mode, rows, given, levels, places, skipped)
        return context.get_dummy_value()

    return signature, generate
