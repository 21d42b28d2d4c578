"""Many inputs on many workers: the same results for any split, and when a worker dies."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import codesign
from codesign.cli import main
from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.sim import compute, connect
from codesign.sim import inputs as inputs_module
from codesign.sim.inputs import Inputs, from_random
from tests.small import small

GRAPH = small()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """A cluster of two processes on this machine, as somebody else has started it."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=60
    ) as cluster:
        yield cluster


@pytest.mark.parametrize("size", [1, 7, 40, 64])
def test_any_split_gives_the_same_results(
    scheduler: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = from_random(GRAPH, 3, 40)
    alone = compute(GRAPH, given, threads=1)
    split = Inputs.batches
    monkeypatch.setattr(Inputs, "batches", lambda self: split(self, size))
    with connect(scheduler.scheduler_address) as cluster:
        for engine in ("numba", "reference"):
            found = compute(GRAPH, given, threads=1, engine=engine, cluster=cluster)
            assert found.inputs == alone.inputs


def test_a_worker_that_is_killed_loses_nothing(scheduler: Any) -> None:
    given = from_random(GRAPH, 5, 60 * inputs_module.BATCH)
    alone = compute(GRAPH, given)
    with connect(scheduler.scheduler_address) as cluster:
        processes = cluster._client.run(os.getpid)
        assert len(processes) == 2
        killed = threading.Event()

        def kill(done: int) -> None:
            if done >= 4 * inputs_module.BATCH and not killed.is_set():
                killed.set()
                os.kill(next(iter(processes.values())), signal.SIGKILL)

        found = compute(GRAPH, given, threads=1, cluster=cluster, progress=kill)
        assert killed.is_set()
        assert found.inputs == alone.inputs
        end = time.monotonic() + 60  # its nanny makes another one
        while len(cluster._client.nthreads()) < 2 and time.monotonic() < end:
            time.sleep(0.1)


def test_batches_under_way_are_few(scheduler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: a batch is read only when one of those before it has been handed out."""
    given, read, done = from_random(GRAPH, 0, 200), [], []
    split = Inputs.batches

    def counted(self: Inputs) -> Iterator[Any]:
        for batch in split(self, 5):
            read.append(batch)
            assert len(read) - len(done) // 5 <= 5
            yield batch

    monkeypatch.setattr(Inputs, "batches", counted)
    with connect(scheduler.scheduler_address) as cluster:
        compute(GRAPH, given, cluster=cluster, progress=lambda count: done.extend([0] * 5))
    assert len(read) == 40


def test_the_command_shares_its_inputs(tmp_path: Path, scheduler: Any) -> None:
    model, images = tmp_path / "m.onnx", tmp_path / "i.npz"
    codesign.convert.save(GRAPH, model)
    (batch,) = from_random(GRAPH, 0, 40).batches()
    np.savez(images, **batch.arrays)
    command = ["simulate", str(model), "--hw", "tiny", "--input", str(images), "--json"]
    alone = CliRunner().invoke(main, command)
    assert alone.exit_code == 0
    for more in (["--jobs", "1"], ["--cluster", scheduler.scheduler_address]):
        shared = CliRunner().invoke(main, [*command, *more])
        assert shared.exit_code == 0, shared.output
        found, wanted = json.loads(shared.stdout), json.loads(alone.stdout)
        assert found["results"].pop("level") == ""  # each worker has its own
        assert wanted["results"].pop("level") != ""
        assert found == wanted


def test_no_answer_no_worker_no_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("codesign.sim.cluster.PATIENCE", 1)
    with pytest.raises(CodesignError) as error, connect("tcp://127.0.0.1:9"):
        pass
    assert str(error.value) == (
        "cluster tcp://127.0.0.1:9: no scheduler answers within 1 s; "
        "start one (dask scheduler), or leave the cluster out"
    )
    with pytest.raises(CodesignError) as error, connect("nonsense://x"):
        pass
    assert str(error.value).startswith("cluster nonsense://x: no scheduler answers within 1 s; ")
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=60) as empty:
        place = empty.scheduler_address
        with pytest.raises(CodesignError) as error, connect(place):
            pass
    assert str(error.value) == f"cluster {place}: has no worker; start one (dask worker {place})"
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CodesignError) as error, connect(None, 2):
        pass
    assert str(error.value) == (
        "a cluster needs dask, which is not installed; pip install 'codesign[cluster]'"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", "2"], "--jobs has no inputs to share; add --input"),
        (["--cluster", "tcp://a:1"], "--cluster has no inputs to share; add --input"),
        (["--count", "1", "--jobs", "0"], "jobs is 0; give 1 or more"),
        (
            ["--count", "1", "--jobs", "1", "--cluster", "tcp://a:1"],
            "--jobs makes processes here, --cluster has its own; leave out one",
        ),
    ],
)
def test_messages_of_the_command(options: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["simulate", "nqe_cifar10", "--hw", "asic_1mb", *options])
    assert (result.exit_code, result.stderr) == (2, f"codesign: error: {message}\n")


def test_a_machine_travels_to_the_workers() -> None:
    """The engine of the Verilog gets its machine: one that does not exist is refused there."""
    import pickle

    machine = Hardware.load("tiny")
    assert repr(pickle.loads(pickle.dumps(machine))) == repr(machine)
