"""The loop that one would write first, with the layout chosen well: bytes in, sums of 32 bits out.

Output channels are neighbours in memory, so that the compiler makes vectors of them. Nothing else
is done: no blocking, no threads but over images.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from codesign.ir import Graph, IntArray


@numba.njit(parallel=True, cache=True)
def _conv(x: Any, weight: Any, groups: int, down: int, right: int, y: Any) -> None:
    """x (N, H, W, C) padded bytes, weight (kh, kw, C/groups, O), y (N, H', W', O) sums."""
    images, rows, columns, outputs = y.shape
    high, wide, depth, _ = weight.shape
    lanes = outputs // groups
    for n in numba.prange(images):
        for i in range(rows):
            for j in range(columns):
                y[n, i, j] = 0
                for g in range(groups):
                    sums = y[n, i, j, g * lanes : (g + 1) * lanes]
                    for u in range(high):
                        for v in range(wide):
                            for c in range(depth):
                                code = np.int32(x[n, i * down + u, j * right + v, g * depth + c])
                                tap = weight[u, v, c, g * lanes : (g + 1) * lanes]
                                for o in range(lanes):
                                    sums[o] += code * tap[o]


def products(graph: Graph, images: int) -> Callable[[], None]:
    """Runs every convolution of `graph` on `images` random maps, by the plain loop.

    A convolution over three axes is timed as its planes: `images` times frames maps whose channels
    are those of all frames of the window.
    """
    random = np.random.default_rng(0)
    work: list[tuple[IntArray, IntArray, int, tuple[int, ...], IntArray]] = []
    for node in graph.nodes:
        if node.op != "conv" or len(graph.values[node.name].shape) not in (3, 4):
            continue
        attrs: Any = node.attrs
        source, weight = graph.arguments(node)
        assert weight.data is not None
        *_, high, wide = source.shape[1:]
        outputs, *deep, rows, columns = graph.values[node.name].shape
        top, left = attrs["padding"][-2:]
        taps = int(np.prod(weight.shape[2:-2], dtype=np.int64))
        count = images * int(np.prod(deep, dtype=np.int64))
        shape = (count, high + 2 * top, wide + 2 * left, source.shape[0] * taps)
        x = random.integers(0, 4, shape).astype(np.uint8)
        y = np.empty((count, rows, columns, outputs), np.int32)
        codes = weight.data.reshape(outputs, -1, *weight.shape[-2:])
        packed = np.ascontiguousarray(codes.transpose(2, 3, 1, 0).astype(np.int32))
        work.append((x, packed, attrs["groups"], attrs["stride"][-2:], y))

    def run() -> None:
        for x, weight, groups, (down, right), y in work:
            _conv(x, weight, groups, down, right, y)

    return run
