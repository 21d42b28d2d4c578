"""How a candidate is timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

#: Seconds that one candidate gets; a slow one runs fewer rounds, but once at least.
BUDGET = 6.0
#: Seconds of one turn: a short run is repeated in it.
TURN = 0.05
#: Seconds of silence before a turn: threads of the one before stop spinning.
PAUSE = 0.02


def side_by_side(
    runs: Mapping[str, Callable[[], object]], rounds: int, budget: float = BUDGET
) -> dict[str, float]:
    """Median seconds of each run. All take turns, so that all see the same weather.

    A run is called once before (compilation, memory), and gets no turn once its budget is spent.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            if times[name] and sum(times[name]) + times[name][-1] > budget:
                continue
            time.sleep(PAUSE)
            times[name] += _turn(run)
    return {name: statistics.median(values) for name, values in times.items()}


def _turn(run: Callable[[], object]) -> list[float]:
    found: list[float] = []
    end = time.perf_counter() + TURN
    while not found or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return found
