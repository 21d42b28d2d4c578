"""The loop that anyone would write first: a convolution of bytes as numba compiles it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from codesign.ir import Graph, IntArray


@numba.njit(parallel=True, cache=True)
def _conv(x: Any, weight: Any, groups: int, down: int, right: int, y: Any) -> None:
    """x (N, H, W, C) padded bytes, weight (O, kh, kw, C/groups), y (N, H', W', O) 32-bit sums."""
    images, rows, columns, outputs = y.shape
    _, high, wide, depth = weight.shape
    lanes = outputs // groups
    for n in numba.prange(images):
        for i in range(rows):
            for j in range(columns):
                for o in range(outputs):
                    first = o // lanes * depth
                    total = np.int32(0)
                    for u in range(high):
                        for v in range(wide):
                            for c in range(depth):
                                total += np.int32(x[n, i * down + u, j * right + v, first + c]) * (
                                    np.int32(weight[o, u, v, c])
                                )
                    y[n, i, j, o] = total


def products(graph: Graph, images: int) -> Callable[[], None]:
    """Runs every 2-D convolution of `graph` on `images` random maps, by the plain loop."""
    random = np.random.default_rng(0)
    work: list[tuple[IntArray, IntArray, int, tuple[int, ...], IntArray]] = []
    for node in graph.nodes:
        if node.op != "conv" or len(graph.values[node.name].shape) != 3:
            continue
        attrs: Any = node.attrs
        source, weight = graph.arguments(node)
        assert weight.data is not None
        (high, wide), (top, left) = source.shape[1:], attrs["padding"]
        shape = (images, high + 2 * top, wide + 2 * left, source.shape[0])
        x = random.integers(0, 4, shape).astype(np.uint8)
        outputs, rows, columns = graph.values[node.name].shape
        y = np.empty((images, rows, columns, outputs), np.int32)
        packed = np.ascontiguousarray(weight.data.transpose(0, 2, 3, 1).astype(np.int8))
        work.append((x, packed, attrs["groups"], attrs["stride"], y))

    def run() -> None:
        for x, weight, groups, (down, right), y in work:
            _conv(x, weight, groups, down, right, y)

    return run
