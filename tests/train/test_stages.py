"""Stages: what is a float when, a run of all of them that learns motion, resume, refusals."""

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
import torch

import codesign
from codesign import models
from codesign.convert.torch import lower
from codesign.engine import create
from codesign.errors import CodesignError, UnsupportedError
from codesign.models.billnet import billnet
from codesign.nn import BitShiftNorm, Layer, QuantizedWeights
from codesign.train import run
from codesign.train.loop import InterruptError, Trainer
from codesign.train.motion import load_motion
from codesign.train.recipe import RECIPES, STAGES, Recipe, StagedRecipe
from codesign.train.stages import enter, train_in_stages

CLASSES = (
    *("still", "left", "right", "up", "down"),
    *("zoom_in", "zoom_out", "turn_left", "turn_right"),
)
SHAPE = (1, 8, 16, 16)
SMALL = StagedRecipe(
    epochs=6, batch=18, weight_rate=0.02, rate=0.01, warmup_epochs=1.0, pad=1, flip=False,
    bfloat16=False, probe=18,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    """On maps this small a second thread costs more than it does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def few():
    return load_motion(SHAPE, train=4, test=2, classes=CLASSES)


def network(seed=0, **options):
    torch.manual_seed(seed)
    return billnet(n=16, units=32, shape=SHAPE, classes=CLASSES, **options)


def floats(net):
    """Which parts still compute with floats."""
    cell = net.head.cell
    return {
        "codes": net.encoder.norm.relaxed,
        "selects": net.encoder.block3.gate.relaxed,
        "gates": net.encoder.block3.join.relaxed,
        "weights": net.encoder.block2.cf.group.relaxed,
        "fc": net.head.fc.relaxed,
        "cell_weights": cell.feed.relaxed or cell.recurrent.relaxed,
        "cell": cell.gates,
    }


def test_each_stage_makes_one_more_part_codes():
    net = network()
    seen = []
    for stage in STAGES:
        enter(net, stage)
        found = floats(net)
        assert found["codes"] == found["selects"] == found["gates"]
        assert found["weights"] == found["fc"]
        seen.append((found["codes"], found["weights"], found["cell_weights"], found["cell"]))
        if stage is not STAGES[-1]:
            with pytest.raises(UnsupportedError, match="train to the last stage first"):
                lower(net)
    assert seen == [
        (True, True, True, "smooth"),
        (False, True, True, "smooth"),
        (False, False, True, "smooth"),
        (False, False, False, "smooth"),
        (False, False, False, "hard"),
        (False, False, False, "binary"),
    ]
    assert not any(layer.relaxed for layer in net.modules() if isinstance(layer, Layer))
    lower(net)


def test_gates_steepen_and_the_feed_forward_part_rests():
    net = network()
    slopes = []
    for progress in (0.0, 0.5, 1.0):
        enter(net, STAGES[4], progress)
        slopes.append(net.head.cell.slope)
    assert slopes == [1.0, pytest.approx(10**0.5), 10.0]
    for progress, rests in ((0.0, True), (0.24, True), (0.25, False), (1.0, False)):
        enter(net, STAGES[3], progress)
        cell = {id(p) for p in net.head.cell.parameters()}
        for parameter in net.parameters():
            assert parameter.requires_grad is (id(parameter) in cell or not rests)
    enter(net, STAGES[5])
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert net.head.cell.slope == 1.0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_floats_have_a_gradient_in_every_parameter(cell):
    net = network(cell=cell, learned=True).train()
    clips = torch.from_numpy(load_motion(SHAPE, train=1, test=1).x_train).float()
    enter(net, STAGES[0])
    scores = net(clips.permute(0, 4, 1, 2, 3))
    torch.nn.functional.cross_entropy(scores / 50, torch.arange(27) % 9).backward()
    for name, parameter in net.named_parameters():
        assert float(parameter.grad.abs().sum()) > 0, name


def test_relaxed_weights_and_codes_are_lines_through_the_codes():
    weights = QuantizedWeights((400,), 2)
    weights.relaxed = True
    line = weights.quantized().detach()
    weights.relaxed = False
    assert torch.equal(torch.sign(line), weights.quantized())
    assert float(line.abs().median()) == pytest.approx(1.0, rel=0.02)
    norm = BitShiftNorm(1, bits=2)
    norm(torch.randn(64, 1) * 100)
    norm.eval()
    x = torch.linspace(-400, 400, 801)[:, None].floor()
    codes = norm(x).detach()
    norm.relaxed = True
    line = norm(x).detach()
    assert line.min() == 0
    assert line.max() == 3
    assert float((line - codes).abs().max()) <= 1


def test_epochs_are_shared_out():
    recipe = StagedRecipe(epochs=60, weight_rate=0.1, rate=0.01)
    assert [recipe.of(k).epochs for k in range(6)] == [15, 11, 12, 6, 4, 12]
    assert sum(recipe.of(k).epochs for k in range(6)) == 60
    assert type(recipe.of(0)) is Recipe
    assert recipe.of(5).rate == pytest.approx(0.003)
    assert recipe.of(5).weight_rate == pytest.approx(0.03)
    least = StagedRecipe(epochs=6)
    assert [least.of(k).epochs for k in range(6)] == [1] * 6
    with pytest.raises(CodesignError) as error:
        StagedRecipe(epochs=5)
    assert str(error.value) == (
        "training: epochs is 5; give 6 or more, one for each stage (float, activations, weights, "
        "cell_weights, gates, integer)"
    )
    assert isinstance(RECIPES["billnet"], StagedRecipe)
    assert models.MODELS["billnet"].data == "motion"


def test_a_resumed_run_is_the_uninterrupted_run(few, tmp_path):
    recipe = dataclasses.replace(SMALL, epochs=8)
    whole = network()
    last = train_in_stages("billnet", whole, few, recipe, tmp_path / "whole")
    steps = 0

    def stop_at(number):
        def report(progress):
            nonlocal steps
            steps += 1
            if steps == number:
                os.kill(os.getpid(), signal.SIGINT)

        return report

    parts = tmp_path / "parts"
    with pytest.raises(InterruptError) as error:
        train_in_stages("billnet", network(), few, recipe, parts, report=stop_at(1))
    assert str(error.value) == (
        "training: interrupted in epoch 1, nothing is saved yet; start it again"
    )
    steps = 0
    with pytest.raises(InterruptError) as error:
        train_in_stages("billnet", network(), few, recipe, parts, report=stop_at(11))
    assert str(error.value) == (
        "training: interrupted in stage 4 of 6 (cell_weights) after 1 of its 2 epochs; "
        f"{parts} holds them and the stages before; add --resume to go on"
    )
    log, again = [], network(seed=5)
    found = train_in_stages("billnet", again, few, recipe, parts, resume=True, log=log.append)
    assert log[0].startswith("float: resumed after epoch ")
    assert {**found, "seconds": 0} == {**last, "seconds": 0}
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    assert sorted(path.name for path in parts.iterdir()) == [
        f"{k}-{stage.name}" for k, stage in enumerate(STAGES, 1)
    ]
    with pytest.raises(CodesignError, match="exists; add --resume to go on"):
        train_in_stages("billnet", network(), few, recipe, parts)


def tiny():
    """A network that its whole command line trains in seconds."""
    return billnet(n=16, units=8, shape=(1, 4, 16, 16))


def test_the_whole_run_by_name(tmp_path, monkeypatch):
    entry = dataclasses.replace(models.MODELS["billnet"], builder=f"{__name__}:tiny", options=())
    monkeypatch.setitem(models.MODELS, "tiny", entry)
    monkeypatch.setitem(
        run.LOADERS, "motion", lambda folder, shape: load_motion(shape, train=2, test=1)
    )
    summary = run.train("tiny", tmp_path / "o", dataclasses.replace(SMALL, probe=27))
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        *(f"{k}-{stage.name}" for k, stage in enumerate(STAGES, 1)), "metrics.json", "model.onnx",
    ]  # fmt: skip
    graph = codesign.load(tmp_path / "o" / "model.onnx")
    assert summary["program"] == graph.hash
    assert summary["data"] == "motion"
    assert summary["weight_bits"] == sum(
        layer.weight.numel() for layer in tiny().modules() if isinstance(layer, QuantizedWeights)
    )
    assert json.loads((tmp_path / "o" / "metrics.json").read_text()) == json.loads(
        json.dumps(summary)
    )
    assert graph.inputs == ("clip",)
    assert graph.values["clip"].shape == (1, 4, 16, 16)
    with pytest.raises(CodesignError, match=r"float/checkpoint\.pt: exists; add --resume to go on"):
        run.train("tiny", tmp_path / "o", SMALL)


def test_all_stages_learn_motion_and_the_program_has_it(tmp_path):
    """Nine motions, by the whole recipe; chance is one in nine."""
    data = load_motion(SHAPE, train=100, test=30, classes=CLASSES)
    recipe = dataclasses.replace(SMALL, epochs=24, batch=45, pad=0, probe=270)
    net = network()
    last = train_in_stages("billnet", net, data, recipe, tmp_path)
    assert last["test_images"] == 270
    assert last["test_accuracy"] >= 0.5
    batch = {"clip": np.moveaxis(data.x_test, -1, 1)}
    classes = create("numba", lower(net), threads=1).run(batch)["class"]
    assert int((classes == data.y_test).sum()) == last["test_correct"]
    lines = (tmp_path / "1-float" / "metrics.jsonl").read_text().splitlines()
    floats_right = json.loads(lines[-1])["test_correct"]

    # the same first stage, but nothing before the classifier learns
    frozen = network()

    def before(epoch):
        enter(frozen, STAGES[0])
        for part in (frozen.encoder, frozen.head.cell):
            part.requires_grad_(False)

    part = recipe.of(0)
    control = Trainer("billnet", frozen, data, part, tmp_path / "frozen", before_epoch=before).run()
    assert control["test_correct"] <= 0.5 * min(floats_right, last["test_correct"])
