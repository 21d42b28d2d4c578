"""The network that ships with the package: its size, its bits, its accuracy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import codesign
from codesign.cli import main
from codesign.ir import check

MODEL = Path(codesign.__file__).parent / "models" / "zoo" / "nqe_cifar10.onnx"


@pytest.fixture(scope="module")
def graph() -> codesign.Graph:
    return codesign.load(MODEL)


def stored_bits(graph: codesign.Graph) -> int:
    return sum(
        graph.values[node.inputs[1]].size * graph.values[node.inputs[1]].type.storage_bits
        for node in graph.nodes
        if node.op in ("conv", "linear")
    )


def test_size(graph: codesign.Graph) -> None:
    check(graph)
    assert stored_bits(graph) == 897_600
    assert 8 * MODEL.stat().st_size <= 1.5 * stored_bits(graph) + 8 * 32_000


def test_engines_agree_on_every_value(graph: codesign.Graph) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    images[0], images[1] = 0, 255  # the ends of the input's interval
    wanted = codesign.run(graph, images, engine="reference", keep=graph.results)
    assert set(wanted) == set(graph.results)
    for engine in ("numba", "onnxruntime"):
        found = codesign.run(graph, images, engine=engine, keep=graph.results)
        for name, codes in wanted.items():
            assert np.array_equal(found[name], codes), f"{engine}: {name}"
            assert found[name].dtype == codes.dtype


def test_halved_memories_are_over_budget(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[1] / "hw_configs" / "asic_1mb.yaml"
    text = shipped.read_text(encoding="utf-8")
    for whole, half in (
        ("1 Mb}", "500 kb}"), ("32 kb}", "16 kb}"), ("8 kb}", "4 kb}"), ("256 Kib", "128 Kib"),
    ):  # fmt: skip
        assert text.count(f"capacity: {whole}") == 1
        text = text.replace(f"capacity: {whole}", f"capacity: {half}")
    (tmp_path / "half.yaml").write_text(text, encoding="utf-8")
    run = CliRunner().invoke(main, ["simulate", str(MODEL), "--hw", str(tmp_path / "half.yaml")])
    assert run.exit_code == 3
    assert "not modelled: nothing" in run.stdout  # the whole report, to its last line
    assert run.stderr == (
        "codesign: error: over budget: weights need 928,512 b, asic_1mb builds 499,968 b "
        "(428,544 b over); the largest layer is conv6 with 304,128 b (and 3 more)\n"
    )


@pytest.mark.cifar
def test_accuracy_on_all_test_images(tmp_path: Path) -> None:
    """At least 80 % of the 10,000 test images, counted by the simulator."""
    folder = os.environ.get("CODESIGN_DATA")
    if not folder:
        pytest.skip("needs CIFAR-10: set CODESIGN_DATA to the folder that holds it")
    pytest.importorskip("torch", reason="the data reader is part of training")
    from codesign.train.cifar import load_cifar10

    data = load_cifar10(folder)
    np.save(tmp_path / "images.npy", np.moveaxis(data.x_test, -1, 1))
    np.save(tmp_path / "labels.npy", data.y_test)
    arguments = ["--input", "images.npy", "--labels", "labels.npy", "--report", "r.json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        run = CliRunner().invoke(main, ["simulate", str(MODEL), "--hw", "asic_1mb", *arguments])
    assert run.exit_code == 0, run.stderr
    accuracy = json.loads((tmp_path / "r.json").read_text())["results"]["accuracy"]
    assert accuracy["total"] == 10_000
    assert accuracy["correct"] >= 8_000
