"""The compiled passes against the plain torch path, which is the definition."""

import pytest
import torch
from torch.nn import functional

from codesign.nn import HWMSB, BitShiftNorm, ChannelShuffle, Heaviside, MaxPool2d, Sign

DTYPES = (torch.float32, torch.bfloat16)
ACTIVATIONS = (HWMSB(1), HWMSB(2), HWMSB(4), Heaviside(), Sign())


def accumulators(shape, dtype, seed=0):
    """Integers with a mean far from zero, in channels-last memory."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=draw) * 40 + 90
    return torch.floor(x).to(dtype).contiguous(memory_format=torch.channels_last)


def run(fused, activation, mean, dtype, frozen=False):
    torch.manual_seed(1)
    norm = BitShiftNorm(5, activation, mean=mean, fused=fused)
    norm.freeze_mean = frozen
    x = accumulators((3, 5, 7, 6), dtype).requires_grad_()
    first = norm(x)
    first = norm(x)  # the second step has a hysteresis to keep
    weights = torch.randn(first.shape, generator=torch.Generator().manual_seed(2))
    (first.float() * weights.to(dtype).float()).sum().backward()
    return norm, first, x.grad


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mean", ["channel", "layer", "none"])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_training_step_equals_the_definition(activation, mean, dtype):
    norm, codes, gradient = run(True, activation, mean, dtype)
    plain, wanted, wanted_gradient = run(False, activation, mean, dtype)
    assert torch.equal(codes, wanted)
    assert codes.dtype == dtype
    assert norm.shift == plain.shift
    assert torch.equal(norm.exponent, plain.exponent)
    assert torch.equal(torch.from_numpy(norm.bias()), torch.from_numpy(plain.bias()))
    # float gradients: sums are taken in another order, bfloat16 keeps 8 bits
    slack = 1e-5 if dtype == torch.float32 else 2e-2
    scale = float(wanted_gradient.abs().max())
    assert float((gradient - wanted_gradient).abs().max()) <= slack * scale
    assert float((norm.beta.grad - plain.beta.grad).abs().max()) <= 1e-3 * float(
        plain.beta.grad.abs().max()
    )


def test_frozen_mean_passes_no_gradient_through_the_mean():
    _, codes, gradient = run(True, HWMSB(2), "channel", torch.float32, frozen=True)
    _, wanted, wanted_gradient = run(False, HWMSB(2), "channel", torch.float32, frozen=True)
    assert torch.equal(codes, wanted)
    assert torch.equal(gradient, wanted_gradient)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_evaluation_equals_the_definition(activation):
    codes = []
    for fused in (True, False):
        norm, _, _ = run(fused, activation, "channel", torch.float32)
        codes.append(norm.eval()(accumulators((2, 5, 9, 4), torch.float32, seed=5)))
    assert torch.equal(*codes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "kernel"), [((2, 3, 8, 6), 2), ((1, 4, 7, 9), 3)])
def test_max_pool_is_torchs(shape, kernel, dtype):
    x = torch.randint(0, 4, shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    results = []
    for pool in (MaxPool2d(kernel), lambda t: functional.max_pool2d(t, kernel)):
        leaf = x.clone().requires_grad_()
        y = pool(leaf)
        scale = torch.arange(y.numel(), dtype=dtype).reshape(y.shape) % 64
        (y * scale).sum().backward()
        results.append((y, leaf.grad))
    (ours, gradient), (theirs, wanted) = results
    assert torch.equal(ours, theirs)
    assert torch.equal(gradient, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_shuffle_is_a_transpose_and_its_own_undoing(dtype):
    x = torch.arange(2 * 12 * 3 * 2).remainder(200).reshape(2, 12, 3, 2).to(dtype).requires_grad_()
    shuffled = ChannelShuffle(3)(x)
    wanted = x.reshape(2, 3, 4, 3, 2).transpose(1, 2).reshape(x.shape)
    assert torch.equal(shuffled, wanted)
    assert torch.equal(ChannelShuffle(4)(shuffled), x)
    (shuffled * x.detach()).sum().backward()
    expected = x.detach().reshape(2, 4, 3, 3, 2).transpose(1, 2).reshape(x.shape)
    assert torch.equal(x.grad, expected)


@pytest.mark.parametrize("layer", [BitShiftNorm(4), MaxPool2d(2), ChannelShuffle(2)], ids=str)
def test_memory_stays_channels_last(layer):
    x = accumulators((2, 4, 6, 6), torch.bfloat16)
    assert layer(x).is_contiguous(memory_format=torch.channels_last)


def test_not_a_number_stays_out_of_the_codes_but_in_the_loss():
    norm = BitShiftNorm(2)
    x = accumulators((1, 2, 4, 4), torch.float32)
    x[0, 0, 0, 0] = float("nan")
    assert not torch.isfinite(norm(x)).all()


def test_one_and_two_threads_give_the_same_bytes():
    from codesign.train._machine import use_threads

    before, results = torch.get_num_threads(), []
    for threads in (1, 2):
        use_threads(threads)
        results.append(run(True, HWMSB(2), "channel", torch.float32))
    use_threads(before)
    (first, codes, gradient), (second, other_codes, other_gradient) = results
    assert torch.equal(codes, other_codes)
    assert torch.equal(gradient, other_gradient)
    assert torch.equal(first.running_mean, second.running_mean)
