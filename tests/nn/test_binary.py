"""Fully binary layers: sums, signs, gradients, growth, and their programs."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from codesign.convert.torch import lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.nn import (
    LGAP,
    BinaryConv2d,
    BinaryLinear,
    Flatten,
    GrowableClassifier,
    GrowableLinear,
    Input,
    MaxPool2d,
)
from codesign.nn.binary import triangular_sign


def signs(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 2, shape, generator=draw).float() * 2 - 1


class Small(nn.Sequential):
    """Every binary layer, with and without bias, and the classifier."""

    def __init__(self, bias):
        super().__init__(
            Input((6, 9, 8), -1, 1, 2),
            BinaryConv2d(6, 8, 3, padding=1, groups=2, bias=bias, pool=2),
            BinaryConv2d(8, 8, 2, stride=2, groups=8, bias=bias),
            BinaryConv2d(8, 12, (1, 3), padding=(0, 1), bias=bias),
            LGAP(12, (2, 2), bias=bias),
            Flatten(),
            BinaryLinear(12, 10, bias=bias),
            GrowableClassifier(10, rows=7, grown=4, hidden=5),
        )
        self.metadata = {"name": "small", "classes": list("abcd")}


@pytest.mark.parametrize("bias", [False, True])
def test_evaluation_is_the_program_on_every_engine(bias):
    torch.manual_seed(2)
    network = Small(bias).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.normal_()
    graph = lower(network)
    x, seen = signs(20, 6, 9, 8), {}
    for name, module in network.named_modules():
        if name in graph.results:
            module.register_forward_hook(
                lambda module, arguments, result, name=name: seen.update({name: result.numpy()})
            )
    with torch.no_grad():
        network(x)
    assert {"1", "2", "3", "4", "6", "7.hidden", "7.join", "7.twice", "7.rows"} <= set(seen)
    for engine in ENGINES:
        values = create(engine, graph, threads=1).run(
            {"input": x.numpy().astype(np.int8)}, keep=graph.results
        )
        for name, wanted in seen.items():
            assert np.array_equal(values[name], wanted), (engine, name)
    stored = {name: value for name, value in graph.constants.items() if name.endswith("weight")}
    assert {value.type.storage_bits for value in stored.values()} == {1}
    assert stored["7.rows.weight"].shape == (4, 30)
    assert ("1.bias" in graph.constants) == bias


def test_a_sum_is_twice_the_equal_bits_less_the_fan_in():
    layer = BinaryConv2d(4, 3, 3, padding=1, activation=False).eval()
    x = signs(1, 4, 5, 5)
    bits = functional.unfold(functional.pad(x, (1, 1, 1, 1), value=-1.0), 3)[0] > 0
    weights = torch.from_numpy(layer.codes()).reshape(3, -1) > 0
    equal = (bits[None] == weights[:, :, None]).sum(1)
    assert layer.fan_in == 36
    assert torch.equal(layer(x).detach().reshape(3, 25), 2.0 * equal - 36)


def test_zero_is_positive_and_or_is_the_maximum():
    assert triangular_sign(torch.tensor([-2.0, -0.0, 0.0, 1.0]), 1.0).tolist() == [-1, 1, 1, 1]
    x = signs(3, 2, 4, 4)
    wanted = (x.reshape(3, 2, 2, 2, 2, 2) > 0).any(5).any(3)
    assert torch.equal(MaxPool2d(2)(x) > 0, wanted)


def test_a_pool_is_the_or_of_codes_whose_gradient_finds_the_greatest_sum():
    torch.manual_seed(0)
    pooled = BinaryConv2d(3, 4, 3, padding=1, bias=True, pool=2)
    plain = BinaryConv2d(3, 4, 3, padding=1, bias=True)
    with torch.no_grad():
        pooled.beta.uniform_(-1, 1)
    plain.load_state_dict(pooled.state_dict())
    x = signs(2, 3, 6, 6)
    assert torch.equal(pooled(x), MaxPool2d(2)(plain(x)))
    pooled(x).sum().backward()
    plain.activation = False
    sums = plain(x)
    greatest = functional.max_pool2d(sums, 2)
    slope = (1 - (greatest * plain.gain).abs()).clamp_min(0) * plain.gain
    (greatest * slope.detach()).sum().backward()
    assert torch.allclose(pooled.weight.grad, plain.weight.grad, atol=1e-6)


@pytest.mark.parametrize("fan_in", [9, 16])
def test_fresh_rows_are_balanced(fan_in):
    torch.manual_seed(1)
    rows = BinaryLinear(fan_in, 200).codes().sum(1)
    assert set(rows.tolist()) == ({-1, 1} if fan_in % 2 else {0})


@pytest.mark.parametrize("fan_in", [4, 9, 2048])
def test_the_sign_has_the_gradient_of_its_surrogate(fan_in):
    """The surrogate's derivative is the triangle: S(t) = t - t|t|/2 inside [-1, 1], then flat."""
    gain = 1 / math.sqrt(fan_in)

    def surrogate(t):
        t = (t * gain).clamp(-1, 1)
        return t - t * t.abs() / 2

    x = torch.linspace(-1.5, 1.5, 61, dtype=torch.float64) / gain + 1e-3
    leaf = x.clone().requires_grad_()
    triangular_sign(leaf, gain).sum().backward()
    step = 1e-4 / gain
    difference = (surrogate(x + step) - surrogate(x - step)) / (2 * step)
    assert float((leaf.grad - difference).abs().max()) < 1e-4 * gain
    assert float(leaf.grad.max()) > 0.9 * gain


