"""`python -m benchmarks`: every candidate on every network, in turns, with equal threads; then
scaling, memory, whole processes and the limits of the machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.networks import NETWORKS, macs
from benchmarks.peers import Run, candidates
from benchmarks.timing import side_by_side

#: What is measured, in order.
PARTS = ("limits", "networks", "scaling", "memory", "processes")
#: Clips are large: a batch of them is smaller.
CLIPS = {"billnet": 8}


def measure(network: str, images: int, threads: int, rounds: int) -> dict[str, Any]:
    """Images a second of each candidate on one network, and how much faster the first is."""
    graph = NETWORKS[network]()
    images = min(images, CLIPS.get(network, images))
    running: dict[str, Run] = {}
    count: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for candidate in candidates(graph, images, threads):
        try:
            run = candidate.make()
            run()
        except Exception as error:
            if candidate.ours:
                raise
            left_out[candidate.name] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        running[candidate.name], count[candidate.name] = run, candidate.images
    seconds = side_by_side(running, rounds)
    each = {name: value / count[name] for name, value in seconds.items()}
    ours = next(iter(each.values()))
    return {
        "network": network,
        "macs": macs(graph),
        "batch": images,
        "threads": threads,
        "rounds": rounds,
        "images_per_second": {name: 1 / value for name, value in each.items()},
        "ours_is_faster_by": {name: value / ours for name, value in each.items()},
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
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 256])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write all results as JSON")
    parser.add_argument("--plots", type=Path, help="write a picture of each part to this folder")
    given = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "results": []}
    print(json.dumps(found["machine"], indent=2))
    for part in given.parts:
        for _ in _measured(part, given, found):
            sys.stdout.flush()
            if given.out:  # what is measured is kept, whatever comes after
                given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if given.plots:
        from benchmarks.plots import draw

        for path in draw(found, given.plots):
            print(path)
    return 0


def _measured(part: str, given: argparse.Namespace, found: dict[str, Any]) -> Any:
    """Measures a part, adds to `found`, prints; yields after each step."""
    threads, rounds = given.threads, given.rounds
    if part == "limits":
        from benchmarks import limit

        found["limits"] = {
            "clock_ghz": limit.clock(),
            "instruction_g_macs": limit.instruction_rates(),
            "kernel_g_macs": limit.kernel_rates(),
        }
        print(json.dumps(found["limits"], indent=2))
        yield
    elif part == "networks":
        for network in given.networks:
            for images in given.batch:
                result = measure(network, images, threads, rounds)
                show(result)
                found["results"].append(result)
                yield
    elif part == "scaling":
        from benchmarks.scaling import curves

        found["scaling"] = []
        for point in curves(threads, rounds):
            rates = "  ".join(f"{k} {v:,.0f}" for k, v in point["g_macs_per_second"].items())
            print(f"{point['curve']}: {point['at']}: G MAC/s {rates}")
            found["scaling"].append(point)
            yield
    elif part == "memory":
        from benchmarks.memory import peak

        found["memory"] = []
        for network in given.networks:
            for images in given.batch:
                use = peak(network, min(images, CLIPS.get(network, images)), threads)
                print(
                    f"{network}, batch {use['batch']}: {use['added'] / 1e6:.1f} MB over what was "
                    f"there, {use['ratio']:.2f} x model and activations, "
                    f"{use['ratio_again']:.2f} x with kernels loaded"
                )
                found["memory"].append(use)
                yield
    else:
        from benchmarks.process import measure as processes

        found["processes"] = processes(threads, min(rounds, 3))
        for name, seconds in found["processes"].items():
            print(f"{name}: {seconds:.2f} s")
        yield


if __name__ == "__main__":
    sys.exit(main())
