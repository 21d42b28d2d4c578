"""What the binary blocks learn on 8 x 8 digits: floors, and what each part is worth."""

import dataclasses
import json
import statistics

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import codesign
from codesign import models
from codesign.cli import main
from codesign.convert.mixture import score_program
from codesign.convert.torch import lower
from codesign.engine import create
from codesign.models.binary import CIFAR10, BinaryNetwork, BinaryOptions, memory_table
from codesign.quant import fit_mixture, score_constants
from codesign.train._machine import use_threads
from codesign.train.data import Dataset, load_digits
from codesign.train.loop import Trainer
from codesign.train.recipe import Recipe
from codesign.train.run import LOADERS

RECIPE = Recipe(
    epochs=12, batch=50, weight_rate=0.03, pad=1, flip=False, bfloat16=False, smoothing=0.0,
    probe=1,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    use_threads(1)
    yield
    use_threads(before)


def learned(folder, seed, levels, recipe=RECIPE):
    """A trained network of one block and its test accuracy in the recipe's last epoch."""
    torch.manual_seed(seed)
    options = BinaryOptions(
        "digits", classes=tuple("0123456789"), rows=10, latent=64, input=(1, 8, 8),
        thermometer=(levels,), colours="as given", blocks=((32, 1),), hidden=32,
    )  # fmt: skip
    network = BinaryNetwork(options)
    data = load_digits()
    run = Trainer("digits", network, data, recipe, folder / f"{seed}.{levels}").run()
    return network, run["test_accuracy"]


def test_a_thermometer_beats_one_threshold(tmp_path):
    """On shifted digits: measured .78, .72, .78 with eight levels, .59, .58, .56 with one."""
    accuracy = {levels: [learned(tmp_path, seed, levels)[1] for seed in range(3)]
                for levels in (8, 1)}  # fmt: skip
    assert min(accuracy[8]) >= 0.65
    assert min(accuracy[8]) > max(accuracy[1])
    assert statistics.mean(accuracy[8]) > statistics.mean(accuracy[1]) + 0.1


def test_what_was_learned_is_in_the_program(tmp_path):
    network, accuracy = learned(tmp_path, 5, 8, dataclasses.replace(RECIPE, pad=0))
    assert accuracy >= 0.85
    graph, data = lower(network.eval()), load_digits()
    images = data.x_test.transpose(0, 3, 1, 2)
    found = create("numba", graph, threads=1).run({"image": images})
    assert (found["class"] == data.y_test).mean() == pytest.approx(accuracy, abs=1e-6)
    stored = [value for key, value in graph.constants.items() if key.endswith(".weight")]
    assert {value.type.storage_bits for value in stored} == {1}


def test_three_prototypes_beat_one_without_any_training():
    """A thermometer of three levels, 192 bits: the classes by integer mixture scores."""
    data = load_digits()

    def bits(images):
        return np.stack([images > level for level in (63, 127, 191)], -1).reshape(len(images), -1)

    vectors, right = bits(data.x_train), {}
    for components in (1, 3):
        codes = [
            fit_mixture(vectors[data.y_train == label], components, seed=label).quantize()
            for label in range(10)
        ]
        names = [str(label) for label in range(10)]
        graph = score_program("digits", *score_constants(codes), classes=names)
        batch = {"latent": bits(data.x_test).astype(np.uint8)}
        found = create("numba", graph, threads=1).run(batch)
        right[components] = (found["class"] == data.y_test).mean()
        assert sum(code.memory_bits for code in codes) == 10 * components * (192 * 8 + 8)
    assert right[1] > 0.88
    assert right[3] > right[1] + 0.02


@pytest.mark.parametrize("name", ["fbnn", "fbnn_4mb"])
def test_the_command_goes_from_images_to_the_program(name, tmp_path, monkeypatch):
    """Two steps of the whole network: the recipe, its topology's scale, checkpoint, export."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (30, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(30) % 10
    data = Dataset("few", images[:20], labels[:20], images[20:], labels[20:], CIFAR10)
    monkeypatch.setitem(LOADERS, "cifar10", lambda *arguments: data)
    arguments = ["train", name, "--out", str(tmp_path), "--epochs", "1", "--batch", "10"]
    run = CliRunner().invoke(main, [*arguments, "--threads", "1"])
    assert run.exit_code == 0, run.stderr
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    rows = models.create(name).classifier.rows
    whole = sum(memory_table(models.create(name)).values())
    # the ten rows in use of those allocated
    assert metrics["weight_bits"] == whole - (rows.cout - 10) * rows.cin
    # the topology's scale makes small logits: the loss begins at that of chance
    assert metrics["loss"] == pytest.approx(np.log(10), abs=0.1)
    graph = codesign.load(tmp_path / "model.onnx")
    assert graph.hash == metrics["program"]
    found = codesign.run(graph, {"image": images[20:].transpose(0, 3, 1, 2)})
    assert int((found["class"] == labels[20:]).sum()) == metrics["test_correct"]
