"""Histogram-equalized quantization: codes, step, occupancy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import quant
from codesign.errors import CodesignError
from codesign.ir import code_set

LEVELS = (2, 3, 4, 5, 7, 8)


def gaussian(count: int = 200_000) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(count)


@pytest.mark.parametrize("levels", range(2, 20))
def test_level_set_is_the_programs_code_set(levels):
    lo, hi, step = quant.level_set(levels)
    assert (code_set(levels).lo, code_set(levels).hi, code_set(levels).step) == (lo, hi, step)
    assert (hi - lo) // step + 1 == levels


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (2, [-1, -1, 1, 1, 1]),
        (3, [-1, -1, 0, 1, 1]),
        (4, [-3, -1, 1, 1, 3]),
        (5, [-2, -1, 0, 1, 2]),
    ],
)
def test_codes_by_hand(levels, expected):
    weights = np.array([-2.0, -0.5000001, 0.0, 0.5, 1.5])
    assert quant.codes(weights, 1.0, levels).tolist() == expected


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(LEVELS), st.integers(0, 2**32 - 1), st.floats(0.01, 10))
def test_numpy_and_torch_give_the_same_codes_of_the_set(levels, seed, step):
    weights = np.random.default_rng(seed).normal(size=257).astype(np.float32)
    ours = quant.codes(weights, step, levels)
    theirs = quant.codes(torch.from_numpy(weights), step, levels)
    assert np.array_equal(ours, theirs.numpy())
    assert code_set(levels).contains(ours.astype(np.int64))


@pytest.mark.parametrize("levels", LEVELS)
def test_codes_are_idempotent_at_level_centres(levels):
    step = 0.37
    lo, hi, spacing = quant.level_set(levels)
    codes = np.arange(lo, hi + 1, spacing)
    centres = codes * step / spacing  # an even set's codes are twice the centres' index
    assert np.array_equal(quant.codes(centres, step, levels), codes)


@pytest.mark.parametrize("levels", [3, 4])
@pytest.mark.parametrize("shape", ["normal", "uniform", "laplace", "logistic"])
def test_levels_are_equally_frequent(levels, shape):
    weights = getattr(np.random.default_rng(1), shape)(size=200_000)
    weights -= np.median(weights)
    codes = quant.codes(weights, quant.step_from_quantiles(weights, levels), levels)
    _, counts = np.unique(codes, return_counts=True)
    assert counts.size == levels
    assert abs(counts / weights.size - 1 / levels).max() < 0.02
    assert math.log2(levels) - quant.occupancy_entropy(codes, levels) < 0.001


@pytest.mark.parametrize(("levels", "ratio"), [(3, 0.8615), (4, 0.6745), (5, 0.5556), (7, 0.4123)])
def test_step_of_a_gaussian(levels, ratio):
    assert abs(quant.step_from_quantiles(gaussian(), levels) - ratio) < 0.01


def test_step_of_two_levels_puts_the_levels_at_the_median():
    weights = np.array([-3.0, -1.0, 1.0, 1.5, 4.0])
    assert quant.step_from_quantiles(weights, 2) == 3.0


def test_outer_mode_matches_the_outermost_quantile():
    weights = gaussian()
    step = quant.step_from_quantiles(weights, 5, "outer")
    codes = quant.codes(weights, step, 5)
    assert abs((abs(codes) == 2).mean() - 0.4) < 0.001
    assert step != quant.step_from_quantiles(weights, 5)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(LEVELS), st.sampled_from(quant.MODES), st.integers(-8, 8))
def test_step_scales_with_the_weights(levels, mode, exponent):
    weights = gaussian(1001)
    step = quant.step_from_quantiles(weights, levels, mode)
    assert quant.step_from_quantiles(weights * 2.0**exponent, levels, mode) == step * 2.0**exponent


def test_step_is_the_same_for_torch():
    weights = gaussian(1000)
    step = quant.step_from_quantiles(torch.from_numpy(weights), 5)
    assert step == quant.step_from_quantiles(weights, 5)


def test_a_shifted_mean_does_not_make_the_step_negative_or_lopsided():
    weights = np.abs(gaussian(1000))
    assert quant.step_from_quantiles(weights, 3) == quant.step_from_quantiles(-weights, 3)


def test_edge_is_the_last_threshold_and_a_half():
    assert quant.edge(0.5, 3) == 0.75


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quant.level_set(1), "1 levels are not a quantizer; use 2 or more"),
        (
            lambda: quant.codes(np.ones(3), 0.0, 3),
            "quantizer step is 0.0; it must be a number above 0: give weights that differ",
        ),
        (
            lambda: quant.step_from_quantiles(np.zeros(9), 3),
            "weights give a quantizer step of 0.0 for 3 levels; it must be a number above 0: "
            "give weights that differ",
        ),
        (
            lambda: quant.step_from_quantiles(np.full(9, np.nan), 3),
            "weights give a quantizer step of nan for 3 levels; it must be a number above 0: "
            "give weights that differ",
        ),
        (
            lambda: quant.step_from_quantiles(np.ones(3), 3, "mean"),
            "step mode 'mean' is unknown; use least_squares or outer",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
