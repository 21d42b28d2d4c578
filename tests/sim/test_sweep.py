"""Many models on many machines: the same table for any split, and what fails stops nothing."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml

import codesign
from codesign import Hardware
from codesign.convert import save
from codesign.ir import Graph
from codesign.report.sweep import Sweep
from codesign.sim import connect
from codesign.sim import inputs as inputs_module
from codesign.sim import sweep as sweep_module
from codesign.sim.inputs import Inputs, from_random
from codesign.sim.sweep import sweep
from tests.cli.conftest import Command
from tests.sim.test_cluster import scheduler as scheduler
from tests.small import small

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, a third without a class, images, labels, and a machine that is too small."""
    monkeypatch.chdir(tmp_path)
    save(small(), tmp_path / "a.onnx")
    save(small(seed=1, name="b"), tmp_path / "b.onnx")
    save(small(decide=False), tmp_path / "c.onnx")
    facts = Hardware.load("tiny").model_dump(mode="json", by_alias=True, exclude_none=True)
    facts["memories"]["weights"]["capacity"] = "1200 b"
    (tmp_path / "half.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))
    (batch,) = from_random(small(), 3, 40).batches()
    np.savez(tmp_path / "x.npz", **batch.arrays)
    classes = codesign.run(small(), batch.arrays)["class"]
    np.save(tmp_path / "l.npy", classes)
    return tmp_path


@pytest.fixture
def codesign_(folder: Path) -> Command:
    from click.testing import CliRunner

    from codesign.cli import main
    from tests.cli.conftest import Ended

    def run(*arguments: object) -> Ended:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


def given(count: int) -> Callable[[Graph], Inputs]:
    return lambda graph: from_random(graph, 5, count)


PROBLEM = (
    "weights need 1,392 b, tiny builds 1,200 b (192 b over); the largest layer is conv1 with 648 b"
)


def test_each_row_is_what_simulate_says(folder: Path) -> None:
    found = sweep(["a.onnx", "b.onnx"], ["tiny", "half.yaml"], given(20), labels=[0] * 20)
    assert [(row.model, row.hardware, row.state) for row in found.rows] == [
        ("a.onnx", "tiny", "fits"), ("a.onnx", "half.yaml", "over"),
        ("b.onnx", "tiny", "fits"), ("b.onnx", "half.yaml", "over"),
    ]  # fmt: skip
    for row in found.rows:
        (batch,) = from_random(small(), 5, 20).batches()
        report = codesign.simulate(row.model, row.hardware, batch.arrays, labels=[0] * 20)
        costs, computed = row.costs, row.computed
        assert costs is not None
        assert computed is not None
        assert costs.stored_weight_bits == sum(
            report.memory.total.stored_weight_bits.values()
        )  # fmt: skip
        assert costs.peak_activation_bits == report.memory.peak_activation_bits
        assert costs.cycles == report.cycles.total.total
        assert costs.frames_per_second == report.cycles.frames_per_second
        assert costs.not_modelled == report.not_modelled
        energy = report.operations.energy
        assert costs.energy is None if energy is None else sum(e.total.value for e in energy)
        assert report.results is not None
        assert computed.accuracy == report.results.accuracy
        assert row.problem == (report.problems[0] if report.problems else "")
        assert row.exit_code == (3 if report.problems else 0)
    a, same, b, _ = (row.computed for row in found.rows)
    assert a is not None
    assert b is not None
    assert a == same
    assert a.sha256 != b.sha256


def test_inputs_are_computed_once_a_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[str, str]] = []
    true = sweep_module.compute

    def counted(graph: Graph, *rest: Any, **options: Any) -> Any:
        computed.append((graph.name, options["engine"]))
        return true(graph, *rest, **{**options, "engine": "reference"})

    monkeypatch.setattr(sweep_module, "compute", counted)
    machines = ["tiny", "asic_1mb", "half.yaml"]
    sweep(["a.onnx", "b.onnx"], machines, given(2))
    assert computed == [("small", "numba"), ("b", "numba")]
    computed.clear()
    rows = sweep(["a.onnx"], machines, given(2), engine="rtl").rows  # the machine computes
    assert computed == [("small", "rtl")] * 2  # but not the one that is too small
    assert [row.computed is None for row in rows] == [False, False, True]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_any_split_gives_the_same_table(
    folder: Path, scheduler: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = (["a.onnx", "b.onnx", "no.onnx"], ["tiny", "half.yaml"], given(40))
    alone = sweep(*job, labels=[1] * 40)
    split = Inputs.batches
    monkeypatch.setattr(Inputs, "batches", lambda self: split(self, size))
    assert sweep(*job, labels=[1] * 40, threads=1).to_json() == alone.to_json()
    with connect(scheduler.scheduler_address) as cluster:
        found = sweep(*job, labels=[1] * 40, threads=1, cluster=cluster)
    assert found.to_json() == alone.to_json()


def test_a_worker_that_is_killed_loses_nothing(folder: Path, scheduler: Any) -> None:
    job = (["a.onnx", "b.onnx"], ["tiny"], given(30 * inputs_module.BATCH))
    alone = sweep(*job)
    with connect(scheduler.scheduler_address) as cluster:
        processes = list(cluster._client.run(os.getpid).values())
        killed = threading.Event()

        @contextmanager
        def watch(total: int, what: str) -> Iterator[Callable[[int], None]]:
            def heard(done: int) -> None:
                if what == "b" and done >= 4 * inputs_module.BATCH and not killed.is_set():
                    killed.set()
                    os.kill(processes[0], signal.SIGKILL)

            yield heard

        found = sweep(*job, threads=1, cluster=cluster, watch=watch)
    assert killed.is_set()
    assert found == alone


def test_the_command(codesign_: Command, folder: Path) -> None:
    job = ("sweep", "a.onnx", "b.onnx", "--hw", "tiny", "--hw", "half.yaml", "--input", "x.npz",
           "--labels", "l.npy")  # fmt: skip
    ended = codesign_(*job, "--out", "s.csv", "--junit", "j.xml")
    assert ended.code == 3
    assert ended.err == (
        f"codesign: error: over budget: 2 of 4 pairs; the first, a.onnx on half.yaml: {PROBLEM}\n"
    )
    lines = ended.out.splitlines()
    assert lines[0].split() == [
        "model", "hardware", "weights", "activations", "cycles", "frames/s", "accuracy"
    ]  # fmt: skip
    assert lines[1].split()[:5] == ["a.onnx", "tiny", "fits", "1,320", "b"]
    assert lines[1].endswith("  100.0 %")
    assert lines[2].split()[:3] == ["a.onnx", "half.yaml", "over"]
    assert lines[-1] == "4 pairs: 2 fit, 2 over, 40 inputs computed by numba"
    assert max(map(len, lines)) <= 100
    rows = list(csv.DictReader((folder / "s.csv").open(newline="")))
    assert [(row["model"], row["hardware"], row["state"], row["problem"]) for row in rows] == [
        ("a.onnx", "tiny", "fits", ""), ("a.onnx", "half.yaml", "over", PROBLEM),
        ("b.onnx", "tiny", "fits", ""), ("b.onnx", "half.yaml", "over", PROBLEM),
    ]  # fmt: skip
    assert (rows[0]["stored_weight_bits"], rows[0]["correct"], rows[0]["judged"]) == (
        "1320", "40", "40"
    )  # fmt: skip
    assert rows[0]["energy_joules"] == ""
    assert (folder / "j.xml").read_text().count("<failure ") == 2
    facts = codesign_(*job, "--json", "--out", "s.json").out
    assert facts == (folder / "s.json").read_text()
    jsonschema.validate(json.loads(facts), Sweep.json_schema())
    assert json.loads(codesign_("schema", "sweep").out) == Sweep.json_schema()
    assert Sweep.model_validate_json(facts).to_json() == facts
    for more in (["--threads", 1], ["--jobs", 1], ["--jobs", 2]):
        assert codesign_(*job, "--json", *more).out == facts


def test_costs_only(codesign_: Command, folder: Path) -> None:
    ended = codesign_("sweep", "a.onnx", "--hw", "tiny")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].split()[-1] == "frames/s"
    assert ended.out.splitlines()[-1] == "1 pair: 1 fit"


