"""Rates against image size, channels, batch and threads: ours beside PyTorch float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.networks import NETWORKS, macs
from benchmarks.peers import float_twin, inputs
from benchmarks.synthetic import pair
from benchmarks.timing import side_by_side
from codesign.engine import create
from codesign.ir import Graph

#: Points of each curve.
SIZES, CHANNELS, BATCHES = (8, 16, 32, 64, 128), (16, 32, 64, 128, 256, 512), (1, 2, 4, 16, 64, 256)


def curves(threads: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Points, one after the other: the curve's name, the place on its axis, G MAC/s of each."""
    for size in SIZES:
        images = max(1, 4096 // size**2)
        yield _point("image size, 64 channels", size, pair(size, 64), images, threads, rounds)
    for channels in CHANNELS:
        yield _point("channels, 16 x 16", channels, pair(16, channels), 16, threads, rounds)
    nqe = NETWORKS["nqe"]()
    for images in BATCHES:
        yield _point("batch, nqe", images, nqe, images, threads, rounds)
    for count in range(1, threads + 1):
        yield _point("threads, nqe, batch 64", count, nqe, 64, count, rounds)


def _point(
    curve: str, place: int, graph: Graph, images: int, threads: int, rounds: int
) -> dict[str, Any]:
    given = inputs(graph, images)
    engine = create("numba", graph, threads=threads)
    runs = {
        "codesign": lambda: engine.run(given),
        "PyTorch float32": float_twin(graph, given, threads),
    }
    work = macs(graph) * images / 1e9
    seconds = side_by_side(runs, rounds)
    return {
        "curve": curve,
        "at": place,
        "g_macs_per_second": {name: work / value for name, value in seconds.items()},
    }
