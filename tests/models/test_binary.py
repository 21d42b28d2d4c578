"""The fully binary networks: their sizes to the bit, their programs, the machines they fit."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from codesign import models
from codesign.cli import main
from codesign.convert.torch import export, lower
from codesign.engine import create
from codesign.errors import CodesignError
from codesign.hw import shipped
from codesign.models.binary import BinaryNetwork, BinaryOptions, memory_table

#: name -> inputs of the first layer, latent bits, rows (5-fbnn.md 1 and 4.2).
SHAPES = {"fbnn": (192, 512, 50), "fbnn_4mb": (255, 1024, 100)}
#: name -> published accounting (duplication not counted), bits that a program stores.
BITS = {"fbnn": (2_843_904, 2_875_904), "fbnn_4mb": (4_113_792, 4_228_992)}
MACHINES = {"fbnn": "asic_3mb", "fbnn_4mb": "asic_4mb"}


def formula(inputs, latent, rows, copies):
    """Bits of every layer, from the text: blocks, depth-wise, dense, classifier."""
    table, depth = [], inputs
    for channels, groups in ((128, 1), (256, 2), (512, 4)):
        table += [9 * (depth // groups) * channels, 9 * (channels // groups) * channels]
        depth = channels
    table += [2 * 2 * 512, 2 * 2 * 512 * latent]
    return [*table, latent * 128, copies * (latent + 128) * rows]


def full(name):
    """The network with every row in use."""
    torch.manual_seed(5)
    return models.create(name, classes=[f"c{i}" for i in range(SHAPES[name][2])]).eval()


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_memory_table_is_the_formula(name):
    network = models.create(name)
    for copies, total in zip((1, 2), BITS[name], strict=True):
        table = memory_table(network, duplicated=copies == 2)
        assert list(table.values()) == formula(*SHAPES[name], copies)
        assert sum(table.values()) == total
    assert list(table) == [
        "conv1a", "conv1b", "conv2a", "conv2b", "conv3a", "conv3b", "bottleneck", "latent",
        "classifier.hidden", "classifier.rows",
    ]  # fmt: skip


def test_a_vote_over_the_whole_map_is_smaller():
    table = memory_table(models.create("fbnn", bottleneck="lgap"))
    assert (table["bottleneck"], table["latent"]) == (16 * 512, 512 * 512)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_it_fits_its_machine_and_not_half_of_it(name, tmp_path):
    export(full(name), tmp_path / "model.onnx")
    machine = shipped()[MACHINES[name]]
    run = CliRunner().invoke(main, ["simulate", f"{tmp_path}/model.onnx", "--hw", str(machine)])
    assert run.exit_code == 0, run.stderr
    assert "weights" in run.stdout
    text, size = machine.read_text(), {"fbnn": 3, "fbnn_4mb": 4.3}[name]
    assert text.count(f"weights: {size} Mb") == 1
    half = tmp_path / "half.yaml"
    half.write_text(text.replace(f"weights: {size} Mb", f"weights: {size / 2} Mb"))
    run = CliRunner().invoke(main, ["simulate", f"{tmp_path}/model.onnx", "--hw", str(half)])
    assert run.exit_code == 3
    # a tile starts on a word: the depth-wise layer takes one for each of its 2,048 weights
    needs = {"fbnn": "2,939,392 b", "fbnn_4mb": "4,293,632 b"}[name]
    allows = {"fbnn": "1,500,000 b", "fbnn_4mb": "2,150,000 b"}[name]
    over = {"fbnn": "1,439,392 b", "fbnn_4mb": "2,143,632 b"}[name]
    layer = {"fbnn": "conv3b.sum", "fbnn_4mb": "latent.sum"}[name]
    assert run.stderr == (
        f"codesign: error: over budget: weights: {needs} needed, the budget allows {allows} "
        f"({over} over); it breaks at {layer}\n"
    )


def small(**changes):
    given = {
        "name": "small",
        "input": (1, 8, 8),
        "thermometer": (6,),
        "colours": "as given",
        "blocks": ((8, 1), (12, 2)),
        "latent": 16,
        "rows": 6,
        "hidden": 4,
        "classes": ("a", "b"),
    }
    return BinaryNetwork(BinaryOptions(**{**given, **changes}))


def test_growth_adds_classes_to_network_and_program():
    torch.manual_seed(0)
    network = small().eval().requires_grad_(False)
    x = torch.randint(0, 256, (3, 1, 8, 8)).float()
    first = network(x)
    network.grow(["c", "d", "e"])
    assert torch.equal(network(x)[:, :2], first)
    graph = lower(network)
    assert graph.metadata["classes"] == ["a", "b", "c", "d", "e"]
    found = create("reference", graph, threads=1).run({"image": x.numpy().astype(np.uint8)})
    assert np.array_equal(found["classifier.rows"], network(x).numpy())
    assert torch.equal(network.classifier(network.embed(x)), network(x))
    assert set(network.embed(x).unique().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize(
    "changes",
    [{"bottleneck": "lgap"}, {"hidden": 0}, {"bias": True}, {"levels": [[1, 2, 3, 4, 5, 6]]}],
)
def test_options_lower_too(changes):
    torch.manual_seed(0)
    network = small(**changes).eval().requires_grad_(False)
    x = torch.randint(0, 8, (4, 1, 8, 8)).float()
    found = create("reference", lower(network), threads=1).run({"image": x.numpy().astype(int)})
    assert np.array_equal(found["classifier.rows"], network(x).numpy())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: small().grow(["c", "a"]),
            "small: class 'a' has a row already; give new names",
        ),
        (
            lambda: small().grow(["c", "d", "c"]),
            "small: class 'c' has a row already; give new names",
        ),
        (
            lambda: small().grow(list("cdefg")),
            "GrowableLinear: 7 rows cannot be in use, 2 of 6 are; give 2 to 6",
        ),
        (
            lambda: small(classes=("a", "a")),
            "small: 2 classes, 1 of them different, 6 rows; give 1 to 6 different names",
        ),
        (
            lambda: small(colours="rgb"),
            "small: colours is 'rgb'; give 'ycbcr' or 'as given'",
        ),
        (
            lambda: small(bottleneck="gap"),
            "small: bottleneck is 'gap'; give 'depthwise' or 'lgap'",
        ),
        (
            lambda: small(thermometer=(3, 3)),
            "small: thermometer has 2 numbers, the image 1 channels; give one a channel",
        ),
        (
            lambda: small(input=(1, 8, 12)),
            "small: 2 blocks and the bottleneck shrink the map 8 times, the image has "
            "8 x 12; give multiples of 8",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
