"""ycbcr: pixels of the op `ycbcr`, with gaps and back-pressure."""

from __future__ import annotations

from collections import deque
from itertools import product
from typing import Any

import cocotb
import numpy as np

from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, reference, vectors

COMPONENTS = ("y", "cb", "cr")
BINS = (
    *(("corner", *colours) for colours in product((0, 255), repeat=3)),
    *product(COMPONENTS, ("least", "greatest")),
    *("grey", "cb clipped", "cr clipped", "a pixel waits", "a stall", "a gap", "keeps up", "reset"),
)


def pixel(rng: Any) -> tuple[int, int, int]:
    """A corner, a grey, near one, or any."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice((0, 255)), rng.choice((0, 255)), rng.choice((0, 255))
    if kind == 1:
        return (rng.randrange(256),) * 3
    low = [corner(rng, 0, 255) for _ in range(3)]
    return low[0], low[1], low[2]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def pixels_of_the_op(dut: Any) -> None:
    rng, unit = seeded("ycbcr"), Unit(dut)
    coverage = Coverage("ycbcr", BINS)
    await unit.reset()
    waiting: deque[tuple[int, ...]] = deque()  # what was taken and has not come out
    offered: tuple[int, int, int] | None = None
    gaps, stalls, calm = 0.0, 0.0, 0
    for number in coverage.rounds(vectors(8000), 3):
        if number % 40 == 0:
            gaps, stalls = rng.choice(((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.0, 0.9)))
            calm = 0
        if offered is None and rng.random() >= gaps:
            offered = pixel(rng)
        red, green, blue = offered or pixel(rng)
        ready = rng.random() >= stalls
        await unit.settle(valid=offered is not None, red=red, green=green, blue=blue, ready=ready)
        shown = bool(unit["valid"])
        if shown:
            assert tuple(unit[name] for name in COMPONENTS) == waiting[0]
        # it holds three pixels and takes a fourth where one leaves
        assert unit["ready"] == int(len(waiting) < 3 or (shown and ready))
        taken = offered is not None and unit["ready"]
        coverage.hit(*(["a stall"] if shown and not ready else []))
        coverage.hit(*(["a pixel waits"] if offered and not taken else []))
        coverage.hit(*(["a gap"] if not shown and waiting else []))
        await unit.edge()
        if shown and ready:
            waiting.popleft()
        if taken and offered is not None:
            found = tuple(int(x) for x in reference("ycbcr", np.array(offered)))
            waiting.append(found)
            cover(coverage, offered, found)
            offered = None
        calm = calm + 1 if gaps == stalls == 0 else 0
        if calm > 4:
            assert shown  # a pixel a cycle
            coverage.hit("keeps up")
        if rng.random() < 0.002:
            await unit.assert_reset()
            assert unit["valid"] == 0
            await unit.settle(valid=0)
            await unit.reset()
            waiting.clear()
            calm, offered = -3, None
            coverage.hit("reset")
    coverage.require(3)


def cover(coverage: Coverage, colours: tuple[int, int, int], found: tuple[int, ...]) -> None:
    """Ends of every component, and what only a clip keeps within 8 b."""
    if set(colours) <= {0, 255}:
        coverage.hit(("corner", *colours))
    if len(set(colours)) == 1:
        coverage.hit("grey")
    ends = {"y": (0, 255), "cb": (1, 255), "cr": (1, 255)}
    for name, code in zip(COMPONENTS, found, strict=True):
        if code in ends[name]:
            coverage.hit((name, "least" if code == ends[name][0] else "greatest"))
    red, green, blue = colours
    for name, total in (
        ("cb", -43 * red - 85 * green + 128 * blue), ("cr", 128 * red - 107 * green - 21 * blue)
    ):  # fmt: skip
        if ((total + 128) >> 8) + 128 > 255:
            coverage.hit(f"{name} clipped")
