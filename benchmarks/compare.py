"""`python -m benchmarks.compare OLD.json NEW.json`: exit 1 where a ratio fell by more than 10 %.

Ratios to the peers of the same run are compared, not speeds: they hold on a busier machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

#: The share of a ratio that may be lost.
ALLOWED = 0.10


def ratios(found: dict[str, Any]) -> dict[tuple[str, int, int, str], float]:
    """Ours against each candidate, by network, batch, threads and the candidate's name."""
    return {
        (result["network"], result["batch"], result["threads"], name): factor
        for result in found["results"]
        for name, factor in result["ours_is_faster_by"].items()
    }


def lost(old: dict[str, Any], new: dict[str, Any], allowed: float = ALLOWED) -> list[str]:
    """A line for each ratio of both files that fell by more than `allowed`."""
    before, after = ratios(old), ratios(new)
    lines = []
    for key in sorted(before.keys() & after.keys()):
        if after[key] < before[key] * (1 - allowed):
            network, batch, threads, name = key
            lines.append(
                f"{network}, batch {batch}, {threads} threads, against {name}: "
                f"{before[key]:.2f} x before, {after[key]:.2f} x now"
            )
    return lines


def main() -> int:
    """Compare two files of `python -m benchmarks --out`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args()
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (given.old, given.new))
    shared = ratios(old).keys() & ratios(new).keys()
    if not shared:
        print("the files have no measurement in common", file=sys.stderr)
        return 2
    found = lost(old, new)
    for line in found:
        print(line)
    print(f"{len(found)} of {len(shared)} ratios fell by over {ALLOWED:.0%}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
