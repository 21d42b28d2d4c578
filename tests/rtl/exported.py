"""A small network exported for tests: two convolutions, odd channels, two outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from codesign.hw import Hardware
from codesign.ir import Graph, IntArray, IntType
from codesign.rtl import Image, image
from codesign.rtl.export import export
from tests.hw.networks import Row, encoder
from tests.rtl.verilog import frame

TINY = Hardware.load("tiny")

#: What the simulators print, behind nothing else.
PASS = "PASS: frames: 2, layers: 7, cycles a frame: 555"


def network() -> Graph:
    """On tiny 7 descriptors; a pixel of conv1's map fills 6 of 8 lanes."""
    rows = (Row(6, levels=5, pool=True), Row(4, groups=2))
    return encoder("mini", rows, (1, 4, 4), IntType(0, 16))


def frames(graph: Graph, count: int = 2) -> Iterator[tuple[str, Mapping[str, IntArray]]]:
    """Random frames, by name."""
    for number in range(count):
        yield f"random {number}", frame(graph, 10 * number)


def exported(path: Path, count: int = 2) -> Image:
    """The network in the folder `path`; its memory words."""
    graph = network()
    made = image(graph, TINY)
    assert export(graph, made, frames(graph, count), path) == count
    return made