def test_what_fails_stops_nothing(codesign_: Command, folder: Path) -> None:
    (folder / "bad.yaml").write_text("name: bad\n")
    job = ("sweep", "no.onnx", "c.onnx", "a.onnx", "--hw", "tiny", "--hw", "bad.yaml",
           "--input", "x.npz", "--labels", "l.npy")  # fmt: skip
    ended = codesign_(*job, "--json")
    missing = "no.onnx: no such file; give a model that codesign exported"
    assert (ended.code, ended.err) == (
        2,
        f"codesign: error: 5 of 6 pairs failed; the first, no.onnx on tiny: {missing}\n",
    )
    rows = json.loads(ended.out)["rows"]
    assert [row["state"] for row in rows] == ["failed"] * 4 + ["fits", "failed"]
    assert rows[1]["problem"] == missing
    assert rows[2]["problem"] == (
        "labels are given, but small hands out no class; its outputs are scores; "
        "leave the labels out"
    )
    assert rows[2]["costs"]["stored_weight_bits"] == 1320  # what is known is told
    assert rows[3]["problem"].startswith("bad.yaml:")
    assert rows[5]["problem"] == rows[3]["problem"]
    assert rows[4]["computed"]["accuracy"] == {"correct": 40, "total": 40}
    text = codesign_(*job).out
    assert text.splitlines()[-1] == "6 pairs: 1 fit, 5 failed, 40 inputs computed by numba"
    assert f"  no.onnx on bad.yaml: {missing}" in text.splitlines()


def test_the_exit_code_is_the_first_failure_s(codesign_: Command, folder: Path) -> None:
    from onnx import TensorProto, helper

    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:])
    (folder / "relu.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    assert codesign_("sweep", "a.onnx", "relu.onnx", "no.onnx", "--hw", "half.yaml").code == 4
    assert codesign_("sweep", "no.onnx", "relu.onnx", "--hw", "tiny").code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "s.txt"], "--out is s.txt; give a name that ends in .csv or .json"),
        (["--labels", "l.npy"], "--labels has no inputs to judge; add --input"),
        (["--jobs", "2"], "--jobs has no inputs to share; add --input"),
        (["--cluster", "tcp://a:1"], "--cluster has no inputs to share; add --input"),
        (["--count", "1", "--jobs", "0"], "jobs is 0; give 1 or more"),
        (
            ["--engine", "gpu"],
            "engine 'gpu' is not known; choose reference, numba, onnxruntime, rtl",
        ),
        (
            ["--out", "no/s.csv"],
            "no/s.csv: cannot be written (no such file or directory); choose a folder that exists, "
            "is writable and has room",
        ),
    ],
)
def test_messages(options: list[str], message: str, codesign_: Command) -> None:
    ended = codesign_("sweep", "a.onnx", "--hw", "tiny", *options)
    assert (ended.code, ended.out, ended.err) == (2, "", f"codesign: error: {message}\n")
    ended = codesign_("sweep", "--hw", "tiny")
    assert ended.err == (
        "codesign: error: missing argument 'MODEL...'; see 'codesign sweep --help'\n"
    )
