"""The loop: resume, interrupt, freeze, refuse; all on digits."""

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
import torch

from codesign import models
from codesign.errors import CodesignError
from codesign.train.checkpoint import Checkpoint, load_checkpoint
from codesign.train.data import load_digits
from codesign.train.evaluate import scores
from codesign.train.loop import InterruptError, Trainer
from codesign.train.recipe import RECIPES, Recipe

RECIPE = dataclasses.replace(RECIPES["digits"], epochs=4, batch=100, float_share=0.25)
BFLOAT16 = dataclasses.replace(RECIPE, bfloat16=True)


@pytest.fixture(scope="module")
def data():
    whole = load_digits()
    return dataclasses.replace(
        whole,
        x_train=whole.x_train[:350],
        y_train=whole.y_train[:350],
        x_test=whole.x_test[:90],
        y_test=whole.y_test[:90],
    )


def trainer(data, out, recipe=RECIPE, **options):
    torch.manual_seed(recipe.seed)
    return Trainer("digits", models.create("digits"), data, recipe, out, **options)


def stop_after(run, epochs):
    """Train `epochs` epochs, then one more step, then a signal as a terminal sends it."""

    def report(progress):
        if progress.epoch == epochs + 1:
            os.kill(os.getpid(), signal.SIGINT)

    run.report = report
    with pytest.raises(InterruptError) as error:
        run.run()
    return str(error.value)


@pytest.mark.parametrize("recipe", [RECIPE, BFLOAT16], ids=["float32", "bfloat16"])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(data, tmp_path, recipe):
    whole = trainer(data, tmp_path / "whole", recipe)
    whole.run()
    message = stop_after(trainer(data, tmp_path / "parts", recipe), 2)
    path = tmp_path / "parts" / "checkpoint.pt"
    assert message == (
        f"training: interrupted in epoch 3; {path} holds 2 epochs; add --resume to go on"
    )
    stop_after(trainer(data, tmp_path / "parts", recipe, resume=True), 3)
    log = []
    parts = trainer(data, tmp_path / "parts", recipe, resume=True, log=log.append)
    assert log == ["resumed after epoch 3/4"]
    parts.run()
    for key, value in whole.network.state_dict().items():
        assert torch.equal(parts.network.state_dict()[key], value), key
    assert np.array_equal(scores(parts.network, data.x_test), scores(whole.network, data.x_test))
    for left, right in zip(whole.history, parts.history, strict=True):
        assert {**left, "seconds": 0} == {**right, "seconds": 0}
    lines = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]
    assert json.loads(lines[-1])["test_images"] == 90
    assert [p.name for p in sorted((tmp_path / "parts").iterdir())] == [
        "checkpoint.pt",
        "metrics.jsonl",
    ]


def test_interrupted_before_the_first_epoch_ends(data, tmp_path):
    message = stop_after(trainer(data, tmp_path), 0)
    assert message == ("training: interrupted in epoch 1, nothing is saved yet; start it again")
    assert not (tmp_path / "checkpoint.pt").exists()


def test_the_signal_handlers_are_given_back(data, tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stop_after(trainer(data, tmp_path), 0)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_schedule_freezes_steps_and_shifts(data, tmp_path):
    recipe = dataclasses.replace(RECIPE, freeze_step_share=0.25, freeze_shift_share=0.5)
    run, seen = trainer(data, tmp_path, recipe), []
    run.log = lambda line: seen.append(
        (run.network.conv2.freeze_step, run.network.norm2.freeze_shift)
    )
    run.run()
    assert seen == [(False, False), (False, False), (False, True), (True, True)]
    assert int(run.network.conv2.step_age) == 3 * 4  # the last batch is half full


def test_latent_weights_stay_where_their_gradient_passes(data, tmp_path):
    run = trainer(data, tmp_path)
    run.run()
    for layer in run.quantized:
        reach = float(layer.step) * layer.levels / 2
        assert float(layer.weight.detach().abs().max()) <= reach * (1 + 1e-6)


def test_a_loss_that_is_not_finite_ends_the_run(data, tmp_path):
    run = trainer(data, tmp_path)
    with torch.no_grad():
        run.network.scores.beta.fill_(float("nan"))
    with pytest.raises(CodesignError) as error:
        run.run()
    assert str(error.value) == (
        "training: the loss is nan in epoch 1; resume with a smaller --weight-rate"
    )


def test_resume_with_other_options_is_refused(data, tmp_path):
    stop_after(trainer(data, tmp_path), 1)
    path = tmp_path / "checkpoint.pt"
    cases = [
        (
            lambda: trainer(data, tmp_path, dataclasses.replace(RECIPE, seed=1), resume=True),
            f"{path}: was trained with seed 0, now seed is 1; resume with the same options",
        ),
        (
            lambda: trainer(data, tmp_path),
            f"{path}: exists; add --resume to go on, or give another --out",
        ),
        (
            lambda: Trainer("nqe", models.create("nqe"), data, RECIPE, tmp_path, resume=True),
            f"{path}: is of model 'digits', not 'nqe'; give another --out",
        ),
        (
            lambda: Trainer("digits", models.create("nqe"), data, RECIPE, tmp_path, resume=True),
            f"{path}: holds another network than 'digits' has now; resume with the same table",
        ),
        (
            lambda: trainer(data, tmp_path / "new", resume=True),
            f"{tmp_path / 'new' / 'checkpoint.pt'}: cannot be read (no such file or directory); "
            "start without --resume first",
        ),
    ]
    for call, message in cases:
        with pytest.raises(CodesignError) as error:
            call()
        assert str(error.value) == message


@pytest.mark.parametrize("raw", [b"", b"text", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_refused(tmp_path, raw):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(raw)
    with pytest.raises(CodesignError) as error:
        load_checkpoint(path)
    assert str(error.value) == (
        f"{path}: is not a checkpoint of codesign train; remove it and train again"
    )


def test_a_truncated_or_newer_checkpoint_is_refused(tmp_path, monkeypatch):
    path = Checkpoint("digits", 1, {}, {}, {}, {}, []).save(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CodesignError, match="is not a checkpoint"):
        load_checkpoint(path)
    monkeypatch.setattr("codesign.train.checkpoint.FORMAT", 3)
    path.write_bytes(whole)
    with pytest.raises(CodesignError) as error:
        load_checkpoint(path)
    assert str(error.value) == (
        f"{path}: has checkpoint format 2, this version reads 3; train again"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "training: epochs is 0; give 1 or more"),
        ({"batch": 1}, "training: batch is 1; give 2 or more"),
        ({"seed": -1}, "training: seed is -1; give 0 or more"),
        ({"weight_rate": 0.0}, "training: weight_rate is 0.0; give a number above 0"),
        ({"rate": float("nan")}, "training: rate is nan; give a number above 0"),
        ({"smoothing": 1.5}, "training: smoothing is 1.5; give 0 to 1"),
    ],
)
def test_recipe_messages(changes, message):
    with pytest.raises(CodesignError) as error:
        Recipe(**changes)
    assert str(error.value) == message


def test_rates_warm_up_then_fall_to_zero():
    recipe = Recipe(epochs=20, warmup_epochs=2)
    factors = [recipe.rate_factor(p) for p in (0, 1, 2, 11, 20)]
    assert factors[:3] == [0, 0.5, 1]
    assert abs(factors[3] - 0.5) < 1e-9
    assert factors[4] == 0
