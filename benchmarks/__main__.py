"""`python -m benchmarks`: every candidate on every network, in turns, with equal threads."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.networks import NETWORKS, macs
from benchmarks.peers import Candidate, candidates


def measure(network: str, images: int, threads: int, rounds: int) -> dict[str, Any]:
    """Median seconds of each candidate on one network; all take turns, so all see one weather."""
    graph = NETWORKS[network]()
    running: list[Candidate] = []
    left_out: dict[str, str] = {}
    source = candidates(graph, images, threads)
    for candidate in source:
        try:
            candidate.run()  # compile, allocate
        except NotImplementedError as error:
            left_out[candidate.name] = f"operation {error} has no float twin"
            continue
        running.append(candidate)
    times: dict[str, list[float]] = {candidate.name: [] for candidate in running}
    for _ in range(rounds):
        for candidate in running:
            start = time.perf_counter()
            candidate.run()
            times[candidate.name].append(time.perf_counter() - start)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    ours = next(iter(seconds.values()))
    return {
        "network": network,
        "macs": macs(graph),
        "batch": images,
        "threads": threads,
        "rounds": rounds,
        "images_per_second": {name: images / value for name, value in seconds.items()},
        "ours_is_faster_by": {name: value / ours for name, value in seconds.items()},
        "left_out": left_out,
    }


def show(result: dict[str, Any]) -> None:
    """A table of one network."""
    print(
        f"\n{result['network']}: {result['macs'] / 1e6:.1f} M MAC, batch {result['batch']}, "
        f"{result['threads']} threads, median of {result['rounds']}"
    )
    for name, speed in result["images_per_second"].items():
        rate = speed * result["macs"] / 1e9
        factor = result["ours_is_faster_by"][name]
        print(f"  {name:<34} {speed:>10,.0f} images/s {rate:>7,.0f} G MAC/s   {factor:>7.2f} x")
    for name, why in result["left_out"].items():
        print(f"  {name:<34} left out: {why}")


def main() -> int:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 256])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write all results as JSON")
    given = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "results": []}
    print(json.dumps(found["machine"], indent=2))
    for network in given.networks:
        for images in given.batch:
            result = measure(network, images, given.threads, given.rounds)
            show(result)
            sys.stdout.flush()
            found["results"].append(result)
            if given.out:
                given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
