"""threshold_unit against the operation `threshold`, channel after channel."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import cocotb
import numpy as np

from codesign.ir import IntArray
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.units import Unit, corner, reference, signed_range, vectors


def _thresholds(rng: random.Random, bits: int, count: int) -> IntArray:
    """Ascending ones, close together, with equal ones, or far apart."""
    low, high = signed_range(bits)
    centre = corner(rng, low, high)
    spread = rng.choice((0, 1, 3, high))
    drawn = [centre + rng.randint(-spread, spread) for _ in range(count)]
    return np.sort(np.clip(drawn, low, high))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def channels(dut: Any) -> None:
    """Thresholds in any order, with pauses, then values around them; what is unused is random."""
    rng = seeded("threshold_unit")
    unit = Unit(dut)
    bits, most = unit.width["threshold_i"], (1 << unit.width["index_i"]) - 1
    low, high = signed_range(unit.width["value_i"])
    counts = {1: "one level", most: "all levels"}  # of 1 b codes the one level is all
    sides = product(("plain", "flip"), ("below all", "between", "above all", "at a threshold"))
    coverage = Coverage("threshold_unit", [
        (kind, side, place) for side, place in sides for kind in (*counts.values(), "some")
        if (most > 1 or kind == "all levels") and (kind, place) != ("one level", "between")
        and (most > 1 or place != "between")
    ])  # fmt: skip
    more = Coverage("thresholds", ("reload in part", "a pause", *(["equal"] if most > 1 else [])))
    for _ in coverage.rounds(vectors(160), floor=2, times=10):
        levels = rng.choice((1, most, rng.randint(1, most)))
        flip = rng.randint(0, 1)
        thresholds = _thresholds(rng, bits, levels)
        order = rng.sample(range(levels), levels)
        if levels > 1 and rng.random() < 0.3:  # one that is written again
            order.append(order[0])
            await unit.cycle(load=1, index=order[0], threshold=rng.randint(0, 1), flip=flip)
            more.hit("reload in part")
        elif most == 1:
            more.hit("reload in part")
        for index in order:
            await unit.cycle(load=1, index=index, threshold=int(thresholds[index]), flip=flip)
            if rng.random() < 0.2:
                await unit.cycle(load=0, index=index, threshold=~int(thresholds[index]), flip=~flip)
                more.hit("a pause")
        if len(set(thresholds.tolist())) < levels:
            more.hit("equal")
        for _ in range(16):
            value = corner(rng, low, high, *map(int, thresholds))
            if rng.random() < 0.3:
                value = int(rng.choice(thresholds))
            noise = {name: rng.getrandbits(4) for name in ("index", "threshold", "flip")}
            await unit.settle(load=0, levels=levels, value=value, **noise)
            expected = reference("threshold", np.array([value]), thresholds[None], np.array([flip]))
            assert unit["code"] == expected[0], (value, thresholds, flip, levels)
            await unit.edge()
            place = "between"
            if value in thresholds:
                place = "at a threshold"
            elif value < thresholds[0] or value > thresholds[-1]:
                place = "below all" if value < thresholds[0] else "above all"
            side = "flip" if flip else "plain"
            coverage.hit((counts.get(levels, "some"), side, place))
    coverage.require(2)
    more.require()