def test_the_gain_is_that_of_the_fan_in():
    assert BinaryConv2d(8, 4, 3, groups=2).gain == 1 / math.sqrt(9 * 8 / 2)
    assert BinaryConv2d(8, 8, 2, groups=8).gain == 1 / 2
    assert LGAP(8, (4, 4)).gain == 1 / 4
    assert BinaryLinear(100, 3).gain == 1 / 10
    torch.manual_seed(0)
    sums = BinaryConv2d(64, 64, 3, activation=False)(signs(2, 64, 8, 8)).detach()
    assert 0.9 < float(sums.std()) / 24 < 1.1


def test_weights_pass_the_clipped_gradient_and_bias_the_rounded_one():
    torch.manual_seed(0)
    layer = BinaryLinear(25, 3, bias=True)
    with torch.no_grad():
        layer.weight.mul_(1.3)
        layer.beta.copy_(torch.tensor([0.11, -0.3, 0.09]))
    assert layer.bias().tolist() == [1, -1, 0]  # beta * 5, to the nearest, half up
    x = signs(7, 25, seed=3)
    layer(x).sum().backward()
    sums = x @ torch.where(layer.weight >= 0, 1.0, -1.0).detach().T + torch.tensor([1.0, -1.0, 0])
    slope = (1 - (sums / 5).abs()).clamp_min(0) / 5
    inside = layer.weight.abs() <= 1
    assert torch.allclose(layer.weight.grad, (slope.T @ x) * inside)
    assert torch.allclose(layer.beta.grad, 5 * slope.sum(0))
    assert not inside.all()
    for _ in range(25):
        layer(x)
    layer.clamp_latent()
    assert float(layer.step) == 1.0
    assert float(layer.weight.detach().abs().max()) <= 1.0
    assert np.array_equal(layer.codes(), np.where(layer.weight.detach().numpy() >= 0, 1, -1))


def test_bfloat16_sums_keep_their_sign():
    layer, x = BinaryConv2d(120, 8, 3, padding=1, bias=True), signs(2, 120, 6, 6)
    with torch.no_grad():
        layer.beta.uniform_(-1, 1)
    assert torch.equal(layer(x.bfloat16()).float(), layer(x))


