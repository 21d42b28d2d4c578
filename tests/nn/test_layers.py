"""Layers: what they compute, what they keep, what they refuse."""

import math

import numpy as np
import pytest
import torch

from codesign import quant
from codesign.errors import CodesignError
from codesign.nn import (
    HWMSB,
    BitShiftNorm,
    ChannelShuffle,
    Flatten,
    GlobalSum,
    Heaviside,
    ImageInput,
    MaxPool2d,
    QuantConv2d,
    QuantLinear,
    Saturate,
    Sign,
)


def pixels(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=draw).float()


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 7])
def test_latent_weights_become_codes_and_pass_gradients_inside_the_edge(levels):
    torch.manual_seed(0)
    layer = QuantLinear(40, 30, levels).eval()
    codes = layer.quantized()
    assert np.array_equal(codes.detach().numpy(), layer.codes())
    codes.sum().backward()
    inside = layer.weight.abs() <= quant.edge(float(layer.step), levels)
    assert torch.equal(layer.weight.grad, inside.float())
    layer.clamp_latent()
    assert float(layer.weight.detach().abs().max()) <= quant.edge(float(layer.step), levels) * (
        1 + 1e-6
    )


def test_step_follows_the_quantiles_every_twenty_training_forwards_until_frozen():
    torch.manual_seed(0)
    layer = QuantLinear(40, 30, 3)
    before = float(layer.step)
    with torch.no_grad():
        layer.weight.mul_(2)
    layer.quantized()
    moved = float(layer.step)
    assert abs(moved - (0.9 + 0.1 * 2) * before) < 1e-6
    for _ in range(19):
        layer.quantized()
    assert float(layer.step) == moved
    layer.freeze_step = True
    for _ in range(40):
        layer.quantized()
    assert float(layer.step) == moved
    layer.freeze_step = False
    layer.eval().quantized()
    assert float(layer.step) == moved
    layer.train().quantized()
    assert float(layer.step) != moved


@pytest.mark.parametrize("pad_code", [0, -1, 3])
def test_convolution_reads_the_pad_code_outside_the_map(pad_code):
    torch.manual_seed(0)
    layer = QuantConv2d(2, 4, 3, padding=(1, 2), groups=2, levels=5, pad_code=pad_code).eval()
    x = pixels(1, 2, 4, 5)
    padded = torch.full((1, 2, 6, 9), float(pad_code))
    padded[:, :, 1:-1, 2:-2] = x
    wanted = torch.nn.functional.conv2d(padded, torch.from_numpy(layer.codes()).float(), groups=2)
    assert torch.equal(layer(x), wanted)


def test_bias_is_measured_in_full_scales_and_the_mean_is_removed():
    norm = BitShiftNorm(3)
    x = pixels(8, 3, 6, 6) * torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    norm(x)
    sigma = math.sqrt(float(x.var((0, 2, 3), unbiased=False).mean()))
    assert int(norm.exponent) == quant.full_scale_exponent(sigma)
    assert norm.shift == int(norm.exponent) - 2
    wanted = torch.floor(0.5 * 2 ** int(norm.exponent) - x.mean((0, 2, 3)) + 0.5)
    assert np.array_equal(norm.bias(), wanted.numpy())


def test_freezing_keeps_the_shift_and_the_mean():
    norm = BitShiftNorm(2)
    norm(pixels(4, 2, 4, 4))
    norm.freeze_shift = norm.freeze_mean = True
    exponent, mean = int(norm.exponent), norm.running_mean.clone()
    for _ in range(40):
        norm(pixels(4, 2, 4, 4) * 100)
    assert int(norm.exponent) == exponent
    assert torch.equal(norm.running_mean, mean)
    norm.freeze_shift = False
    norm(pixels(4, 2, 4, 4) * 100)
    assert int(norm.exponent) > exponent


def test_a_constant_map_keeps_the_last_shift():
    norm = BitShiftNorm(2)
    assert torch.isfinite(norm(torch.zeros(2, 2, 3, 3))).all()
    assert norm.shift == 0


def test_norm_and_activation_apart_equal_the_fused_layer():
    whole, apart = BitShiftNorm(3, HWMSB(3)), BitShiftNorm(3, None, bits=3)
    x = pixels(4, 3, 5, 5) * 7
    assert torch.equal(whole(x), HWMSB(3)(apart(x)))
    assert torch.equal(whole.eval()(x), HWMSB(3)(apart.eval()(x)))


@pytest.mark.parametrize(
    ("layer", "codes"),
    [
        (HWMSB(1), [0, 0, 1, 1]),
        (Saturate(2), [-2, 0, 1, 1]),
        (Heaviside(), [0, 0, 1, 1]),
        (Sign(), [-1, 1, 1, 1]),
    ],
)
def test_activations_alone(layer, codes):
    assert layer(torch.tensor([[-2.0], [0.0], [1.0], [3.0]])).flatten().tolist() == codes


