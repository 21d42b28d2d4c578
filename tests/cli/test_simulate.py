"""`codesign simulate`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

from codesign import Hardware, Report, load, run
from codesign.sim.inputs import from_random
from tests.cli.conftest import Command


def halved(folder: Path) -> Path:
    """tiny with memories that are too small, and a budget that is too strict."""
    facts = Hardware.load("tiny").model_dump(mode="json", by_alias=True, exclude_none=True)
    facts["memories"]["weights"]["capacity"] = "1200 b"
    facts["budget"]["latency"] = "10 us"
    (folder / "half.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))
    return folder / "half.yaml"


def error(text: str) -> str:
    return f"codesign: error: {text}\n"


def test_costs_only(codesign: Command) -> None:
    ended = codesign("simulate", "small.onnx", "--hw", "tiny")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("small on tiny @ 50 MHz")
    assert ended.out.endswith("not modelled: nothing\n")


def test_the_main_job(codesign: Command) -> None:
    ended = codesign("simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png")
    assert (ended.code, ended.err) == (0, "")
    row, summary = ended.out.splitlines()[-2:]
    assert row.startswith("cat.png")
    assert row.endswith("31x20, centre 20x20")
    assert re.fullmatch(r"1 input, computed by numba \([\w, ]+\)", summary)


def test_json_report_and_junit(codesign: Command, folder: Path) -> None:
    job = ("simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--input", "eight.png")
    ended = codesign(*job, "--json", "--report", "r.json", "--junit", "x.xml")
    assert ended.code == 0
    assert ended.out == (folder / "r.json").read_text()
    facts = json.loads(ended.out)
    jsonschema.validate(facts, Report.json_schema())
    names = [row["input"] for row in facts["results"]["inputs"]]
    assert names == ["cat.png", "eight.png"]
    assert b'<testcase classname="budget" name="latency" />' in (folder / "x.xml").read_bytes()
    for options in (("--threads", "1"), ("--threads", "2")):
        assert codesign(*job, "--json", *options).out == ended.out


@pytest.mark.parametrize("engine", ["reference", "numba", "onnxruntime"])
def test_random_inputs_and_engines(engine: str, codesign: Command, folder: Path) -> None:
    job = ("simulate", "small.onnx", "--hw", "tiny", "--count", 3, "--seed", 9, "--json")
    facts = json.loads(codesign(*job, "--engine", engine).out)
    graph = load(folder / "small.onnx")
    (batch,) = from_random(graph, 9, 3).batches()
    wanted = run(graph, batch.arrays, engine="reference")["scores"].tolist()
    assert [row["scores"] for row in facts["results"]["inputs"]] == wanted


def test_labels_limit_and_top(codesign: Command, folder: Path) -> None:
    graph = load(folder / "small.onnx")
    images = np.random.RandomState(0).randint(0, 256, (6, 3, 8, 8), np.uint8)
    np.savez(folder / "x.npz", image=images)
    classes = run(graph, images)["class"].tolist()
    names = graph.metadata["classes"]
    (folder / "l.txt").write_text("".join(f"{names[c]}\n" for c in classes[:3]) + "3\n")
    job = ("simulate", "small.onnx", "--hw", "tiny", "--input", "x.npz", "--labels", "l.txt")
    ended = codesign(*job, "--limit", 4, "--top", 1)
    correct = 3 + (classes[3] == 3)
    assert re.search(rf"4 inputs, computed by numba \([\w, ]+\); accuracy {correct} / 4", ended.out)
    facts = json.loads(codesign(*job, "--limit", 4, "--top", 1, "--json").out)
    assert facts["results"]["accuracy"] == {"correct": correct, "total": 4}
    assert {len(row["top"]) for row in facts["results"]["inputs"]} == {1}
    assert codesign(*job).err == error("l.txt: has 4 labels for 6 inputs; give one each")


def test_over_budget_has_its_whole_report(codesign: Command, folder: Path) -> None:
    job = ("simulate", "small.onnx", "--hw", halved(folder), "--input", "cat.png")
    ended = codesign(*job, "--report", "r.json", "--junit", "x.xml")
    assert ended.code == 3
    assert re.fullmatch(r"1 input, computed by numba \([\w, ]+\)", ended.out.splitlines()[-1])
    report = Report.from_json((folder / "r.json").read_text())
    assert len(report.problems) >= 2
    more = len(report.problems) - 1
    assert ended.err == error(f"over budget: {report.problems[0]} (and {more} more)")
    assert report.problems[0].startswith("weights need 1,392 b, tiny builds 1,200 b (192 b over)")
    failures = (folder / "x.xml").read_text().count("<failure ")
    assert failures == len(report.problems)
    assert codesign(*job, "--json").code == 3


def test_strict(codesign: Command, folder: Path) -> None:
    text = halved(folder).read_text()
    (folder / "host.yaml").write_text(text.replace("argmax: true", "argmax: false"))
    (folder / "host.yaml").write_text(
        (folder / "host.yaml").read_text().replace("1200 b", "48 kb").replace("10 us", "5 ms")
    )
    ended = codesign("simulate", "small.onnx", "--hw", "host.yaml", "--strict")
    assert ended.code == 4
    assert ended.out.startswith("small on tiny")
    assert "class" in ended.err
    assert ended.err.startswith("codesign: error: not modelled: ")
    assert ended.err.endswith("; leave out --strict to accept it\n")
    assert codesign("simulate", "small.onnx", "--hw", "host.yaml").code == 0
    assert codesign("simulate", "small.onnx", "--hw", "tiny", "--strict").code == 0


WRONG = {
    ("no.onnx", "--hw", "tiny"): (
        "no.onnx: no such file; give a model that codesign exported"
    ),
    ("cat.png", "--hw", "tiny"): (
        "cat.png: is not an ONNX file, or is cut short; give a whole file that codesign exported"
    ),
    ("small.onnx",): "missing option '--hw'; see 'codesign simulate --help'",
    ("small.onnx", "--hw", "tiny", "--input", "no.png"): (
        "no.png: no such file or folder; check the path"
    ),
    ("small.onnx", "--hw", "tiny", "--input", "cat.png", "--fit", "exact"): (
        "cat.png: the image is 31x20, small takes exactly 8x8; scale it, or use --fit crop"
    ),
    ("small.onnx", "--hw", "tiny", "--input", "notes.txt"): (
        "notes.txt: is not an image that can be read; give a PNG, JPEG or WebP file, an .npz or "
        "an .npy"
    ),
    ("small.onnx", "--hw", "tiny", "--input", "cat.png", "--seed", "1"): (
        "--seed is for random inputs; leave out --seed or --input"
    ),
    ("small.onnx", "--hw", "tiny", "--input", "cat.png", "--count", "1"): (
        "--count is for random inputs; leave out --count or --input"
    ),
    ("small.onnx", "--hw", "tiny", "--seed", "1"): "--seed is for random inputs; add --count N",
    ("small.onnx", "--hw", "tiny", "--limit", "1"): (
        "--limit is for the inputs of --input; add --input or use --count"
    ),
    ("small.onnx", "--hw", "tiny", "--labels", "l.txt"): (
        "--labels has no inputs to judge; add --input"
    ),
    ("small.onnx", "--hw", "tiny", "--count", "2", "--engine", "gpu"): (
        "engine 'gpu' is not known; choose reference, numba, onnxruntime, rtl"
    ),
    ("small.onnx", "--hw", "tiny", "--count", "2", "--threads", "0"): (
        "threads is 0; give 1 or more"
    ),
    ("small.onnx", "--hw", "tiny", "--threads", "two"): (
        "invalid value for '--threads': 'two' is not a valid integer; "
        "see 'codesign simulate --help'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage(arguments: tuple[str, ...], codesign: Command, folder: Path) -> None:
    (folder / "notes.txt").write_text("none\n")
    ended = codesign("simulate", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", error(WRONG[arguments]))


@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_a_missing_folder_is_found_first(option: str, codesign: Command) -> None:
    ended = codesign("simulate", "no.onnx", "--hw", "tiny", option, "no/r.json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == error(
        "no/r.json: cannot be written (no such file or directory); choose a folder that exists, "
        "is writable and has room"
    )


def test_a_read_only_folder_is_found_first(codesign: Command, folder: Path) -> None:
    locked = Path("locked")
    (folder / locked).mkdir(mode=0o500)
    if os.access(folder / locked, os.W_OK):
        locked = Path("/sys")  # to root every folder is open, but not one of the kernel's
        if not locked.is_dir():
            pytest.skip("root may write everywhere on this system")
    ended = codesign("simulate", "no.onnx", "--hw", "tiny", "--report", str(locked / "r.json"))
    assert ended.code == 2
    assert ended.err == error(
        f"{locked}/r.json: cannot be written (permission denied); choose a folder that exists, "
        "is writable and has room"
    )


def test_a_folder_in_the_place_of_the_file(codesign: Command, folder: Path) -> None:
    (folder / "r.json").mkdir()
    ended = codesign("simulate", "no.onnx", "--hw", "tiny", "--report", "r.json")
    assert ended.err == error(
        "r.json: cannot be written (is a directory); choose a folder that exists, "
        "is writable and has room"
    )


def test_a_full_folder_keeps_the_old_file(
    codesign: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "r.json").write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    ended = codesign("simulate", "small.onnx", "--hw", "tiny", "--report", "r.json")
    assert ended.code == 2
    assert ended.err == error(
        "r.json: cannot be written (no space left on device); choose a folder that exists, "
        "is writable and has room"
    )
    assert (folder / "r.json").read_text() == "old"
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == []


def test_models_and_machines_that_cannot_be_read(codesign: Command, folder: Path) -> None:
    """The exit codes of the readers' errors reach the shell, one line each."""
    from onnx import TensorProto, helper

    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:])
    (folder / "relu.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    (folder / "empty.onnx").write_bytes(b"")
    (folder / "cut.onnx").write_bytes((folder / "small.onnx").read_bytes()[:1000])
    for model, code in {"no": 2, "empty": 2, "cut": 2, "relu": 4}.items():
        ended = codesign("simulate", f"{model}.onnx", "--hw", "tiny")
        assert (ended.code, ended.out) == (code, "")
        assert ended.err.startswith(f"codesign: error: {model}.onnx: ")
        assert ended.err.count("\n") == 1
    text = Hardware.load("tiny").model_dump(mode="json", by_alias=True, exclude_none=True)
    wrong = {
        "key": text | {"lane": 4},
        "unit": text | {"clock": 50},
        "size": text | {"weight_word": "-12 b"},
        "budget": text | {"budget": {"area": "1 b"}},
    }
    for name, facts in wrong.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(facts, sort_keys=False))
        ended = codesign("simulate", "small.onnx", "--hw", f"{name}.yaml")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"codesign: error: {name}.yaml:")
        assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--engine", "gpu", "engine 'gpu' is not known; choose reference, numba, onnxruntime, rtl"),
        ("--threads", "0", "threads is 0; give 1 or more"),
    ],
)
def test_engine_options_are_checked_even_for_costs(
    option: str, value: str, message: str, codesign: Command
) -> None:
    ended = codesign("simulate", "small.onnx", "--hw", "tiny", option, value)
    assert (ended.code, ended.out, ended.err) == (2, "", error(message))
