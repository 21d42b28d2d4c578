"""Whole processes, as a user starts them: with imports, files and the report."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.synthetic import resnet18
from benchmarks.timing import side_by_side
from codesign import load
from codesign.convert import save
from codesign.sim.inputs import from_random


def commands(folder: Path, images: int = 10_000) -> dict[str, list[str]]:
    """What is timed by name: costs alone of a large network, and a whole test set on NQE.

    The images are random codes: the program's work does not depend on them.
    """
    save(resnet18(), folder / "resnet18.onnx")
    batches = from_random(load("nqe_cifar10"), 0, images).batches()
    codes = np.concatenate([batch.arrays["image"] for batch in batches])
    np.savez(folder / "images.npz", image=codes)
    labels = np.random.default_rng(0).integers(0, 10, images)
    np.save(folder / "labels.npy", labels)
    run = [sys.executable, "-m", "codesign", "simulate"]
    given = ["--input", str(folder / "images.npz"), "--labels", str(folder / "labels.npy")]
    return {
        "costs of a ResNet-18-sized network": [
            *run, str(folder / "resnet18.onnx"), "--hw", "asic_4mb",
        ],
        f"{images:,} images on nqe": [*run, "nqe_cifar10", "--hw", "asic_1mb", *given],
        f"{images:,} images on nqe, report as JSON": [
            *run, "nqe_cifar10", "--hw", "asic_1mb", *given,
            "--report", str(folder / "report.json"),
        ],
    }  # fmt: skip


def measure(threads: int, rounds: int) -> dict[str, float]:
    """Median seconds of each process; kernels are on disk after the first."""
    with tempfile.TemporaryDirectory() as name:
        lines = commands(Path(name))
        runs = {what: partial(_run, line, threads) for what, line in lines.items()}
        return side_by_side(runs, rounds, budget=30)


def _run(line: list[str], threads: int) -> Any:
    extra = ["--threads", str(threads)] if "--input" in line else []
    # compiled modules are on disk after the first, as an installer leaves them
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [*line, *extra], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    assert done.returncode in (0, 3), done.stderr.decode()  # 3: the large network fits no machine
    return done