def test_sums_of_bfloat16_codes_are_exact():
    codes = torch.full((1, 1, 40, 41), 3.0, dtype=torch.bfloat16)
    assert GlobalSum()(codes).tolist() == [[3.0 * 40 * 41]]


def big_codes():
    return torch.full((1, 300, 2, 2), 65535.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: QuantConv2d(48, 64, 3, groups=32),
            "QuantConv2d: 32 groups do not divide 48 input channels; "
            "use a divisor of 48 (1, 2, 3, 4, 6, 8, 12, 16, 24, 48)",
        ),
        (
            lambda: QuantConv2d(4, 6, 3, groups=4),
            "QuantConv2d: 4 groups do not divide 6 output channels; "
            "use a divisor of 6 (1, 2, 3, 6)",
        ),
        (
            lambda: QuantConv2d(1, 1, 3, stride=0),
            "QuantConv2d: stride is 0; give an integer of 1 or more, or two of them",
        ),
        (
            lambda: QuantConv2d(2, 2, 1)(torch.zeros(1, 3, 2, 2)),
            "QuantConv2d: the input has shape (1, 3, 2, 2); give N x 2 x height x width",
        ),
        (lambda: QuantLinear(4, 3, levels=200), "QuantLinear: levels is 200; give 2 to 127"),
        (lambda: QuantLinear(4, 3, levels=1), "1 levels are not a quantizer; use 2 or more"),
        (
            lambda: QuantLinear(4, 0),
            "weights of shape (0, 4) are empty; every size must be 1 or more",
        ),
        (
            lambda: QuantLinear(4, 3)(torch.zeros(2, 5)),
            "QuantLinear: the input has shape (2, 5); give N x 4",
        ),
        (
            lambda: BitShiftNorm(2, mean="batch"),
            "BitShiftNorm: mean 'batch' is unknown; use channel, layer, none",
        ),
        (
            lambda: BitShiftNorm(2, kappa=0),
            "BitShiftNorm: kappa is 0; give a number above 0",
        ),
        (
            lambda: BitShiftNorm(2, shift=32),
            "BitShiftNorm: shift is 32; give 0 to 31, or None to learn it",
        ),
        (
            lambda: BitShiftNorm(2, "relu"),
            "BitShiftNorm: activation is 'relu'; give HWMSB(bits), Saturate(bits), Heaviside(), "
            "Sign() or None",
        ),
        (
            lambda: BitShiftNorm(2)(torch.zeros(1, 3, 1, 1)),
            "BitShiftNorm: the input has shape (1, 3, 1, 1); give N x 2 x ...",
        ),
        (lambda: HWMSB(0), "HWMSB: 0 bits are no code; give 1 to 8"),
        (lambda: Saturate(9), "Saturate: 9 bits are no signed code; give 2 to 8"),
        (
            lambda: MaxPool2d(2)(torch.zeros(1, 1, 1, 4)),
            "MaxPool2d: the input has shape (1, 1, 1, 4); "
            "give N x C x height x width of at least 2 x 2",
        ),
        (
            lambda: ChannelShuffle(3)(torch.zeros(1, 4, 1, 1)),
            "ChannelShuffle: 3 groups do not divide 4 channels; use a divisor of 4 (1, 2, 4)",
        ),
        (
            lambda: GlobalSum()(torch.zeros(2, 3)),
            "GlobalSum: the input has shape (2, 3); give N x C x height x width",
        ),
        (
            lambda: ImageInput(3, 4, 4)(torch.zeros(1, 1, 4, 4)),
            "ImageInput: the input has shape (1, 1, 4, 4); give N x 3 x 4 x 4",
        ),
        (
            lambda: ImageInput(1, 1, 1).eval()(torch.full((1, 1, 1, 1), float("nan"))),
            "ImageInput: the input holds values that are not pixels; give integers 0 to 255",
        ),
        (
            lambda: QuantConv2d(1, 1, 1).eval()(torch.zeros(1, 1, 1, 1, dtype=torch.bfloat16)),
            "QuantConv2d: evaluation in bfloat16 does not hold all integers; give float32 inputs",
        ),
        (
            lambda: QuantConv2d(300, 1, 1, levels=2).eval()(big_codes()),
            "QuantConv2d: accumulators can reach 19660500, float32 is exact below 16777216; "
            "use fewer input channels or levels",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message


def test_flatten_is_row_major():
    x = torch.arange(12.0).reshape(1, 3, 2, 2)
    assert Flatten()(x).flatten().tolist() == list(range(12))
