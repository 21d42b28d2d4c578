"""The whole line on digits: train, export, simulate every image, compare the engines."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

import codesign
from codesign.cli import main
from codesign.engine import ENGINES
from codesign.errors import CodesignError
from codesign.models import MODELS
from codesign.train.data import load_digits
from codesign.train.recipe import RECIPES


def command(*arguments):
    """`codesign train` with these arguments."""
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "digits"
    assert command("digits", "--out", out).exit_code == 0
    return out


def test_the_run_leaves_its_results(trained):
    assert sorted(path.name for path in trained.iterdir()) == [
        "checkpoint.pt", "metrics.json", "metrics.jsonl", "model.onnx",
    ]  # fmt: skip
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["model"] == metrics["data"] == "digits"
    assert metrics["test_images"] == 450
    assert metrics["weight_bits"] == 19_824
    assert metrics["program"] == codesign.load(trained / "model.onnx").hash
    assert (trained / "model.onnx").stat().st_size <= 1.5 * 19_824 / 8 + 32_000


def test_three_engines_agree_on_every_image_and_on_95_percent_of_the_labels(trained):
    graph, data = codesign.load(trained / "model.onnx"), load_digits()
    images = np.concatenate([data.x_test, data.x_train]).transpose(0, 3, 1, 2)
    labels = np.concatenate([data.y_test, data.y_train])
    assert len(images) == 1797
    found = {
        engine: codesign.run(graph, {"image": images}, engine=engine, keep=graph.results)
        for engine in ENGINES
    }
    for engine in ENGINES:
        assert set(found[engine]) == set(graph.results)
        for name in graph.results:
            assert np.array_equal(found[engine][name], found["reference"][name]), (engine, name)
    right = found["numba"]["class"] == labels
    assert right[:450].mean() >= 0.95
    metrics = json.loads((trained / "metrics.json").read_text())
    assert int(right[:450].sum()) == metrics["test_correct"]


def test_resuming_a_finished_run_gives_the_same_file(trained):
    before = (trained / "model.onnx").read_bytes()
    result = command("digits", "--out", trained, "--resume")
    assert result.exit_code == 0
    assert result.stderr == "resumed after epoch 24/24\n"
    assert result.stdout.startswith(f"{trained / 'model.onnx'}: ")
    assert result.stdout.endswith(" 19,824 b of weights\n")
    assert (trained / "model.onnx").read_bytes() == before


def expect(arguments, message):
    result = command(*arguments)
    assert result.stderr == f"codesign: error: {message}\n"
    assert result.stdout == ""
    assert result.exit_code == 2


def test_wrong_usage_is_one_line(tmp_path, trained):
    out = tmp_path / "o"
    known = " or ".join(sorted(MODELS))
    expect(["dgits", "--out", out], f"model 'dgits' is unknown; use {known}")
    expect(["digits", "--out", out, "--epochs", 0], "training: epochs is 0; give 1 or more")
    expect(["digits", "--out", out, "--threads", 0], "--threads is 0; give 1 or more")
    expect(
        ["nqe", "--out", out, "--data", tmp_path / "no"],
        f"--data {tmp_path / 'no'}: no such folder; give the folder that holds cifar10/, or is it",
    )
    expect(
        ["digits", "--out", trained],
        f"{trained / 'checkpoint.pt'}: exists; add --resume to go on, or give another --out",
    )
    assert not out.exists()


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    expect(
        ["digits", "--out", tmp_path / "file"],
        f"--out {tmp_path / 'file'}: cannot be made (file exists); "
        "choose a folder that is writable",
    )
    expect(
        ["digits", "--out", "/proc"],
        "/proc/metrics.jsonl: cannot be written (no such file or directory); "
        "choose a folder that exists, is writable and has room",
    )


def test_a_table_for_other_images_is_refused(tmp_path):
    from codesign.models import encoder

    table = encoder.__file__.replace("encoder.py", "nqe.yaml")
    expect(
        ["digits", "--out", tmp_path / "o", "--table", table],
        "nqe_cifar10: takes 3 x 32 x 32 images of 10 classes, digits has 1 x 8 x 8 of 10; "
        "change input and classes of the table",
    )


def test_the_digits_recipe_is_short():
    assert dataclasses.asdict(RECIPES["digits"])["epochs"] <= 30
    with pytest.raises(CodesignError):
        dataclasses.replace(RECIPES["digits"], epochs=0)
