"""AMX: sums of 16 pixels x 16 outputs in a register, 64 bytes of each pixel a step.

The processor has eight tile registers, each of up to 16 rows of 64 bytes. A tile of codes is 16
pixels, a tile of weights 16 rows of [16 outputs][4 bytes]; `tdpbusd` adds to a tile of 16 x 16 sums
of 32 bits all 16,384 products of them, exactly. Numba and LLVM's optimizer know nothing of these
registers, so that the instructions are one text of assembly a step, and no other code is in their
way. A block is up to four tiles of sums: two of pixels x two of outputs load four tiles for four
products; four sums in turn also hide that one product takes three times as long as its turn.

What is here takes addresses. `configure` has to be called in the thread and call that uses tiles,
and `release` behind it: a thread without tiles is switched cheaply.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba.features import LEVELS
from codesign.engine._numba.micro import _LONG, _Emitter, lengths
from codesign.engine._numba.skips import places_of
from codesign.engine._numba.vectors import repeat
from codesign.ir import IntArray

binding.initialize_native_asmparser()  # without it LLVM ends the process at the first assembly

#: Pixels and outputs of a tile, and bytes of one row of any.
PIXELS, OUTPUTS, ROW = 16, 16, 64
#: Tiles of a block's sums; tmm4 and tmm5 take codes, tmm6 and tmm7 weights.
SUM_TILES = 4
_LEVEL = next(level.code for level in LEVELS if level.tiles)


def _configurations() -> IntArray:
    given = np.zeros((PIXELS, 64), np.uint8)
    given[:, 0] = 1  # the palette
    given.view(np.uint16)[:, 8:16] = ROW
    given[:, 48:54], given[:, 54:56] = np.arange(1, PIXELS + 1)[:, None], ROW // 4
    return given


#: What `configure` reads, for 1 to 16 pixels: sums and codes have as many rows, weights 16.
CONFIGURATIONS = _configurations()


def _assembly(builder: Any, lines: list[str], *operands: Any) -> None:
    """Instructions in AT&T syntax, which stay in place and in order; operands are $0, $1, ..."""
    kind = ir.FunctionType(ir.VoidType(), [_LONG] * len(operands))
    constraints = ",".join([*["r"] * len(operands), "~{memory}"])
    builder.asm(kind, "\n\t".join(lines), constraints, list(operands), side_effect=True)


@intrinsic
def configure(typing: Any, address: Any) -> Any:
    """Tiles as the 64 bytes at `address` have it; all are zero then."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _assembly(builder, ["ldtilecfg ($0)"], arguments[0])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic
def release(typing: Any) -> Any:
    """Back to a thread without tiles."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _assembly(builder, ["tilerelease"])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def copy(typing: Any, source: Any, target: Any) -> Any:
    """64 bytes from one address to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        emit = _Emitter(builder, _LEVEL, 1, 1)
        emit.store(emit.load(arguments[0], emit.vector), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


def _step(rows: int, columns: int) -> list[str]:
    """A step's instructions; operands: `rows` addresses of codes, their pitch, weights, theirs.

    Each load stands as late as it can, so that products need not wait for loads they do not read.
    """
    pitch, weights, size = rows, rows + 1, rows + 2
    lines = []
    for m in range(rows):
        codes = 4 + m % 2
        lines.append(f"tileloadd (${m},${pitch},1), %tmm{codes}")
        for n in range(columns):
            if m == 0:
                lines.append(f"tileloadd {ROW * n}(${weights},${size},1), %tmm{6 + n}")
            lines.append(f"tdpbusd %tmm{6 + n}, %tmm{codes}, %tmm{m * columns + n}")
    return lines


@intrinsic
def block(
    typing: Any,
    rows: Any,
    columns: Any,
    sources: Any,
    pitch: Any,
    offsets: Any,
    steps: Any,
    weights: Any,
    sums: Any,
) -> Any:
    """Sums of `rows` tiles of pixels x `columns` tiles of outputs, stored at the address `sums`.

    `rows` and `columns` are tuples of that length, their product at most 4. `sources` is the
    address of `rows` 64-bit addresses of first pixels, `pitch` the bytes between two pixels,
    `offsets` of `steps` 64-bit offsets from a pixel to 64 bytes, `weights` of the packed weights
    [step][16 fours][column][16][4]. Sums are [rows * 16 pixels][columns * 16 outputs].
    """
    signature = types.void(rows, columns, *[types.intp] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        height, width = (len(tuple_type) for tuple_type in signature.args[:2])
        sources, pitch, offsets, steps, weights, sums = arguments[2:]
        emit, between = _Emitter(builder, _LEVEL, height, width), _LONG(ROW * width)
        pixels = [emit.load(builder.add(sources, _LONG(8 * m)), _LONG) for m in range(height)]
        tiles = [(m, n) for m in range(height) for n in range(width)]
        _assembly(builder, [f"tilezero %tmm{t}" for t in range(len(tiles))])

        def turn(step: Any, packed: list[Any]) -> list[Any]:
            place = emit.load(builder.add(offsets, builder.mul(step, _LONG(8))), _LONG)
            starts = [builder.add(pixel, place) for pixel in pixels]
            _assembly(builder, _step(height, width), *starts, pitch, *packed, between)
            return [builder.add(*packed, _LONG(ROW * ROW // 4 * width))]

        repeat(builder, steps, [weights], turn)
        stored = [
            f"tilestored %tmm{m * width + n}, {(m * PIXELS * width + n) * ROW}($0,$1,1)"
            for m, n in tiles
        ]
        _assembly(builder, stored, sums, between)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def settle(
    typing: Any,
    mode: Any,
    columns: Any,
    skip: Any,
    sums: Any,
    count: Any,
    bias: Any,
    numbers: Any,
    levels: Any,
    targets: Any,
) -> Any:
    """What becomes of a block's first `count` pixels' sums, by `mode`, as `micro.tile` has it.

    `targets` is the address of the addresses of `count` results (`skips`).
    """
    signature = types.void(mode, columns, skip, *[types.intp] * 6)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, width = (len(tuple_type) for tuple_type in signature.args[:2])
        skipped = lengths(signature.args[2])
        sums, count, bias, numbers, levels, targets = arguments[3:]
        emit, each = _Emitter(builder, _LEVEL, 1, width), 8 * places_of(skipped)
        given, added = emit.after(numbers), emit.vectors(bias, width)

        def turn(pixel: Any, _: list[Any]) -> list[Any]:
            place = emit.places(builder.add(targets, builder.mul(pixel, _LONG(each))), 1, skipped)
            row = emit.vectors(builder.add(sums, builder.mul(pixel, _LONG(ROW * width))), width)
            totals = [builder.add(total, more) for total, more in zip(row, added, strict=True)]
            emit.finish_all(kind, [totals], given, levels, place, skipped)
            return []

        repeat(builder, count, [], turn)
        return context.get_dummy_value()

    return signature, generate
