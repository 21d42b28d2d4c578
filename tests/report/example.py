"""A report that has everything a report can have; its numbers are made up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from codesign.report import Ratio, Report

_CAUSES = ("compute", "weight_load", "stall", "drain")


def _cycles(layer: str, counts: tuple[int, ...], macs: int) -> dict[str, Any]:
    use = Ratio.of(Fraction(macs, 16 * sum(counts))) if macs else None
    return {
        "layer": layer,
        "causes": dict(zip(_CAUSES, counts, strict=True)),
        "total": sum(counts),
        "macs": macs,
        "utilization": use,
    }


def _count(kind: str, bits: int, by: int, count: int) -> dict[str, Any]:
    return {"kind": kind, "bits": bits, "by": by, "count": count}


def _layer(name: str, kind: str, shape: list[int], width: int | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "unit": "host" if kind == "sign" else "accelerator",
        "reason": "no threshold unit is built" if kind == "sign" else "",
        "nodes": [name],
        "output_shape": shape,
        "accumulator_width": width,
    }


def _kept(layer: str, stored: dict[int, int], generated: int, parameters: int) -> dict[str, Any]:
    return {
        "layer": layer,
        "stored_weight_bits": stored,
        "generated_bits": generated,
        "parameter_bits": parameters,
    }


def _use(name: str, used: int, built: int, message: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "used_bits": used,
        "built_bits": built,
        "fits": used <= built,
        "peak_at": "conv1",
        "message": message,
    }


def _score(index: int, name: str, score: int) -> dict[str, Any]:
    return {"index": index, "name": name, "score": score}


def _results() -> dict[str, Any]:
    fit = {"width": 451, "height": 300, "left": 75, "top": 0, "crop_width": 300, "crop_height": 300}
    digest = {"sha256": "7f" * 32}
    best = [_score(0, "cat", 1812), _score(1, "dog", 640), _score(2, "frog", -511)]
    return {
        "engine": "numba",
        "accuracy": {"correct": 1, "total": 2},
        "inputs": [
            {
                "input": "photos/cat.png",
                "fit": fit,
                "class": best[0],
                "scores": [1812, 640, -511],
                "top": best,
                "label": best[0],
                "outputs": {"flags": {"shape": [3], "codes": [1, -1, 1], **digest}},
            },
            {
                "input": "photos/[dog].png",
                "fit": {**fit, "left": 0, "crop_width": 451},
                "class": best[1],
                "scores": [3, 640, 2],
                "top": [best[1], _score(0, "cat", 3), _score(2, "frog", 2)],
                "label": _score(2, "frog", 2),
                "outputs": {"flags": {"shape": [3, 2000], "codes": None, **digest}},
            },
        ],
    }


def example(*, fits: bool = True, results: bool = True, energy: bool = True) -> Report:
    """The report; with `fits` False a memory and a budget line are too small."""
    weights = "weights need 1,024,064 b, asic builds 1,000,000 b (24,064 b over); "
    weights += "the largest layer is features/0/conv with 589,824 b"
    late = "latency needs 20.480 ms, the budget is 20.000 ms (0.480 ms over); the longest is conv1"
    row = {"event": "weight_read", "count": 1000, "source": "a made-up table"}
    each, total = Ratio.of(Fraction(1, 4 * 10**12)), Ratio.of(Fraction(1, 4 * 10**9))
    facts: dict[str, Any] = {
        "model": {
            "name": "example",
            "hash": "sha256:" + "0" * 64,
            "inputs": [{"name": "image", "shape": [3, 8, 8], "lo": 0, "hi": 255, "step": 1}],
            "outputs": [{"name": "class", "shape": [], "lo": 0, "hi": 2, "step": 1}],
            "classes": ["cat", "dog", "frog"],
            "layers": [
                _layer("conv1", "conv 3x3", [8, 8, 8], 14),
                _layer("features/0/conv", "conv 3x3 g2", [16, 4, 4], 9),
                _layer("act", "sign", [16, 4, 4]),
            ],
        },
        "hardware": {
            "name": "asic",
            "clock": Ratio.of(62_500_000),
            "input_lanes": 4,
            "output_lanes": 4,
        },
        "memory": {
            "layers": [
                _kept("conv1", {3: 648}, 0, 160),
                _kept("features/0/conv", {1: 256, 2: 576}, 1152, 320),
                _kept("act", {}, 0, 0),
            ],
            "total": _kept("total", {1: 256, 2: 576, 3: 648}, 1152, 480),
            "peak_activation_bits": 1792,
            "peak_at": "conv1",
            "memories": [
                _use(
                    "weights", *((876_480, 1_000_000) if fits else (1_024_064, 1_000_000, weights))
                ),
                _use("activations 0", 1792, 8192),
                _use("skip", 0, 0),
            ],
            "placements": [
                {
                    "value": "act",
                    "memory": "activations",
                    "bank": 0,
                    "first_word": 0,
                    "words": 64,
                    "from_layer": 2,
                    "to_layer": 2,
                }
            ],
        },
        "operations": {
            "layers": [
                {
                    "layer": "conv1",
                    "counts": [_count("mac", 3, 8, 13824), _count("add", 14, 0, 512)],
                },
                {
                    "layer": "features/0/conv",
                    "counts": [_count("mac", 1, 2, 2048), _count("mac", 2, 2, 4608)],
                },
                {"layer": "act", "counts": [_count("logic", 1, 0, 256)]},
            ],
            "total": {
                "layer": "total",
                "counts": [
                    _count("add", 14, 0, 512),
                    _count("logic", 1, 0, 256),
                    _count("mac", 1, 2, 2048),
                    _count("mac", 2, 2, 4608),
                    _count("mac", 3, 8, 13824),
                ],
            },
            "energy": [{**row, "each": each, "total": total}] if energy else None,
        },
        "cycles": {
            "layers": [
                _cycles("conv1", (3456, 2, 0, 43), 13824),
                _cycles("features/0/conv", (416, 4, 8, 29), 6656),
                _cycles("act", (0, 0, 0, 0), 0),
            ],
            "total": _cycles("total", (3872, 6, 8, 72), 20480),
            "seconds": Ratio.of(Fraction(3958, 62_500_000)),
            "frames_per_second": Ratio.of(Fraction(62_500_000, 3958)),
        },
        "budget": [
            {
                "name": "weights",
                "used": Ratio.of(876_480),
                "limit": Ratio.of(1_000_000),
                "unit": "b",
                "ok": True,
                "message": "",
            },
            {
                "name": "latency",
                "used": Ratio.of(Fraction(3958, 62_500_000) if fits else Fraction(2048, 100_000)),
                "limit": Ratio.of(Fraction(20, 1000)),
                "unit": "s",
                "ok": fits,
                "message": "" if fits else late,
            },
        ],
        "results": _results() if results else None,
        "not_modelled": ["act: sign runs on the host; no threshold unit is built"],
    }
    return Report.model_validate(facts)