class TestGrowth:
    def test_rows_that_are_not_in_use_have_no_part(self):
        torch.manual_seed(0)
        classifier = GrowableClassifier(16, rows=9, grown=3, hidden=4)
        x, labels = signs(5, 16), torch.tensor([0, 1, 2, 1, 0])
        scores = classifier(x)
        assert scores.shape == (5, 3)
        classifier.loss(scores, labels).backward()
        grad = classifier.rows.weight.grad
        assert bool((grad[:3] != 0).any())
        assert not bool(grad[3:].any())
        before = scores.detach()
        classifier.grow(8)
        assert torch.equal(classifier(x)[:, :3], before)
        assert classifier(x).shape == (5, 8)

    def test_duplication_makes_ternary_weights(self):
        classifier = GrowableClassifier(12, rows=3, grown=3, hidden=0).eval()
        x = signs(20, 12)
        pairs = classifier.rows.codes().reshape(3, 2, 12).sum(1)
        assert set(np.unique(pairs)) == {-2, 0, 2}
        assert np.array_equal(classifier(x).detach().numpy(), x.numpy() @ pairs.T)

    def test_the_scale_counts_fan_in_and_rows(self):
        rows = GrowableClassifier(1024, rows=100, grown=10).rows
        assert rows.fan_in == 2 * (1024 + 128)
        assert rows.score_scale == 1 / math.sqrt(5 * 2304 * 100)
        scores, labels = torch.randn(4, 10) * 40, torch.tensor([0, 9, 3, 3])
        wanted = functional.cross_entropy(scores * rows.score_scale, labels)
        assert torch.equal(GrowableClassifier(1024, 100, 10).loss(scores, labels), wanted)

    def test_a_checkpoint_keeps_the_rows_in_use(self):
        grown = GrowableLinear(6, 5, 4)
        fresh = GrowableLinear(6, 5, 1)
        fresh.load_state_dict(grown.state_dict())
        assert fresh.grown == 4
        assert torch.equal(fresh(signs(2, 6)), grown(signs(2, 6)))


def lossy(label):
    classifier = GrowableClassifier(4, rows=5, grown=2)
    return classifier.loss(classifier(signs(1, 4)), torch.tensor([label]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: lossy(3),
            "GrowableClassifier: class 3 has no row, 2 of 5 rows are in use; grow(4) first",
        ),
        (
            lambda: lossy(5),
            "GrowableClassifier: class 5 has no row, 2 of 5 rows are in use; give 0 to 4",
        ),
        (
            lambda: lossy(-1),
            "GrowableClassifier: class -1 has no row, 2 of 5 rows are in use; give 0 to 4",
        ),
        (
            lambda: GrowableLinear(4, 5, 3).grow(2),
            "GrowableLinear: 2 rows cannot be in use, 3 of 5 are; give 3 to 5",
        ),
        (
            lambda: GrowableLinear(4, 5, 6),
            "GrowableLinear: 6 rows cannot be in use, 0 of 5 are; give 1 to 5",
        ),
        (
            lambda: GrowableLinear(4, 5, 3)(signs(1, 3)),
            "GrowableLinear: the input has shape (1, 3); give N x 4",
        ),
        (
            lambda: LGAP(4, (2, 3))(signs(1, 4, 3, 3)),
            "LGAP: the input has shape (1, 4, 3, 3); give N x 4 x 2 x 3",
        ),
        (
            lambda: BinaryConv2d(3, 4, 3, groups=2),
            "BinaryConv2d: 2 groups do not divide 3 input channels; use a divisor of 3 (1, 3)",
        ),
        (
            lambda: BinaryConv2d(1, 1, 3, activation=False, pool=2),
            "BinaryConv2d: pool is 2 without activation; give 1 or more, and 1 without",
        ),
        (
            lambda: BinaryConv2d(1, 1, 1, pool=0),
            "BinaryConv2d: pool is 0 with activation; give 1 or more, and 1 without",
        ),
        (
            lambda: BinaryConv2d(1, 1, 1, pool=3)(signs(1, 1, 2, 4)),
            "BinaryConv2d: pool 3 is larger than the map 2 x 4; use a smaller one",
        ),
        (
            lambda: BinaryLinear(4, 2)(signs(1, 3)),
            "BinaryLinear: the input has shape (1, 3); give N x 4",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message


def test_a_bias_that_float32_does_not_hold_is_refused():
    layer = BinaryLinear(4, 2, bias=True)
    with torch.no_grad():
        layer.beta.fill_(2.0**24)
    with pytest.raises(CodesignError) as error:
        layer.bias()
    assert str(error.value) == (
        "BinaryLinear: a bias is 33554432, float32 is exact below 16777216; "
        "train with a smaller rate"
    )
