"""The paper's networks at full size: torch, three engines and the file agree on every value.

A new network joins by a line in `CASES`.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional

import codesign
from codesign import models
from codesign.cli import main
from codesign.convert.torch import export, lower
from codesign.hw import Hardware, plan
from codesign.nn import QuantizedWeights, network_inputs
from codesign.train.goal import GOALS, ScoreScale
from codesign.train.loop import Trainer
from codesign.train.recipe import RECIPES
from codesign.train.run import LOADERS
from tests.networks import assert_executors_agree, draw, settle


@dataclass(frozen=True)
class Case:
    """What a network of the zoo is, at the paper's size."""

    name: str
    weight_bits: int
    result: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    generated_bits: int = 0
    engines: tuple[str, ...] = ("reference", "numba", "onnxruntime")


CASES = [
    Case("ornet11", 9_524_608, (10,)),
    Case("muxornet11", 9_524_608, (10,)),
    Case("mognet", 1_512_192, (10,), generated_bits=1_343_488),
    Case("nqe_codec", 894_016, (16, 4, 4)),
    Case("fbnn", 2_875_904, (50,), {"classes": [f"c{i}" for i in range(50)]}),
    Case("fbnn_4mb", 4_228_992, (100,), {"classes": [f"c{i}" for i in range(100)]}),
]


def stored_bits(graph):
    """Bits of the weights that the program holds."""
    return sum(
        value.size * value.type.storage_bits
        for name, value in graph.constants.items()
        if name.endswith(".weight")
    )


def generated_bits(graph):
    """Bits of the weights that automata make."""
    made = [graph.values[node.name] for node in graph.nodes if node.op == "ca_weights"]
    return sum(value.size * value.type.storage_bits for value in made)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_full_size_network_is_its_file_value_by_value(case, tmp_path):
    network = settle(models.create(case.name, **case.options))
    graph = export(network, tmp_path / "model.onnx")
    assert codesign.load(tmp_path / "model.onnx") == graph
    assert stored_bits(graph) == case.weight_bits
    assert generated_bits(graph) == case.generated_bits
    _, values = assert_executors_agree(network, graph, engines=case.engines)
    (result,) = [values[name] for name in graph.outputs if name != "class"]
    assert result.shape[1:] == case.result
    assert len(np.unique(result)) > 1


@pytest.mark.nightly
@pytest.mark.cifar
@pytest.mark.parametrize("case", [*CASES, Case("billnet", 0, (27,))], ids=lambda case: case.name)
def test_a_trained_full_size_network_is_its_program(case, tmp_path):
    """Weights, thresholds and shifts that the optimizer has moved, on real images."""
    network = models.create(case.name, **case.options)
    shape = network_inputs(network)[0].shape
    data = LOADERS[models.MODELS[case.name].data](None, shape)
    few = 8 if case.name == "billnet" else 60
    data = dataclasses.replace(
        data, x_train=data.x_train[:few], y_train=data.y_train[:few] % case.result[0],
        x_test=data.x_test[:4], y_test=data.y_test[:4] % case.result[0],
    )  # fmt: skip
    recipe = dataclasses.replace(
        RECIPES["ornet11"], epochs=2, batch=few // 4, weight_rate=0.02, bfloat16=False, flip=False
    )
    goal = GOALS[models.MODELS[case.name].goal](network)
    Trainer(case.name, network, data, recipe, tmp_path / "run", goal=goal).run()
    assert_executors_agree(network.eval(), engines=case.engines, samples=1)


SMALL = [
    ("ornet11", {"gate": "or", "widths": (8, 16)}),
    ("muxornet11", {"gate": "mux_or", "widths": (8, 16)}),
    ("mognet", {"n": 16, "size": 8}),
    ("mognet", {"n": 16, "size": 8, "k": 1, "requant": "qrelu"}),
    ("mognet", {"n": 16, "size": 8, "requant": "none"}),
    ("nqe_codec", {}),
    ("fbnn", {"bias": True, "bottleneck": "lgap"}),
]


