"""ThresholdNorm and balanced ternary weights: programs, gradients, what they keep and refuse."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign import quant
from codesign.convert.torch import lower
from codesign.engine import create
from codesign.errors import CodesignError
from codesign.nn import Input, QuantConv2d, QuantConv3d, QuantLinear, ThresholdNorm

EPSILON = 1e-5


def accumulators(*shape, seed=0, reach=60):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(-reach, reach + 1, shape, generator=draw).float()


def settled(channels, bits, x, fused=True):
    """A norm of mixed gammas (below 0 and 0 among them) after one training step on `x`."""
    torch.manual_seed(channels)
    norm = ThresholdNorm(channels, bits, fused)
    with torch.no_grad():
        norm.gamma.copy_(torch.randn(channels))
        norm.beta.copy_(torch.randn(channels) * 0.4 + 0.3)
        norm.gamma[0] = 0.0
    with torch.no_grad():
        codes = norm(x)
    return norm, codes


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(5,), (5, 6, 4), (5, 3, 4, 2)])
def test_training_evaluation_and_program_give_the_same_codes(bits, shape):
    x = accumulators(8 if len(shape) > 1 else 200, *shape)
    norm, trained = settled(shape[0], bits, x)
    assert torch.equal(norm.running_mean, x.mean([0, *range(2, x.dim())]))
    network = nn.Sequential(Input(shape, -60, 60), norm).eval()
    with torch.no_grad():
        evaluated = network(x)
    assert torch.equal(trained, evaluated)  # the first batch's statistics are the running ones
    assert set(evaluated.unique().tolist()) == set(range(2**bits))
    graph = lower(network)
    assert [node.op for node in graph.nodes] == ["threshold"]
    levels = graph.values["1.thresholds"].data
    assert (levels.min() >= -61, levels.max() <= 61) == (True, True)
    for engine in ("reference", "numba", "onnxruntime"):
        (found,) = create(engine, graph, threads=1).run({graph.inputs[0]: x.int().numpy()}).values()
        assert np.array_equal(found, evaluated.numpy()), engine


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_codes_are_those_of_batch_normalization_in_float64(bits):
    x = accumulators(8, 5, 6, 4)
    norm, codes = settled(5, bits, x)
    mean = norm.running_mean.double().reshape(-1, 1, 1)
    sigma = (norm.running_variance.double() + EPSILON).sqrt().reshape(-1, 1, 1)
    gamma, beta = (part.detach().double().reshape(-1, 1, 1) for part in (norm.gamma, norm.beta))
    y, top = gamma * (x.double() - mean) / sigma + beta, 2**bits - 1
    wanted = (y > 0).double() if bits == 1 else torch.floor(top * y + 0.5).clamp(0, top)
    assert torch.equal(codes.double(), wanted)  # random numbers: no place is next to an integer


@pytest.mark.parametrize("bits", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_compiled_pass_is_the_plain_one(bits, dtype):
    x = accumulators(8, 5, 6, 4).to(dtype)
    fused, plain = settled(5, bits, x), settled(5, bits, x, fused=False)
    assert torch.equal(fused[1], plain[1])
    assert fused[1].dtype == dtype


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_gradient_is_that_of_the_clipped_line_through_the_batch_norm(bits):
    x = accumulators(3, 2, 2, 2).double()
    norm = ThresholdNorm(2, bits).double()
    with torch.no_grad():
        norm.gamma.copy_(torch.tensor([0.6, -0.9]))
        norm.beta.copy_(torch.tensor([0.3, 0.2]))
    draw = torch.Generator().manual_seed(4)
    incoming = torch.randn(x.shape, generator=draw, dtype=torch.float64)
    x.requires_grad_()
    norm(x).backward(incoming)

    def extension(x, gamma, beta):
        """`(2^k - 1) clip(y, 0, 1)`; for one bit `clip(y, -1, 1)`."""
        mean = x.mean((0, 2, 3), keepdim=True)
        sigma = ((x - mean).square().mean((0, 2, 3), keepdim=True) + EPSILON).sqrt()
        y = gamma.reshape(-1, 1, 1) * (x - mean) / sigma + beta.reshape(-1, 1, 1)
        line = y.clamp(-1, 1) if bits == 1 else (2**bits - 1) * y.clamp(0, 1)
        return float((line * incoming).sum())

    points = [x.detach(), norm.gamma.detach(), norm.beta.detach()]
    found = [x.grad, norm.gamma.grad, norm.beta.grad]
    eps = 1e-5
    for number, point in enumerate(points):
        for index in np.ndindex(*point.shape):
            sides = []
            for sign in (1, -1):
                moved = [other.clone() for other in points]
                moved[number][index] += sign * eps
                sides.append(extension(*moved))
            wanted = (sides[0] - sides[1]) / (2 * eps)
            assert abs(float(found[number][index]) - wanted) < 1e-7, (number, index)


@pytest.mark.parametrize("bits", [1, 3])
@torch.no_grad()
def test_relaxed_codes_are_half_a_step_or_less_from_the_codes(bits):
    x = accumulators(50, 4, 6, 6)
    norm = ThresholdNorm(4, bits)
    codes = norm(x)
    norm.relaxed = True
    floats = norm(x)
    assert floats.min() == 0
    assert floats.max() == 2**bits - 1
    assert float((floats - codes).abs().max()) <= 0.5 + 1e-5
    assert not torch.equal(floats, torch.floor(floats))


def test_running_statistics_move_by_a_tenth_until_frozen():
    norm = ThresholdNorm(2)
    first, second = accumulators(4, 2, 3, 3), accumulators(4, 2, 3, 3, seed=1, reach=9)
    norm(first)
    norm(second)
    wanted = 0.9 * first.mean((0, 2, 3)) + 0.1 * second.mean((0, 2, 3))
    torch.testing.assert_close(norm.running_mean, wanted)
    norm.freeze_statistics = True
    before = norm.running_mean.clone(), norm.running_variance.clone()
    codes = norm(first * 5)
    assert torch.equal(norm.running_mean, before[0])
    assert torch.equal(norm.running_variance, before[1])
    assert torch.equal(codes, norm.eval()(first * 5))


@pytest.mark.parametrize(
    "layer",
    [
        QuantConv2d(8, 30, 3, quantizer="btq"),
        QuantConv3d(4, 20, 3, quantizer="btq"),
        QuantLinear(60, 40, quantizer="btq"),
    ],
)
def test_balanced_ternary_weights_are_centred_and_hold_thirds(layer):
    with torch.no_grad():
        layer.weight.add_(0.8)
    for _ in range(400):  # the threshold follows with momentum 0.9, every 20 steps
        layer.quantized()
    assert abs(float(layer.weight.detach().mean())) < 1e-6
    codes = layer.codes()
    assert max(abs(float((codes == code).mean()) - 1 / 3) for code in (-1, 0, 1)) < 0.02
    delta = float(layer.step) / 2
    assert delta == pytest.approx(quant.ternary_threshold(layer.weight.detach()), rel=0.15)
    layer.eval()
    layer.quantized().sum().backward()
    assert torch.equal(layer.weight.grad, (layer.weight.abs() <= 3 * delta).float())


def test_balanced_ternary_stays_where_it_is_when_frozen():
    layer = QuantLinear(30, 20, quantizer="btq")
    layer.freeze_step = True
    with torch.no_grad():
        layer.weight.add_(0.3)
    before, step = layer.weight.detach().clone(), float(layer.step)
    layer.quantized()
    assert torch.equal(layer.weight.detach(), before)
    assert float(layer.step) == step


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ThresholdNorm(3, 9),
            "ThresholdNorm: 3 channels of 9 bits; give 1 or more, of 1 to 8 bits",
        ),
        (
            lambda: ThresholdNorm(3)(torch.zeros(1, 2, 4)),
            "ThresholdNorm: the input has shape (1, 2, 4); give N x 3 x ...",
        ),
        (
            lambda: ThresholdNorm(1).eval()(torch.full((1, 1, 2), 2.0**24)),
            "ThresholdNorm: accumulators can reach 16777216, float32 is exact below 16777216; "
            "use fewer input channels or levels",
        ),
        (
            lambda: QuantConv2d(2, 2, 1, levels=5, quantizer="btq"),
            "QuantConv2d: quantizer 'btq' has 3 levels, levels is 5; "
            "use levels=3, or quantizer='heq'",
        ),
        (
            lambda: QuantLinear(2, 2, quantizer="lsq"),
            "QuantLinear: quantizer 'lsq' is unknown; use heq or btq",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
