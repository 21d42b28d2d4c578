"""The codec learns to keep what a decoder needs; its program is the encoder alone."""

import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import codesign
from codesign import models
from codesign.cli import main
from codesign.train._machine import use_threads
from codesign.train.data import Dataset, load_digits
from codesign.train.goal import GOALS
from codesign.train.loop import Trainer
from codesign.train.recipe import Recipe
from codesign.train.run import LOADERS

TABLE = {
    "name": "patches",
    "input": {"channels": 1, "height": 8, "width": 8},
    "classes": ["a", "b"],
    "rows": [{"channels": 16, "levels": 5, "pool": 2}, {"channels": 32, "pool": 2}],
}
RECIPE = Recipe(epochs=6, batch=50, weight_rate=0.05, rate=0.004, pad=0, flip=False,
                bfloat16=False, probe=1)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    use_threads(1)
    yield
    use_threads(before)


def psnr_of_the_mean(data):
    """What a decoder reaches that is told nothing: the mean training patch."""
    mean = np.floor(data.x_train.astype(np.float64).mean(0) + 0.5)
    return 10 * math.log10(255**2 / float(((data.x_test - mean) ** 2).mean()))


def test_bits_of_digits_are_worth_more_than_their_mean(tmp_path):
    torch.manual_seed(0)
    data, codec = load_digits(), models.create("nqe_codec", table=TABLE)
    goal = GOALS["patches"](codec)
    run = Trainer("nqe_codec", codec, data, RECIPE, tmp_path, goal=goal).run()
    assert codec.bits_per_pixel == 1
    assert run["test_images"] == 450
    assert run["test_psnr"] > psnr_of_the_mean(data) + 2
    # the measure is that of the program's bits
    graph = codesign.export(codec, tmp_path / "model.onnx")
    (bits,) = codesign.run(graph, data.x_test.transpose(0, 3, 1, 2)).values()
    assert set(np.unique(bits)) == {0, 1}
    with torch.no_grad():
        decoded = torch.floor(goal(torch.from_numpy(bits)).clamp(0, 1) * 255 + 0.5).numpy()
    error = float(((decoded.transpose(0, 2, 3, 1) - data.x_test.astype(float)) ** 2).mean())
    assert run["test_psnr"] == round(10 * math.log10(255**2 / error), 4)
    # frozen at random, the encoder keeps less
    torch.manual_seed(0)
    frozen = models.create("nqe_codec", table=TABLE)
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    other = Trainer(
        "nqe_codec", frozen, data, RECIPE, tmp_path / "frozen", goal=GOALS["patches"](frozen)
    ).run()
    assert other["test_psnr"] < run["test_psnr"] - 0.5


def test_the_command_trains_the_full_codec(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    made = random.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(12) % 10
    data = Dataset("made", made[:8], labels[:8], made[8:], labels[8:], tuple("abcdefghij"))
    monkeypatch.setitem(LOADERS, "cifar10", lambda folder, shape: data)
    command = ["train", "nqe_codec", "--out", str(tmp_path / "c"), "--epochs", "1", "--batch", "4"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "c" / "metrics.json").read_text())
    assert "test_accuracy" not in metrics
    assert result.stdout == (
        f"{tmp_path / 'c' / 'model.onnx'}: {metrics['test_psnr']:.2f} dB on 4 test patches, "
        "894,016 b of weights\n"
    )
    assert result.stderr.startswith("epoch 1/1  loss ")
    assert f"  test {metrics['test_psnr']:.2f} dB on 4 patches  " in result.stderr
    graph = codesign.load(tmp_path / "c" / "model.onnx")
    assert graph.values[graph.outputs[0]].shape == (16, 4, 4)
    again = CliRunner().invoke(main, [*command, "--resume"])
    assert (again.exit_code, again.stdout) == (0, result.stdout)
