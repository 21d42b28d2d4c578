"""Balanced ternary quantization: thirds, ties, scale; and HEQ's occupancy beside it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import quant
from codesign.errors import CodesignError

SHAPES = ("normal", "uniform", "laplace", "logistic", "bimodal", "heavy")


def weights(shape, count=100_000, seed=1):
    """Continuous weights, symmetric about zero."""
    random = np.random.default_rng(seed)
    if shape == "bimodal":
        return random.choice([-1.0, 1.0], count) * (1 + 0.4 * random.normal(size=count))
    if shape == "heavy":
        return random.standard_t(3, count)
    if shape == "uniform":
        return random.uniform(-1, 1, count)
    return getattr(random, shape)(size=count)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_each_level_holds_a_third_of_centred_weights(shape, shift):
    found = weights(shape) + shift
    found -= found.mean()
    codes = quant.ternary_codes(found, quant.ternary_threshold(found))
    shares = [(codes == code).mean() for code in (-1, 0, 1)]
    assert sum(shares) == 1
    assert max(abs(share - 1 / 3) for share in shares) < 0.02


@pytest.mark.parametrize("levels", [3, 4])
@pytest.mark.parametrize("shape", ["bimodal", "heavy"])
def test_histogram_equalized_levels_hold_equal_shares_of_odd_distributions(levels, shape):
    found = weights(shape)
    codes = quant.codes(found, quant.step_from_quantiles(found, levels), levels)
    lo, hi, spacing = quant.level_set(levels)
    shares = [(codes == code).mean() for code in range(lo, hi + 1, spacing)]
    assert max(abs(share - 1 / levels) for share in shares) < 0.02


def test_codes_by_hand_the_threshold_itself_is_zero():
    codes = quant.ternary_codes(np.array([-2.0, -0.5, -0.49, 0.0, 0.5, 0.51]), 0.5)
    assert codes.tolist() == [-1, 0, 0, 0, 0, 1]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(-8, 8))
def test_scaling_the_weights_scales_the_threshold_and_keeps_the_codes(seed, exponent):
    found = np.random.default_rng(seed).normal(size=301)
    delta, factor = quant.ternary_threshold(found), 2.0**exponent
    assert quant.ternary_threshold(found * factor) == delta * factor
    codes = quant.ternary_codes(found, delta)
    assert np.array_equal(quant.ternary_codes(found * factor, delta * factor), codes)
    assert np.array_equal(quant.ternary_codes(-found, delta), -codes)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_equalized_ternary_of_twice_the_threshold(seed):
    found = np.random.default_rng(seed).normal(size=257)
    delta = quant.ternary_threshold(found)
    step = quant.step_from_quantiles(found, 3)
    assert step == pytest.approx(2 * delta)
    ties = np.abs(found) == delta
    assert np.array_equal(
        quant.ternary_codes(found, delta)[~ties], quant.codes(found, 2 * delta, 3)[~ties]
    )
    assert quant.ternary_edge(delta) == pytest.approx(quant.edge(2 * delta, 3))


def test_torch_gives_the_same():
    found = np.random.default_rng(0).normal(size=100).astype(np.float32)
    delta = quant.ternary_threshold(found)
    assert quant.ternary_threshold(torch.from_numpy(found)) == delta
    ours = quant.ternary_codes(torch.from_numpy(found), delta)
    assert np.array_equal(ours.numpy(), quant.ternary_codes(found, delta))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: quant.ternary_codes(np.ones(3), 0.0),
            "ternary threshold is 0.0; it must be a number above 0: give weights that differ",
        ),
        (
            lambda: quant.ternary_threshold(np.zeros(9)),
            "weights give a ternary threshold of 0.0; "
            "it must be a number above 0: give weights that differ",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
