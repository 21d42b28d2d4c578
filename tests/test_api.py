"""The public names of `codesign`: few, lazy and as short as the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import codesign
from codesign.convert import save
from tests.small import small

IMAGES = np.random.RandomState(0).randint(0, 256, (3, 3, 8, 8), np.uint8)


def test_names() -> None:
    assert dir(codesign) == sorted(codesign.__all__)
    for name in codesign.__all__:
        if name != "export":  # needs torch
            assert getattr(codesign, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'codesign' has no attribute 'nothing'$"):
        codesign.nothing  # noqa: B018


def test_import_is_light() -> None:
    code = "import codesign, sys; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "onnx", "pydantic", "click", "rich", "yaml", "torch", "numba", "PIL"}
    assert set(run.stdout.split()) & heavy == set()


def test_functions_stay_functions_when_their_modules_are_imported() -> None:
    import codesign.cli.simulate
    import codesign.engine
    import codesign.verify

    assert callable(codesign.simulate)
    assert callable(codesign.run)
    assert callable(codesign.load)


def test_load_run_simulate(tmp_path: Path) -> None:
    graph = small()
    save(graph, tmp_path / "small.onnx")
    loaded = codesign.load(tmp_path / "small.onnx")
    assert isinstance(loaded, codesign.Graph)
    assert loaded == graph
    values = codesign.run(loaded, IMAGES, keep=["conv1"])
    assert list(values) == ["scores", "class", "conv1"]
    for engine in ("reference", "onnxruntime"):
        other = codesign.run(loaded, {"image": IMAGES}, engine=engine, keep=("conv1",), threads=1)
        assert list(other) == list(values)
        for name, codes in values.items():
            assert np.array_equal(codes, other[name])
            assert codes.dtype == other[name].dtype
    hardware = codesign.Hardware.load("tiny")
    report = codesign.simulate(loaded, hardware, IMAGES)
    assert isinstance(report, codesign.Report)
    assert report == codesign.simulate(tmp_path / "small.onnx", "tiny", {"image": IMAGES})
    assert report.results is not None
    assert [row.scores for row in report.results.inputs] == values["scores"].tolist()


def test_files_as_inputs(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    for inputs in (tmp_path / "x.npy", str(tmp_path / "x.npy"), [tmp_path / "x.npy"]):
        report = codesign.simulate(small(), "tiny", inputs)
        assert report.results is not None
        assert len(report.results.inputs) == 3


def test_several_inputs_need_names() -> None:
    from codesign.ir import GraphBuilder, IntType

    builder = GraphBuilder("two")
    builder.input("a", (2,), IntType(0, 1))
    builder.output(builder.node("y", "sign", [builder.input("b", (2,), IntType(0, 1))]))
    with pytest.raises(codesign.CodesignError) as error:
        codesign.run(builder.build(), np.zeros((1, 2), np.uint8))
    assert str(error.value) == "two has inputs a, b; give a mapping with one array each"


def test_the_documentation_s_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from tests.hw.networks import nqe

    root = Path(__file__).parents[1]
    page = root / "docs" / "python.md"
    if not page.exists():
        pytest.skip("the documentation is not part of this copy")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hw_configs").symlink_to(root / "hw_configs")
    save(nqe(), tmp_path / "model.onnx")
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "cat.png")
    blocks = page.read_text(encoding="utf-8").split("```python\n")[1:]
    assert len(blocks) >= 2
    for block in blocks:
        exec(compile(block.split("```")[0], str(page), "exec"), {})
