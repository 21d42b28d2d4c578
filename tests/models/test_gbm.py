"""Generative Binary Memory's networks: what is real stays on the host, and the report says so."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import codesign
from codesign.cli import main
from codesign.convert import save
from codesign.convert.mixture import score_program
from codesign.convert.torch import export, lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.models.gbm import GbmNetwork, gbm_resnet18, host_part
from codesign.models.resnet import ResNet18, count_macs
from codesign.nn import HeavisideBinarizer, ThermometerBinarizer, bit_balance
from codesign.quant import MixtureCodes, score_constants

#: ResNet-18, 3x3 stem, 32 x 32 pixels, by hand: the stem, four stages, three shortcuts.
_PIXELS = (1024, 256, 64, 16)
MACS = (
    1024 * 64 * 3 * 9
    + sum(
        p * (64 << s) * 9 * (((64 << s) >> bool(s)) + 3 * (64 << s)) for s, p in enumerate(_PIXELS)
    )
    + sum(p * (64 << s) * (64 << s >> 1) for s, p in enumerate(_PIXELS) if s)
)


def small(binarizer):
    torch.manual_seed(0)
    return GbmNetwork(ResNet18(1, width=4), binarizer, ["a", "b", "c"], (1, 8, 8))


def test_macs_are_those_of_the_published_network():
    network = ResNet18()
    assert count_macs(network, (3, 32, 32)) == MACS == 555_417_600
    assert network.features == 512
    assert sum(p.numel() for p in network.parameters()) == 11_173_962 - 512 * 10 - 10


@pytest.mark.parametrize("levels", [0, 3])
def test_the_program_begins_at_the_latent_vector(levels):
    made = ThermometerBinarizer(32, levels, positive=True) if levels else HeavisideBinarizer(32)
    network = small(made)
    x = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    for _ in range(40):  # running means settle
        network.backbone(x)
    if levels:
        values = network.backbone.eval()(x).detach()
        made.fit(values + (values.amax(0) == 0))  # a feature that is never set has no quantile
    (network.train()(x) * torch.randn(40, 3)).sum().backward()
    assert float(network.backbone.stem.weight.grad.abs().sum()) > 0
    network.eval().requires_grad_(False)
    bits = network.embed(x)
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    graph = lower(network.classifier)
    batch = {"latent": bits.numpy().astype(np.uint8)}
    for engine in ENGINES:
        found = create(engine, graph, threads=1).run(batch)
        assert np.array_equal(found["scores"], network(x).numpy()), engine


def test_the_report_names_the_host_s_part(tmp_path):
    network = gbm_resnet18([f"c{i}" for i in range(10)])
    export(network.classifier, tmp_path / "model.onnx")
    line = (
        "ResNet18 and HeavisideBinarizer (before the program) runs on the host: it makes latent in "
        f"{MACS:,} multiply-accumulates of floating point; neither they nor their time are counted"
    )
    report = codesign.simulate(tmp_path / "model.onnx", "tiny")
    assert report.not_modelled[0] == line
    run = CliRunner().invoke(main, ["simulate", f"{tmp_path}/model.onnx", "--hw", "asic_1mb"])
    assert run.exit_code == 0, run.stderr
    assert line in " ".join(run.stdout.split())
    codes = MixtureCodes(np.array([256]), np.ones((1, 6), int), 4)
    scores = score_program(
        "bmm", *score_constants([codes] * 2), classes=["a", "b"], host=[host_part("a DSP", 5)]
    )
    save(scores, tmp_path / "scores.onnx")
    lines = codesign.simulate(tmp_path / "scores.onnx", "tiny").not_modelled
    assert lines[0].startswith("a DSP (before the program) runs on the host: it makes latent in 5 ")
    assert lines[1].startswith("scores (bmm_score")


@pytest.mark.parametrize(
    "host",
    [
        "x",
        [{"name": "x", "macs": 3}],
        [{"name": "x", "macs": -1, "output": "latent"}],
        [{"name": "x", "macs": True, "output": "latent"}],
        [{"name": "x", "macs": 1, "output": "scores"}],
    ],
)
def test_a_host_part_that_is_not_told_in_full_is_refused(host):
    from codesign.ir import GraphBuilder, IntType

    b = GraphBuilder("net", {"host": host})
    b.output(b.node("class", "argmax", [b.input("latent", (4,), IntType(0, 1))]))
    entry = host[0] if isinstance(host, list) else host
    with pytest.raises(CodesignError) as error:
        codesign.simulate(b.build(), "tiny")
    assert str(error.value) == (
        f"net: metadata host has the entry {entry!r}; give name, macs (0 or more) and output, "
        "one of latent"
    )


class TestBinarizers:
    def test_heaviside_centres_and_passes_the_clipped_gradient(self):
        layer = HeavisideBinarizer(3)
        x = torch.randn(400, 3) * torch.tensor([1.0, 5.0, 0.1]) + torch.tensor([7.0, -3.0, 0.0])
        bits = layer(x).detach()
        assert float((bits.mean(0) - 0.5).abs().max()) < 0.1
        layer.eval()
        inner = layer.norm(x).detach()
        leaf = x.clone().requires_grad_()
        layer(leaf).sum().backward()
        scale = 1 / torch.sqrt(layer.norm.running_var + layer.norm.eps)
        assert torch.allclose(leaf.grad, (inner.abs() <= 1) * scale)

    @pytest.mark.parametrize("positive", [False, True])
    def test_thermometer_thresholds_are_quantiles_and_stay(self, positive):
        draw = torch.Generator().manual_seed(0)
        values = torch.randn(4000, 2, generator=draw).clamp_min(0 if positive else -9)
        layer = ThermometerBinarizer(2, 4, positive)
        layer.fit(values)
        before = layer.thresholds.clone()
        bits = layer(values).reshape(4000, 2, 4)
        kept = values > 0 if positive else torch.ones_like(values, dtype=torch.bool)
        share = torch.stack([bits[kept[:, d], d].mean(0) for d in range(2)])
        assert float((share - torch.tensor([0.8, 0.6, 0.4, 0.2])).abs().max()) < 2e-3
        assert bool((bits.diff(dim=2) <= 0).all())
        layer.train()(values * 3)
        assert torch.equal(layer.thresholds, before)
        again = ThermometerBinarizer(2, 4)
        again.load_state_dict(layer.state_dict())
        assert torch.equal(again(values), layer(values))

    def test_balance_is_zero_where_half_the_bits_are_set(self):
        assert float(bit_balance(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))) == 0
        assert float(bit_balance(torch.tensor([[1.0, 1.0], [1.0, 0.0]]))) == 0.125


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ThermometerBinarizer(2)(torch.zeros(1, 2)),
            "ThermometerBinarizer: has no thresholds yet; call fit with features of base training",
        ),
        (
            lambda: ThermometerBinarizer(2, 3, positive=True).fit(torch.tensor([[1.0, 0.0]])),
            "ThermometerBinarizer: feature 1 has no value above 0 to take quantiles of; "
            "give more examples, or leave the feature out",
        ),
        (lambda: ThermometerBinarizer(2, 0), "ThermometerBinarizer: 0 levels; give 1 or more"),
        (
            lambda: HeavisideBinarizer(2)(torch.zeros(1, 3)),
            "HeavisideBinarizer: the input has shape (1, 3); give N x 2",
        ),
        (
            lambda: small(HeavisideBinarizer(31)),
            "GbmNetwork: the backbone has 32 features, the binarizer takes 31; make them equal",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message


def test_a_shape_that_the_backbone_cannot_take():
    with pytest.raises(CodesignError) as error:
        count_macs(ResNet18(3, width=4), (1, 8, 8))
    assert str(error.value).startswith("ResNet18: cannot take an input of shape (1, 8, 8) (given ")
    assert str(error.value).endswith("; give the shape of one image")
