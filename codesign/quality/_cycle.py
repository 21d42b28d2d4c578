"""The cycle that a ring runs into, by Brent's algorithm on rings of whole words."""

from __future__ import annotations

from collections.abc import Callable

from codesign.ops.automaton import normal_form

#: A ring as a number: bit i is cell i.
Step = Callable[[int], int]


def step_of(rule: int, cells: int) -> Step:
    """One step of a ring of `cells` bits, as `codesign.ops.automaton.advance` does it."""
    every, last = (1 << cells) - 1, cells - 1
    products = [pattern for pattern, used in enumerate(normal_form(rule)) if used]

    def step(ring: int) -> int:
        parts = (ring << 1 & every | ring >> last, ring, ring >> 1 | (ring & 1) << last)
        total = 0
        for pattern in products:
            product = every
            for place, part in enumerate(parts):
                if pattern >> (2 - place) & 1:
                    product &= part
            total ^= product
        return total

    return step


def find_cycle(step: Step, start: int, limit: int) -> tuple[int, int] | None:
    """(steps before the cycle, length of the cycle), or None: not both within `limit` steps.

    Brent's search: the mark waits at steps 2^k - 1 while a runner looks for it. A cycle that is
    entered and closed within `limit` steps is met within three times as many of the runner's.
    """
    mark, runner, power, length = start, step(start), 1, 1
    for _ in range(3 * limit):
        if mark == runner:
            break
        if power == length:
            mark, power, length = runner, 2 * power, 0
        runner = step(runner)
        length += 1
    else:
        return None
    behind = ahead = start
    for _ in range(length):
        ahead = step(ahead)
    before = 0
    while behind != ahead:
        behind, ahead, before = step(behind), step(ahead), before + 1
    return (before, length) if before + length <= limit else None
