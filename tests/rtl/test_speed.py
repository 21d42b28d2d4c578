"""The Verilated machine is fast enough for whole data sets, and built before one loses patience."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from codesign.hw import Hardware
from codesign.rtl import build, image
from codesign.rtl.accelerator import Accelerator
from tests.hw import networks
from tests.rtl.verilog import frame, need_verilated


@pytest.fixture(autouse=True)
def _verilated() -> None:
    need_verilated()


def test_a_million_cycles_a_second() -> None:
    """Whole frames on the small machine; processor time, the best of five, others may run too."""
    graph = networks.digits()
    machine = Accelerator(image(graph, Hardware.load("tiny")))
    inputs, best = frame(graph, 1), 0.0
    for _ in range(5):
        cycles, start = machine.machine.cycles, time.thread_time()
        for _ in range(60):
            machine.outputs(inputs)
        best = max(best, (machine.machine.cycles - cycles) / (time.thread_time() - start))
    assert best >= 1_000_000


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["tiny", "asic_1mb"])
def test_a_minute_to_build(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From nothing, Verilator's own library included."""
    monkeypatch.setenv("CODESIGN_CACHE", str(tmp_path))
    start = time.monotonic()
    build.library(Hardware.load(name))
    assert time.monotonic() - start <= 60
