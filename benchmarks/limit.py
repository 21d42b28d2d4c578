"""What the machine could do: oneDNN's product of bytes on the same shapes, and the instruction."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from codesign.engine._numba.features import levels
from codesign.engine._numba.packed import Packed, Window
from codesign.ir import Graph


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
        if pixels <= 16:  # smaller than the product takes
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


def kernel_rates(seconds: float = 0.3) -> dict[str, float]:
    """G MAC/s of one thread of each level on a 3x3 convolution of 64 to 64 channels, 32 x 32."""
    random, images = np.random.default_rng(0), 4
    window = Window((32, 32), 64, (3, 3), (1, 1), (1, 1))
    weight = random.integers(-1, 2, (64, 64, 3, 3)).astype(np.int8)
    frame = random.integers(0, 4, images * 34 * 34 * 64 + 64).astype(np.uint8)
    y, places = np.empty(images * 65536, np.int32), np.arange(1024, dtype=np.int64) * 64
    rates = {}
    for level in levels():
        if not level.lanes:
            continue
        product = Packed(level, window, weight, 0, None)
        product.run(frame, images, y, places, 65536)
        best, end = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            product.run(frame, images, y, places, 65536)
            best = min(best, time.perf_counter() - start)
        rates[level.name] = images * 65536 * 576 / best / 1e9
    return rates
