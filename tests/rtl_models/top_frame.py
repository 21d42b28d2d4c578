"""A frame of a network, with every map on its way."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from codesign.ir import Graph, IntArray
from codesign.rtl import Image
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry
from codesign.rtl.interpret import frame, maps
from codesign.rtl.words import lanes_to_words, pack


@dataclass(frozen=True)
class Frame:
    """A network with one frame: what goes in, every map on the way, what has to come out."""

    image: Image
    sent: list[int]
    steps: list[tuple[Entry, IntArray]]
    expected: list[int]

    @classmethod
    def of(cls, graph: Graph, image: Image, rng: random.Random) -> Frame:
        """Random codes, the extremes of each type among them."""
        values = np.random.default_rng(rng.getrandbits(32))
        inputs = {}
        for name in graph.inputs:
            kind, shape = graph.values[name].type, graph.values[name].shape
            drawn = kind.lo + kind.step * values.integers(0, kind.count, shape)
            drawn.flat[0], drawn.flat[-1] = kind.hi, kind.lo
            inputs[name] = np.asarray(drawn)
        steps = list(maps(image, inputs))
        expected: list[int] = []
        for entry, found in steps:
            if entry.operation is Operation.STORE:
                expected += lanes_to_words(pack(entry.map, found))
        return cls(image, lanes_to_words(frame(image, inputs)), steps, expected)
