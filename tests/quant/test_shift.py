"""Rounding, the shift rule, normalization and activations: both array kinds, and the op table."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import quant
from codesign.errors import CodesignError
from codesign.ir import lookup


def accumulators() -> np.ndarray:
    edges = [-(2**20), -9, -8, -5, -4, -1, 0, 1, 3, 4, 7, 8, 15, 16, 2**20]
    drawn = np.random.default_rng(0).integers(-300, 300, 81 * 4 - len(edges))
    return np.concatenate([edges, drawn]).reshape(3, 4, 27)


def test_round_half_up():
    values = np.array([-1.5, -0.5, -0.49, 0.0, 0.5, 1.5, 2.5])
    assert quant.round_half_up(values).tolist() == [-1, 0, 0, 0, 1, 2, 3]
    assert quant.round_half_up(torch.from_numpy(values)).tolist() == [-1, 0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize("shift", [0, 1, 3, 7])
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_hwmsb_is_the_operation(bits, shift):
    x = accumulators()
    wanted = lookup("hwmsb").reference(x, bits=bits, shift=shift)
    assert np.array_equal(quant.hwmsb(x, bits, shift), wanted)
    assert np.array_equal(quant.hwmsb(x.astype(np.float32), bits, shift), wanted)
    assert np.array_equal(quant.hwmsb(torch.from_numpy(x), bits, shift).numpy(), wanted)
    assert np.array_equal(quant.hwmsb(torch.from_numpy(x).float(), bits, shift).numpy(), wanted)


@pytest.mark.parametrize("name", ["heaviside", "sign"])
def test_step_activations_are_the_operations(name):
    x, activation = accumulators(), getattr(quant, name)
    wanted = lookup(name).reference(x)
    for array in (x, x.astype(np.float32)):
        assert np.array_equal(activation(array), wanted)
        assert np.array_equal(activation(torch.from_numpy(array)).numpy(), wanted)


@pytest.mark.parametrize("shift", [0, 2, 5])
def test_bit_shift_norm_is_the_operation(shift):
    x, bias = accumulators(), np.array([-7, 0, 3, 1000])
    wanted = lookup("bit_shift_norm").reference(x, bias, shift=shift)
    assert np.array_equal(quant.bit_shift_norm(x, bias, shift), wanted)
    floats = quant.bit_shift_norm(
        torch.from_numpy(x).float(), torch.from_numpy(bias).float(), shift
    )
    assert np.array_equal(floats.numpy(), wanted)


def test_integer_bias_rounds_half_up():
    assert quant.integer_bias(np.array([1.0, 1.0]), np.array([0.5, 1.5])).tolist() == [1, 0]


@settings(deadline=None, derandomize=True)
@given(st.floats(1e-3, 1e6), st.floats(0.25, 8))
def test_full_scale_is_the_nearest_power_of_two(sigma, kappa):
    exponent = quant.full_scale_exponent(sigma, kappa)
    assert 2 ** (exponent - 0.5) <= kappa * sigma * (1 + 1e-12)
    assert kappa * sigma <= 2 ** (exponent + 0.5) * (1 + 1e-12)


def test_full_scale_moves_only_past_the_hysteresis():
    assert quant.full_scale_exponent(2**3.7, 1.0) == 4
    assert quant.full_scale_exponent(2**3.7, 1.0, current=3) == 3
    assert quant.full_scale_exponent(2**3.8, 1.0, current=3) == 4
    assert quant.full_scale_exponent(2**2.2, 1.0, current=3) == 2


def test_shift_leaves_the_bits_of_a_code():
    assert [quant.shift_for(e, 2) for e in (0, 2, 3, 9)] == [0, 0, 1, 7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: quant.hwmsb(np.zeros(3), bits=0),
            "hwmsb: 0 bits above position 0 are no code; give bits >= 1 and shift >= 0",
        ),
        (
            lambda: quant.bit_shift_norm(np.zeros((1, 3)), np.zeros(2), 0),
            "bit_shift_norm: bias has shape (2,), x has 3 channels; give one bias a channel",
        ),
        (
            lambda: quant.bit_shift_norm(np.zeros((1, 2), int), np.zeros(2), 0),
            "bit_shift_norm: x holds integers, the bias floats; round the bias first",
        ),
        (
            lambda: quant.full_scale_exponent(0.0),
            "full scale of kappa 2.0 x sigma 0.0 is not a number above 0; "
            "the layer's accumulators are constant or not finite",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
