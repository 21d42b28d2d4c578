"""Pictures of a result file: `python -m benchmarks.plots RESULTS.json FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def draw(found: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Writes a picture of each part that was measured; gives their paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    where = f"{found['machine']['processor']}, {found['machine']['system']}"
    for batch in sorted({result["batch"] for result in found["results"]}):
        chosen = [result for result in found["results"] if result["batch"] == batch]
        yield _bars(chosen, folder / f"batch-{batch}.svg", where)
    if found.get("scaling"):
        yield _curves(found["scaling"], folder / "scaling.svg", where)


def _bars(results: list[dict[str, Any]], path: Path, where: str) -> Path:
    """How many times faster ours is than each candidate, a group of bars a network."""
    from matplotlib import pyplot

    names = list(dict.fromkeys(name for result in results for name in result["ours_is_faster_by"]))
    figure, axes = pyplot.subplots(figsize=(10, 0.5 + 0.28 * len(names) * len(results)))
    labels, values, colours = [], [], []
    for number, result in enumerate(results):
        for name, factor in result["ours_is_faster_by"].items():
            labels.append(f"{result['network']}: {name}")
            values.append(factor)
            colours.append(f"C{number}")
    places = range(len(values))
    bars = axes.barh(places, values, color=colours)
    axes.set_yticks(places, labels, fontsize=7)
    axes.bar_label(bars, fmt="%.1f x", fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("times that codesign, at its best level, is faster")
    threads = results[0]["threads"]
    axes.set_title(f"batch {results[0]['batch']}, {threads} threads; {where}", fontsize=9)
    return _saved(figure, path)


def _curves(points: list[dict[str, Any]], path: Path, where: str) -> Path:
    """G MAC/s along each axis."""
    from matplotlib import pyplot

    curves = list(dict.fromkeys(point["curve"] for point in points))
    figure, grid = pyplot.subplots(1, len(curves), figsize=(4 * len(curves), 3.5))
    for axes, curve in zip(grid, curves, strict=True):
        chosen = [point for point in points if point["curve"] == curve]
        for name in chosen[0]["g_macs_per_second"]:
            rates = [point["g_macs_per_second"][name] for point in chosen]
            axes.plot([point["at"] for point in chosen], rates, marker="o", label=name)
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(curve)
        axes.set_ylabel("G MAC/s")
        axes.legend(fontsize=7)
    figure.suptitle(where, fontsize=9)
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return path


def main() -> int:
    """Draw a file of `python -m benchmarks --out`."""
    source, folder = sys.argv[1:]
    for path in draw(json.loads(Path(source).read_text(encoding="utf-8")), Path(folder)):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