def small(name, options):
    """A network of the same layers, few of them."""
    if "gate" in options:
        from codesign.models.ornet import LogicNet

        return LogicNet(name, (3, 8, 8), 10, **options)
    if name == "nqe_codec":
        table = {
            "name": "small",
            "input": {"channels": 3, "height": 8, "width": 8},
            "classes": ["a", "b"],
            "rows": [{"channels": 8, "pool": 2}, {"channels": 8, "groups": 2}],
        }
        return models.create(name, table=table)
    if name == "fbnn":
        options = options | {"input": (3, 8, 8), "thermometer": (8, 4, 4), "blocks": ((16, 1),)}
        return models.create(name, latent=32, hidden=16, **options)
    return models.create(name, **options)


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_training_steps_move_every_parameter_and_the_loss(name, options, one_thread):
    torch.manual_seed(0)
    network = small(name, options).train()
    (images,) = (torch.from_numpy(array).float() for array in draw(network, 16))
    labels = torch.arange(16) % 2
    scale = ScoreScale()
    latent = [m.weight for m in network.modules() if isinstance(m, QuantizedWeights)]
    known = {id(weight) for weight in latent}
    others = [p for p in (*network.parameters(), *scale.parameters()) if id(p) not in known]
    groups = [{"params": latent, "lr": 0.02}, {"params": others, "lr": 0.01}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    before = {key: value.detach().clone() for key, value in network.named_parameters()}
    losses = []
    for _ in range(8):
        loss = functional.cross_entropy(scale(network(images).flatten(1)[:, :10]), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    for key, value in network.named_parameters():
        assert value.grad is not None, key
        assert bool(torch.isfinite(value.grad).all()), key
        assert not torch.equal(value.detach(), before[key]), key
    assert min(losses[-3:]) < losses[0] - 0.2, losses
    network.eval()
    assert_executors_agree(network, samples=2)


@pytest.mark.parametrize("name", ["ornet11", "muxornet11"])
def test_logic_networks_take_stl10_images(name):
    network = models.create(name, size=96)
    graph = lower(network)
    assert graph.values["image"].shape == (3, 96, 96)
    assert graph.metadata["classes"][7] == "monkey"
    assert graph.values["block8.join"].shape == (512, 12, 12)
    assert stored_bits(graph) == 9_524_608
    layers = [node for node in graph.nodes if node.op in ("conv", "linear")]
    assert len(layers) == 11


def mognet_bits(n, m, classes):
    """Stored and generated bits by the table of 3-mognet.md 4.6: ternary weights take 2 bits."""
    stored, generated, depth = 3 * n * 9, 0, n
    for width, latent in ((n, m), (2 * n, 2 * m), (2 * n, 2 * m), (4 * n, 4 * m), (4 * n, 4 * m)):
        stored += depth * latent  # first point-wise
        stored += latent * 16 * 9  # groups of 16 channels
        generated += latent * width
        depth = width
    return 2 * (stored + depth * classes), 2 * generated


@pytest.mark.parametrize(
    ("n", "m", "classes", "megabits"),
    [
        (64, None, 10, (0.50, 0.34)),
        (64, None, 100, (0.55, 0.34)),
        (128, None, 10, (1.51, 1.34)),
        (128, None, 100, (1.60, 1.34)),
        (64, 32, 10, (0.26, 0.17)),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_stored_and_generated_bits_are_those_of_the_formula(n, m, classes, megabits, stored):
    graph = lower(models.create("mognet", n=n, m=m, classes=classes, stored=stored, size=8))
    wanted, saved = mognet_bits(n, m or n, classes)
    assert (round(wanted / 1e6, 2), round(saved / 1e6, 2)) == megabits
    assert stored_bits(graph) == wanted + (saved if stored else 0)
    assert generated_bits(graph) == (0 if stored else saved)


def test_without_a_rescale_every_block_of_mognet_reports_its_growth(tmp_path):
    network = models.create("mognet", n=16, size=8, requant="none").eval()
    graph = export(network, tmp_path / "model.onnx")
    assert codesign.load(tmp_path / "model.onnx") == graph
    report = {layer.name: layer for layer in plan(graph, Hardware.load("asic_2mb")).layers}
    depth = 16
    for number, width in enumerate((16, 32, 32, 64, 64), start=1):
        stages = [report[f"block{number}.cf.{stage}"] for stage in ("pw1", "group", "pw2")]
        widths = [stage.accumulator_width for stage in stages]
        assert widths == sorted(set(widths))
        # 3-mognet.md 4.2: codes of 3 bits; 9 taps of 16 channels in a group
        first = 3 + (depth - 1).bit_length() + 1
        most = (first, first + 8, first + 8 + (width - 1).bit_length())
        assert all(found <= limit for found, limit in zip(widths, most, strict=True))
        assert stages[2].kind == "wide_conv 1x1 + ca_weights"
        depth = width


def test_each_block_has_an_automaton_of_its_own_that_the_seed_decides():
    first, again, other = (models.create("mognet", n=16, size=8, seed=seed) for seed in (1, 1, 2))
    blocks = [f"block{number}" for number in range(1, 6)]
    codes = [
        [getattr(network, block).cf.pw2.codes for block in blocks]
        for network in (first, again, other)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*codes[:2], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(codes[0], codes[2], strict=True))
    assert not torch.equal(codes[0][1], codes[0][2])  # blocks of the same shape


class TestCodec:
    def test_the_classifiers_encoder_weights_drive_the_codec(self):
        classifier, codec = settle(models.create("nqe")), settle(models.create("nqe_codec"), 5)
        codec.load_encoder(classifier.state_dict())
        graph, values = assert_executors_agree(codec, engines=("numba",))
        same = lower(classifier)
        (image,) = draw(codec, 1, seed=1)
        wanted = codesign.run(same, {"image": image}, keep=same.results)
        shared = [name for name in same.results if name in graph.results]
        assert {"conv1", "pool6", "conv7", "norm7"} <= set(shared)
        for name in shared:
            assert np.array_equal(values[name], wanted[name]), name

    def test_a_patch_is_256_bits_a_quarter_of_a_bit_a_pixel(self):
        codec = models.create("nqe_codec")
        graph = lower(codec)
        bits = graph.values[graph.outputs[0]]
        assert (bits.type.lo, bits.type.hi, bits.size) == (0, 1, 256)
        assert codec.bits_per_pixel * 32 * 32 == 256
        assert codec.bits_per_pixel == bits.size / (32 * 32) == 0.25

    def test_other_weights_are_refused(self):
        codec, state = models.create("nqe_codec"), models.create("nqe").state_dict()
        del state["conv3.weight"]
        with pytest.raises(codesign.CodesignError) as error:
            codec.load_encoder(state)
        assert str(error.value) == (
            "nqe_codec: conv3.weight of the encoder is missing, the codec's has shape "
            "(128, 32, 3, 3); give the weights of nqe with the same table"
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: models.create("ornet11", size=20),
            "ornet11: maps of 20 x 20 do not halve 3 times; give multiples of 8",
        ),
        (
            lambda: models.create("muxornet11", classes=["a", "b", "a"]),
            "muxornet11: 3 classes, 2 of them different; give two or more, all different",
        ),
        (
            lambda: models.create("mognet", n=64, m=24),
            "mognet: m is 24; give a multiple of 16",
        ),
        (
            lambda: models.create("mognet", size=30),
            "mognet: maps of 30 x 30 do not halve twice; give multiples of 4",
        ),
        (
            lambda: models.create("mognet", n=32, rule=0),
            "GeneratedConv2d: rule 0 from seed 2654435762 on 64 cells gives only zeros; "
            "use rule 30 or another number of cells",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(codesign.CodesignError) as error:
        call()
    assert str(error.value) == message


@pytest.mark.parametrize("stored", [False, True])
def test_two_megabits_hold_mognet_only_where_the_automaton_makes_its_weights(stored, tmp_path):
    path = tmp_path / "mognet.onnx"
    export(settle(models.create("mognet", stored=stored), batch=1), path)
    ended = CliRunner().invoke(main, ["simulate", str(path), "--hw", "asic_2mb", "--json"])
    report = json.loads(ended.stdout)
    lines = {line["name"]: line for line in report["budget"]}
    used, limit = (Fraction(**lines["weights"][key]) for key in ("used", "limit"))
    assert limit == 2_000_000
    # words of the weight memory: the last of a layer is not always full
    bits = 1_512_192 + (1_343_488 if stored else 0)
    assert bits <= used <= 1.15 * bits
    if not stored:
        assert ended.exit_code == 0, ended.stderr
        assert all(line["ok"] for line in lines.values())
        return
    assert ended.exit_code == 3
    assert ended.stderr.startswith(
        "codesign: error: over budget: weights need 3,216,000 b, asic_2mb builds 1,999,968 b "
        "(1,216,032 b over); "
    )
