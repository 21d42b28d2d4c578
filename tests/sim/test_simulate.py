"""`simulate`: the report adds up, decodes what the engines compute, and judges by labels."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import codesign
from codesign.errors import CodesignError
from codesign.hw import Hardware, plan
from codesign.ir import GraphBuilder, IntType
from codesign.report.model import Accuracy
from codesign.sim.inputs import from_random
from codesign.sim.labels import read_labels
from tests.small import CLASSES, small

GRAPH = small()
(BATCH,) = from_random(GRAPH, 0, 40).batches()
IMAGES = BATCH.arrays["image"]


def test_costs_only() -> None:
    report = codesign.simulate(GRAPH, "tiny")
    assert report.results is None
    assert report.fits
    costs = plan(GRAPH, Hardware.load("tiny"))
    assert [layer.name for layer in report.model.layers] == [layer.name for layer in costs.layers]
    assert report.model.hash == GRAPH.hash
    assert report.memory.total.stored_weight_bits == {2: 8 * 4 * 9 * 2, 3: (8 * 3 * 9 + 32) * 3}


def test_layers_add_up_to_the_total() -> None:
    report = codesign.simulate(GRAPH, "tiny")
    memory, cycles, operations = report.memory, report.cycles, report.operations
    for bits, total in memory.total.stored_weight_bits.items():
        assert sum(row.stored_weight_bits.get(bits, 0) for row in memory.layers) == total
    assert sum(row.parameter_bits for row in memory.layers) == memory.total.parameter_bits
    for cause, total in cycles.total.causes.items():
        assert sum(row.causes[cause] for row in cycles.layers) == total
    assert sum(cycles.total.causes.values()) == cycles.total.total
    assert sum(row.macs for row in cycles.layers) == cycles.total.macs
    counts: dict[tuple[str, int, int], int] = {}
    for row in operations.layers:
        for item in row.counts:
            key = (item.kind, item.bits, item.by)
            counts[key] = counts.get(key, 0) + item.count
    assert counts == {(i.kind, i.bits, i.by): i.count for i in operations.total.counts}
    assert cycles.frames_per_second.value * cycles.seconds.value == 1
    assert cycles.seconds.value * report.hardware.clock.value == cycles.total.total


def test_what_the_host_multiplies_uses_no_lane() -> None:
    b = GraphBuilder("host")
    x = b.input("x", (4, 3, 8, 8), IntType(0, 3))
    w = b.constant("w", np.ones((4, 4, 3, 3, 3), np.int8), IntType(-1, 1))
    b.node("clip", "conv", [x, w], stride=(1, 1, 1), padding=(0, 0, 0))
    b.node("flat", "reshape", ["clip"], shape=(4, 6, 6))
    v = b.constant("v", np.ones((4, 4, 1, 1), np.int8), IntType(-1, 1))
    b.node("codes", "clip", ["flat"], lo=0, hi=3)
    b.output(b.node("image", "conv", ["codes", v]))
    cycles = codesign.simulate(b.build(), "tiny").cycles
    units = {row.layer: row.macs for row in cycles.layers if row.macs}
    assert units == {"clip": 36 * 4 * 4 * 27, "image": 36 * 4 * 4}
    assert cycles.total.macs == sum(units.values())
    assert cycles.total.utilization is not None
    assert cycles.total.utilization.value == Fraction(units["image"], 16 * cycles.total.total)


@pytest.mark.parametrize("engine", ["reference", "numba", "onnxruntime"])
def test_results_are_the_engine_s(engine: str) -> None:
    values = codesign.run(GRAPH, IMAGES, "reference")
    report = codesign.simulate(GRAPH, "tiny", {"image": IMAGES}, engine=engine, top=2)
    assert report.results is not None
    assert report.results.engine == engine
    for row, scores, index in zip(
        report.results.inputs, values["scores"].tolist(), values["class"].tolist(), strict=True
    ):
        assert row.scores == scores
        assert row.winner is not None
        assert (row.winner.index, row.winner.name) == (index, CLASSES[index])
        assert row.winner.score == max(scores)
        assert row.top[0] == row.winner
        assert [item.score for item in row.top] == sorted(scores, reverse=True)[:2]
        assert row.outputs == {}


def test_accuracy_is_exact() -> None:
    classes = codesign.run(GRAPH, IMAGES)["class"].astype(np.int64)
    labels = classes.copy()
    labels[:7] = (labels[:7] + 1) % len(CLASSES)
    report = codesign.simulate(GRAPH, "tiny", IMAGES, labels=labels)
    assert report.results is not None
    assert report.results.accuracy == Accuracy(correct=33, total=40)
    first = report.results.inputs[0]
    assert first.label is not None
    assert first.winner is not None
    assert first.label.index == (first.winner.index + 1) % len(CLASSES)
    assert "accuracy 33 / 40 (82.50 %)" in str(report)


def test_no_input_at_all_is_no_accuracy() -> None:
    report = codesign.simulate(GRAPH, "tiny", IMAGES[:0], labels=[])
    assert report.results is not None
    assert report.results.accuracy == Accuracy(correct=0, total=0)
    assert re.search(r"0 inputs, computed by numba \([\w, ]+\); accuracy 0 / 0", str(report))


def test_outputs_without_a_class() -> None:
    graph = small(decide=False)
    report = codesign.simulate(graph, "tiny", IMAGES[:2])
    assert report.results is not None
    for row, scores in zip(
        report.results.inputs, codesign.run(graph, IMAGES[:2])["scores"].tolist(), strict=True
    ):
        assert (row.winner, row.scores, row.top) == (None, None, [])
        assert row.outputs["scores"].codes == scores
    with pytest.raises(CodesignError) as error:
        codesign.simulate(graph, "tiny", IMAGES[:2], labels=[0, 1])
    assert str(error.value) == (
        "labels are given, but small hands out no class; its outputs are scores; "
        "leave the labels out"
    )


def test_same_run_same_bytes() -> None:
    first = codesign.simulate(GRAPH, "tiny", IMAGES, threads=1).to_json()
    assert codesign.simulate(GRAPH, "tiny", IMAGES, threads=2).to_json() == first
    assert codesign.Report.from_json(first).to_json() == first


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([0] * 39, "labels: has 39 labels for 40 inputs; give one each"),
        ([0] * 39 + [4], "labels: label 39 is 4; classes are 0 to 3"),
        ([-1] * 40, "labels: label 0 is -1; classes are 0 to 3"),
        ([0.0] * 40, "labels: labels are float64 of shape (40,); give integers, one an input"),
    ],
)
def test_refused_labels(labels: list[int], text: str) -> None:
    with pytest.raises(CodesignError) as error:
        codesign.simulate(GRAPH, "tiny", IMAGES, labels=labels)
    assert str(error.value) == text


def test_refused_options() -> None:
    with pytest.raises(
        CodesignError, match=r"^labels are given without inputs; give the inputs too$"
    ):
        codesign.simulate(GRAPH, "tiny", labels=[1])
    with pytest.raises(CodesignError, match=r"^top is 0; give 1 or more$"):
        codesign.simulate(GRAPH, "tiny", IMAGES, top=0)
    with pytest.raises(CodesignError, match=r"^engine 'gpu' is not known; choose reference, "):
        codesign.simulate(GRAPH, "tiny", IMAGES, engine="gpu")


def test_labels_from_files(tmp_path: Path) -> None:
    text, array, archive = (tmp_path / name for name in ("l.txt", "l.npy", "l.npz"))
    text.write_text("cat\n 3 \nfrog\n")
    np.save(array, np.array([0, 3, 2]))
    np.savez(archive, images=np.zeros(9), labels=np.array([0, 3, 2], np.uint8))
    for path in (text, array, archive):
        assert read_labels(path, CLASSES, path.name) == [0, 3, 2]
    text.write_text("1\n0\n2\n")
    assert read_labels(text, ("1", "0", "x"), "l.txt") == [0, 1, 2]  # names before indices


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            b"cat\ncow\n",
            "l.txt:2: 'cow' is not a class; give cat, dog, frog, horse, or an index 0 to 3",
        ),
        (b"4\n", "l.txt:1: '4' is not a class; give cat, dog, frog, horse, or an index 0 to 3"),
        (b"\n", "l.txt:1: '' is not a class; give cat, dog, frog, horse, or an index 0 to 3"),
        (b"\xff\xfe", "l.txt: is not text; give a class name or index a line, an .npz or an .npy"),
        (None, "l.txt: no such file; check the path"),
    ],
)
def test_refused_label_files(content: bytes | None, text: str, tmp_path: Path) -> None:
    path = tmp_path / "l.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CodesignError) as error:
        read_labels(path, CLASSES, "l.txt")
    assert str(error.value) == text


def test_refused_label_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "l.npz", a=np.zeros(2), b=np.zeros(2))
    with pytest.raises(
        CodesignError, match=r"^l.npz: holds a, b; name the array of classes labels$"
    ):
        read_labels(tmp_path / "l.npz", CLASSES, "l.npz")
