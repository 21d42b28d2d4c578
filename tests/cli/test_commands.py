"""The other commands: bless, verify, diff, inspect, models, hardware, schema, completion."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import jsonschema
import pytest

import codesign as package
from codesign.cli import Commands, main
from codesign.ir import Graph
from codesign.models import MODELS
from codesign.sim import load_model
from codesign.verify import compare as compare_module
from tests.cli.conftest import Command
from tests.verify.test_compare import Faulty


def error(text: str) -> str:
    return f"codesign: error: {text}\n"


def test_every_command_has_help(codesign: Command) -> None:
    assert isinstance(main, Commands)
    listed = codesign("--help").out
    for name in ("automaton", "bless", "completion", "diff", "hardware", "inspect", "models",
                 "rtl", "schema", "simulate", "sweep", "train", "verify"):  # fmt: skip
        assert f"\n  {name} " in listed
        ended = codesign(name, "-h")
        assert ended.code == 0
        assert ended.out.startswith(f"Usage: codesign {name} ")
    assert "..." not in listed.split("Commands:")[1]  # every summary fits its line


def test_version(codesign: Command) -> None:
    assert codesign("--version").out == f"codesign {package.__version__}\n"


def test_unknown_command(codesign: Command) -> None:
    ended = codesign("simulat")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("codesign: error: no such command 'simulat'")
    assert ended.err.count("\n") == 1
    ended = codesign()
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: codesign [OPTIONS] COMMAND [ARGS]..." in ended.err


def test_bless_and_verify(codesign: Command, folder: Path) -> None:
    ended = codesign("bless", "small.onnx", "--input", "cat.png", "--out", "g.npz")
    size = (folder / "g.npz").stat().st_size
    assert ended.out == f"g.npz: 1 input, digests of 12 layers, {size:,} B\n"
    ended = codesign("verify", "small.onnx", "g.npz", "--engine", "reference", "--junit", "x.xml")
    assert (ended.code, ended.out) == (
        0,
        "equal: small by reference and g.npz, 1 input, 12 layers\n",
    )
    assert (folder / "x.xml").read_text().count("<testcase ") == 12


def test_verify_finds_a_changed_model(codesign: Command, folder: Path) -> None:
    codesign("bless", "small.onnx", "--count", 3, "--full", "--out", "g.npz")
    ended = codesign("verify", "other.onnx", "g.npz", "--junit", "x.xml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(
        "codesign: error: results differ: layer norm2 (bit_shift_norm) of random seed 0["
    )
    replay = "codesign verify other.onnx g.npz --engine numba --layer norm2"
    assert ended.err.endswith(
        f"; replay: {replay}; the model is not the one that was blessed\n"
    )  # fmt: skip
    assert (folder / "x.xml").read_text().count("<failure ") == 1
    assert codesign(*shlex.split(replay)[1:]).code == 1
    assert codesign("verify", "other.onnx", "g.npz", "--layer", "conv2").code == 0
    codesign("bless", "small.onnx", "--count", 3, "--out", "h.npz")
    ended = codesign("verify", "other.onnx", "h.npz")
    assert ended.err.endswith(
        ": the digest of its 128 codes differs; the model is not the one that was blessed\n"
    )


def test_bless_needs_inputs(codesign: Command) -> None:
    assert codesign("bless", "small.onnx", "--out", "g.npz").err == error(
        "no inputs to bless; add --input PATH, or --count N for random ones"
    )


def test_diff_of_equals(codesign: Command) -> None:
    ended = codesign("diff", "small.onnx", "--engines", "reference,numba")
    assert (ended.code, ended.out) == (
        0,
        "equal: small by reference and numba, 4 inputs, 12 layers\n",
    )
    ended = codesign("diff", "small.onnx", "small.onnx", "--input", "cat.png", "--json")
    facts = json.loads(ended.out)
    assert (facts["equal"], facts["inputs"], facts["divergence"]) == (True, 1, None)


def test_diff_of_models_and_its_replay(codesign: Command) -> None:
    ended = codesign("diff", "small.onnx", "other.onnx", "--seed", 3, "--json")
    assert ended.code == 1
    found = json.loads(ended.out)["divergence"]
    assert (found["layer"], found["op"]) == ("norm2", "bit_shift_norm")
    assert found["expected"] != found["actual"]
    assert found["replay"] == (
        "codesign diff small.onnx other.onnx --count 4 --seed 3 --layer norm2"
    )
    assert ended.err == error(
        f"results differ: layer norm2 (bit_shift_norm) of {found['input']}: element "
        f"{found['index']} is {found['actual']}, expected {found['expected']}; "
        f"{found['wrong']:,} of 512 codes differ; replay: {found['replay']}"
    )
    again = codesign(*shlex.split(found["replay"])[1:], "--json")
    assert (again.code, json.loads(again.out)["divergence"]) == (1, found)


def test_diff_of_engines_and_its_replay(codesign: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    true = compare_module.create

    def make(name: str, graph: Graph, *, threads: int | None = None) -> object:
        if name == "numba":
            return Faulty(graph, "conv2", (0, 7, 3, 1), 1)
        return true(name, graph, threads=threads)

    monkeypatch.setattr(compare_module, "create", make)
    ended = codesign(
        "diff", "small.onnx", "--engines", "reference,numba", "--input", "cat.png", "--json"
    )
    assert ended.code == 1
    found = json.loads(ended.out)["divergence"]
    assert (found["layer"], found["index"], found["wrong"]) == ("conv2", [7, 3, 1], 1)
    assert found["actual"] == found["expected"] + 1
    assert found["replay"] == (
        "codesign diff small.onnx --engines reference,numba --input cat.png --layer conv2"
    )
    again = codesign(*shlex.split(found["replay"])[1:], "--json")
    assert (again.code, json.loads(again.out)["divergence"]) == (1, found)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("small.onnx",), "give a second model, or --engines A,B: one of them"),
        (
            ("small.onnx", "other.onnx", "--engines", "reference,numba"),
            "give a second model, or --engines A,B: one of them",
        ),
        (
            ("small.onnx", "--engines", "reference"),
            "--engines is reference; give two names, such as reference,numba",
        ),
        (
            ("small.onnx", "--engines", "a,b", "--engine", "numba"),
            "--engine is for two models; leave out --engine or --engines",
        ),
        (
            ("small.onnx", "--engines", "reference,gpu"),
            "engine 'gpu' is not known; choose reference, numba, onnxruntime",
        ),
    ],
)
def test_wrong_diff(arguments: tuple[str, ...], text: str, codesign: Command) -> None:
    ended = codesign("diff", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", error(text))


def test_inspect(codesign: Command, folder: Path) -> None:
    graph = load_model(folder / "small.onnx")
    assert codesign("inspect", "small.onnx").out == str(graph)
    facts = json.loads(codesign("inspect", "small.onnx", "--json").out)
    assert facts["hash"] == graph.hash
    assert [node["name"] for node in facts["nodes"]] == list(graph.results)
    assert facts["nodes"][0] == {
        "name": "conv1",
        "op": "conv",
        "inputs": ["image", "conv1.weight"],
        "attributes": {"groups": 1, "stride": [1, 1], "padding": [1, 1], "pad_code": 0},
        "shape": [8, 8, 8],
        "lo": graph.values["conv1"].type.lo,
        "hi": graph.values["conv1"].type.hi,
        "step": 1,
        "storage_bits": graph.values["conv1"].type.storage_bits,
        "width": graph.values["conv1"].type.width,
    }


def test_models(codesign: Command) -> None:
    facts = json.loads(codesign("models", "--json").out)
    assert [entry["name"] for entry in facts["models"]] == sorted(MODELS)
    text = codesign("models").out
    for name in facts["trained"]:
        assert f"\n  {name}\n" in text


def test_hardware(codesign: Command, folder: Path) -> None:
    names = json.loads(codesign("hardware", "--json").out)["hardware"]
    assert names == ["asic_1mb", "asic_2mb", "asic_3mb", "asic_4mb", "asic_video", "tiny"]
    assert [line.split()[0] for line in codesign("hardware").out.splitlines()] == names
    for name in names:
        text = codesign("hardware", name).out
        (folder / "again.yaml").write_text(text)
        assert codesign("hardware", "again.yaml").out == text
        assert json.loads(codesign("hardware", name, "--json").out)["name"] == name
    (folder / "wrong.yaml").write_text(text.replace("capacity", "capcity", 1))
    ended = codesign("hardware", "wrong.yaml")
    assert ended.code == 2
    assert "capcity is not a key here; did you mean capacity?" in ended.err


@pytest.mark.parametrize("what", ["report", "hardware"])
def test_schema(what: str, codesign: Command) -> None:
    schema = json.loads(codesign("schema", what).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    if what == "report":
        job = ("simulate", "small.onnx", "--hw", "tiny", "--count", 1, "--json")
        jsonschema.validate(json.loads(codesign(*job).out), schema)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, codesign: Command) -> None:
    ended = codesign("completion", shell)
    assert ended.code == 0
    assert f"_CODESIGN_COMPLETE={shell}_complete" in ended.out
