"""The networks by name, and their tables."""

import subprocess
import sys

import pytest
import torch
import yaml

from codesign import models, quant
from codesign.errors import CodesignError
from codesign.models.table import load_table
from codesign.nn import ChannelShuffle, QuantizedWeights, Sign, network_inputs


def table(**changes):
    small = {
        "name": "small",
        "input": {"channels": 2, "height": 8, "width": 8},
        "classes": ["a", "b", "c"],
        "classifier": {"levels": 3},
        "rows": [{"channels": 4}, {"channels": 8, "groups": 2, "pool": 2}, {"channels": 6}],
    }
    return {**small, **changes}


def weight_bits(network):
    total = 0
    for layer in network.modules():
        if isinstance(layer, QuantizedWeights):
            total += layer.weight.numel() * (layer.levels - 1).bit_length()
    return total


def test_shipped_table_of_nqe_fits_one_megabit():
    assert weight_bits(models.create("nqe")) == 897_600


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_every_model_gives_integer_scores(name):
    torch.manual_seed(0)
    network = models.create(name).eval()
    size = network_inputs(network)[0].shape
    with torch.no_grad():
        scores = network(torch.randint(0, 256, (2, *size)).float())
    classes = network.metadata.get("classes")
    assert scores.shape == ((2, len(classes)) if classes else (2, 16, 4, 4))  # the codec's bits
    assert torch.equal(scores, torch.floor(scores))


def test_listing_models_does_not_import_torch():
    code = "import sys, codesign.models as m; m.MODELS; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_set_the_layers():
    network = models.create("nqe", table=table())
    names = [name for name, _ in network.named_children()]
    assert names == [
        "image", "conv1", "norm1", "conv2", "norm2", "pool2", "shuffle2", "conv3", "norm3",
        "sum", "fc", "scores",
    ]  # fmt: skip
    assert network.conv2.groups == 2
    assert isinstance(network.shuffle2, ChannelShuffle)
    assert weight_bits(network) == 2 * 9 * (2 * 4 + 4 * 4 + 8 * 6) + 2 * 6 * 3


def test_a_row_with_sign_is_padded_with_its_least_code():
    rows = [{"channels": 4, "activation": "sign"}, {"channels": 4, "activation": "heaviside"}]
    network = models.create("nqe", table=table(rows=rows))
    assert isinstance(network.norm1.activation, Sign)
    assert (network.conv1.pad_code, network.conv2.pad_code) == (0, -1)


def test_a_yaml_file_is_a_table(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(table(rows=[{"channels": 5, "levels": 7, "kernel": 5}])))
    network = models.create("nqe", table=path)
    assert tuple(network.conv1.weight.shape) == (5, 2, 5, 5)
    lo, hi, _ = quant.level_set(7)
    assert lo <= network.conv1.codes().min() < 0 < network.conv1.codes().max() <= hi


BAD = [
    (
        {"rows": [{"channels": 4}, {"channels": 9, "groups": 3}]},
        "table: row 2: 3 groups do not divide 4 input channels; use a divisor of 4 (1, 2, 4)",
    ),
    (
        {"rows": [{"channels": 5, "groups": 2}]},
        "table: row 1: 2 groups do not divide 5 output channels; use a divisor of 5 (1, 5)",
    ),
    (
        {"rows": [{"channels": 4, "grups": 2}]},
        "table: row 1: grups is not a key here; did you mean groups?",
    ),
    ({"rows": [{}]}, "table: row 1: channels is missing; give an integer of 1 or more"),
    ({"rows": [{"channels": "4"}]}, "table: row 1: channels is '4'; give an integer of 1 or more"),
    (
        {"rows": [{"channels": 4, "kernel": 2}]},
        "table: row 1: kernel is 2; give an odd one (1, 3, 5)",
    ),
    (
        {"rows": [{"channels": 4, "levels": 1}]},
        "table: row 1: levels is 1; give an integer of 2 or more",
    ),
    ({"rows": [{"channels": 4, "levels": 128}]}, "table: row 1: levels is 128; give 2 to 127"),
    (
        {"rows": [{"channels": 4, "activation": "relu"}]},
        "table: row 1: activation is 'relu'; give 1 to 8 bits, heaviside or sign",
    ),
    ({"rows": [{"channels": 4, "shuffle": 1}]}, "table: row 1: shuffle is 1; give true or false"),
    (
        {"rows": [{"channels": 4, "pool": 3}]},
        "table: row 1: pool 3 does not divide the 8 x 8 map; use a divisor of both",
    ),
    ({"rows": [4]}, "table: row 1 is 4; give a mapping with key channels"),
    ({"rows": []}, "table: rows is empty; give one or more"),
    ({"rows": None}, "table: rows is None; give a list of rows"),
    ({"name": "my net"}, "table: name is 'my net'; give letters, digits, '_' and '-'"),
    (
        {"classes": ["a", "a"]},
        "table: classes has 2 names, 1 of them different; give two or more, all different",
    ),
    ({"classifier": 5}, "table: classifier is 5; give {levels: 5}"),
    (
        {"input": {"channels": 1, "height": 8, "with": 8}},
        "table: input: with is not a key here; did you mean width?",
    ),
    (
        {"colour": 1},
        "table: colour is not a key here; known are name, input, classes, classifier, rows",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_table_messages(changes, message):
    with pytest.raises(CodesignError) as error:
        load_table(table(**changes))
    assert str(error.value) == message


def test_file_messages(tmp_path):
    path = tmp_path / "t.yaml"
    wanted = {
        None: f"{path}: cannot be read (no such file or directory); give a YAML table",
        "rows: [": f"{path}:1: is not YAML; correct it",
        "- 3": f"{path}: holds no table; give keys name, input, classes, rows",
        "input: {channels: 1, height: 2, width: 2}\nclasses: [a, b]\nrows: [{channels: 1}]": (
            f"{path}: name is None; give letters, digits, '_' and '-'"
        ),
    }
    for text, message in wanted.items():
        if text is not None:
            path.write_text(text)
        with pytest.raises(CodesignError) as error:
            load_table(path)
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: models.create("nqr"),
            f"model 'nqr' is unknown; use {' or '.join(sorted(models.MODELS))}",
        ),
        (
            lambda: models.create("nqe", width=2),
            "model 'nqe' has no option 'width'; it has table",
        ),
    ],
)
def test_registry_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
