"""The parts of the benchmark run and hand out what they say; no speed is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as main
from benchmarks import limit, memory, naive, process, scaling
from benchmarks.peers import Candidate
from benchmarks.synthetic import Layers, pair, resnet18
from benchmarks.timing import side_by_side
from codesign.engine import create
from codesign.ir import IntType
from tests.engine import amx


def test_the_plain_loop_gives_the_sums_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = Layers("stride")
    x = layers.builder.input("image", (6, 9, 8), IntType(0, 3))
    layers.builder.output(layers.conv("conv", x, 10, stride=2))
    graph = layers.builder.build()
    seen: list[tuple[Any, ...]] = []
    kernel = naive._conv
    monkeypatch.setattr(naive, "_conv", lambda *given: (kernel(*given), seen.append(given)))
    naive.products(graph, 2)()
    ((frame, *_, sums),) = seen
    image = frame[:, 1:-1, 1:-1].transpose(0, 3, 1, 2)
    # the loop pads with codes of its own: what the definition sees only inside is compared
    wanted = create("reference", graph).run({"image": image}, ["conv"])["conv"]
    assert np.array_equal(sums.transpose(0, 3, 1, 2)[:, :, 1:-1, 1:-1], wanted[:, :, 1:-1, 1:-1])


def test_limits_are_rates_of_this_machines_levels() -> None:
    assert 0.5 < limit.clock() < 10
    kernels, instructions = limit.kernel_rates(16, 8), limit.instruction_rates()
    assert kernels.keys() <= instructions.keys() | {"portable"} and "portable" not in instructions
    assert all(rate > 0 for rate in (*kernels.values(), *instructions.values()))


def test_limits_of_tiles_where_they_are() -> None:
    if reason := amx.missing():
        pytest.skip(reason)
    with amx.machine():
        kernels, instructions = limit.kernel_rates(16, 8), limit.instruction_rates(100)
    assert next(iter(kernels)) == next(iter(instructions)) == "amx"
    assert kernels["amx"] > 0 and instructions["amx"] > 0


def test_a_point_of_a_curve_has_a_rate_for_each_candidate() -> None:
    point = scaling._point("size", 8, pair(8, 16), 2, 1, 1)
    assert point["at"] == 8 and point["g_macs_per_second"].keys() == {
        "codesign", "PyTorch float32",
    }  # fmt: skip


def _refuse() -> Any:
    raise ValueError("no such operator\nand a long explanation")


def test_a_peer_that_cannot_be_made_or_run_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        Candidate("ours", lambda: lambda: None, 4, ours=True),
        Candidate("not made", _refuse, 4),
        Candidate("not run", lambda: _refuse, 4),
        Candidate("runs", lambda: lambda: None, 2),
    ]
    monkeypatch.setattr(main, "candidates", lambda *_: iter(found))
    result = main.measure("nqe", 4, 1, 1)
    assert result["left_out"] == {
        "not made": "ValueError: no such operator",
        "not run": "ValueError: no such operator",
    }
    assert list(result["images_per_second"]) == ["ours", "runs"]
    assert result["ours_is_faster_by"]["ours"] == 1
    json.dumps(result)
    main.show(result)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"  {'not run':<34} left out: ValueError: no such operator"


def test_ours_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Candidate("ours", _refuse, 4, ours=True)]
    monkeypatch.setattr(main, "candidates", lambda *_: iter(found))
    with pytest.raises(ValueError, match=r"^no such operator\nand a long explanation$"):
        main.measure("nqe", 4, 1, 1)


def test_a_slow_run_gets_no_turn_beyond_its_budget() -> None:
    counts = {"a": 0, "b": 0}

    def run(name: str) -> None:
        counts[name] += 1

    found = side_by_side({name: lambda n=name: run(n) for name in counts}, 3, budget=-1.0)
    assert found.keys() == counts.keys()
    once = dict(counts)
    assert all(count > 1 for count in once.values())


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's status in /proc")
def test_peak_memory_is_measured_beside_what_a_run_needs() -> None:
    found = memory.peak("nqe", 4, 1)
    assert found["needed"] == memory.needed(memory.NETWORKS["nqe"](), 4)
    # the second convolution reads and writes 64 maps of 32 x 32
    assert found["needed"] > 4 * 2 * 64 * 32 * 32
    assert found["added"] > 0 and found["ratio"] == found["added"] / found["needed"]
    assert found["again"] > 0 and found["ratio_again"] == found["again"] / found["needed"]


def test_whole_processes_end_well(tmp_path: Any) -> None:
    assert resnet18().hash.startswith("sha256:")
    lines = process.commands(tmp_path, images=20)
    assert len(lines) == 3
    for line in lines.values():
        process._run(line, 1)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["results"]["inputs"]) == 20


def test_pictures_are_drawn_from_a_result_file(tmp_path: Any) -> None:
    result = {
        "network": "n", "batch": 1, "threads": 2, "ours_is_faster_by": {"ours": 1.0, "b": 3.5},
    }  # fmt: skip
    points = [
        {"curve": curve, "at": at, "g_macs_per_second": {"ours": 2.0 * at, "b": 1.0}}
        for curve in ("size", "batch")
        for at in (1, 2, 4)
    ]
    machine = {"processor": "p", "system": "s"}
    found = {"machine": machine, "results": [result], "scaling": points}
    (tmp_path / "found.json").write_text(json.dumps(found))
    command = [sys.executable, "-m", "benchmarks.plots", str(tmp_path / "found.json")]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=True)
    drawn = done.stdout.split()
    assert all("<svg" in Path(name).read_text() for name in drawn)
    assert [name.rsplit("/", 1)[-1] for name in drawn] == ["batch-1.svg", "scaling.svg"]
