"""What the machine could do: oneDNN's product of bytes on the same shapes, a bare instruction."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from codesign.engine._numba import amx
from codesign.engine._numba.features import Level, levels
from codesign.engine._numba.micro import _Emitter
from codesign.engine._numba.tasks import alone, program
from codesign.engine._numba.tiles import packed_product
from codesign.engine._numba.vectors import repeat
from codesign.engine._numba.windows import Window
from codesign.ir import Graph, IntArray

#: Independent sums in the bare loop: more than any instruction takes cycles.
_SUMS = 12


def byte_products(graph: Graph, images: int) -> Callable[[], None]:
    """`torch._int_mm` of every product of `graph` as a matrix product: windows already copied.

    Groups are products of their own. The copy of the windows, bias, shift and saturation are not
    in it: this is a limit, not a convolution.
    """
    import torch

    pairs: list[tuple[Any, Any]] = []
    for node in graph.nodes:
        if node.op not in ("conv", "linear"):
            continue
        weight, groups = graph.arguments(node)[1], int(str(node.attrs.get("groups", 1)))
        pixels = images * int(np.prod(graph.values[node.name].shape[1:]))
        depth = int(np.prod(weight.shape[1:]))
        outputs = weight.shape[0] // groups
        if pixels <= 16 or outputs == 1:  # smaller than the product takes; depthwise
            continue
        # its sizes have to be multiples of eight
        depth, outputs = -(-depth // 8) * 8, -(-outputs // 8) * 8
        a = torch.randint(0, 4, (pixels, depth), dtype=torch.int8)
        b = torch.randint(-1, 2, (depth, outputs), dtype=torch.int8)
        pairs += [(a, b)] * groups

    def run() -> None:
        for a, b in pairs:
            torch._int_mm(a, b)

    return run


def kernel_rates(channels: int = 64, size: int = 32) -> dict[str, float]:
    """G MAC/s of one thread of each level: 3x3 convolution, `channels` to as many, `size` squared.

    Codes and weights have one bit where the level multiplies nothing else.
    """
    random, images = np.random.default_rng(0), 4
    window = Window((size, size), channels, (3, 3), (1, 1), (1, 1))
    weight = (2 * random.integers(0, 2, (channels, channels, 3, 3)) - 1).astype(np.int8)
    pixels, outputs = images * (size + 2) ** 2, channels * size**2
    frame = random.integers(0, 2, pixels * channels + 64).astype(np.uint8)
    places = np.arange(size**2, dtype=np.int64) * channels
    y = np.empty(images * outputs, np.int32)
    rates = {}
    for level in levels():
        if not level.lanes:
            continue
        # bits or bytes: the frame has enough of either
        task = packed_product(level, window, weight, 0, None).task(frame, y, places, outputs)
        assert task is not None
        seconds = _best(partial(alone, program([task], images, 1)))
        rates[level.name] = images * outputs * 9 * channels / seconds / 1e9
    return rates


def instruction_rates(count: int = 1_000_000) -> dict[str, float]:
    """G MAC/s that a loop of the level's product alone reaches, operands in registers.

    The portable level is not here: its product is several instructions, shared by rows and columns.
    """
    rates = {}
    for level in levels():
        if not level.lanes or level.name == "portable":
            continue
        loop = _bare_tiles if level.tiles else _bare_loop(level)
        seconds = _best(lambda run=loop: run(count))  # type: ignore[misc]
        macs = _SUMS * level.lanes * (32 if level.bits else 4)
        if level.tiles:
            macs = amx.SUM_TILES * amx.PIXELS * amx.OUTPUTS * amx.ROW
        rates[level.name] = count * macs / seconds / 1e9
    return rates


def clock() -> float:
    """Cycles a second in G: a chain of products (three cycles on today's processors) and xors."""
    count = 10_000_000
    return 4 * count / _best(lambda: _chain(count, 3)) / 1e9


@numba.njit(nogil=True)
def _chain(count: int, factor: int) -> int:
    value = 1
    for turn in range(count):
        value = (value * factor) ^ turn
    return value


def _bare_loop(level: Level) -> Callable[[int], None]:
    """A compiled loop of `_SUMS` independent products a turn."""

    @intrinsic
    def products(typing: Any, count: Any, target: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            emit = _Emitter(builder, level.code, 1, _SUMS)
            weights = ir.Constant(emit.vector, [0x01FF02FE] * emit.lanes)
            first = [ir.Constant(emit.vector, [n] * emit.lanes) for n in range(_SUMS)]

            def turn(_: Any, sums: list[Any]) -> list[Any]:
                # a sum is its own operand: else what does not change would leave the loop
                return [emit.dot(total, total, weights) for total in sums]

            for number, total in enumerate(repeat(builder, arguments[0], first, turn)):
                place = builder.add(arguments[1], ir.IntType(64)(4 * emit.lanes * number))
                emit.store(total, place)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), generate

    @numba.njit(nogil=True)
    def loop(count: int, target: int) -> None:
        products(count, target)  # type: ignore[call-arg]

    last: IntArray = np.empty(_SUMS * level.lanes, np.int32)
    return lambda count: loop(count, last.ctypes.data)


@intrinsic
def _tile_products(typing: Any) -> Any:
    """A product into each of the four tiles of sums."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs = [(m, n) for m in range(2) for n in range(2)]
        lines = [f"tdpbusd %tmm{6 + n}, %tmm{4 + m}, %tmm{2 * m + n}" for m, n in pairs]
        amx._assembly(builder, lines)
        return context.get_dummy_value()

    return types.void(), generate


@numba.njit(nogil=True)
def _tile_loop(count: int, config: int) -> None:
    amx.configure(config)  # type: ignore[call-arg]
    for _ in range(count):
        _tile_products()
    amx.release()


def _bare_tiles(count: int) -> None:
    _tile_loop(count, amx.CONFIGURATIONS[-1].ctypes.data)


def _best(run: Callable[[], object], seconds: float = 0.3) -> float:
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
