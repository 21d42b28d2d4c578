"""QReLU after batch normalization as integer thresholds, against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import quant
from codesign.errors import CodesignError
from codesign.ir import lookup

REACH = 1 << 24


def exact(a, gamma, beta, mean, sigma, bits):
    """The code of the integer `a` by the float definition, in rational numbers."""
    gamma, beta, mean, sigma = (Fraction(float(part)) for part in (gamma, beta, mean, sigma))
    y = gamma * (a - mean) / sigma + beta
    if bits == 1:
        return int(y > 0)
    top = (1 << bits) - 1
    scaled = top * y + Fraction(1, 2)
    return min(max(scaled.numerator // scaled.denominator, 0), top)


def coded(a, thresholds, flip):
    """The codes that the folded thresholds give the integers `a`, one channel."""
    return lookup("threshold").reference(np.asarray(a)[:, None], thresholds, flip)[:, 0]


def around(thresholds):
    """Integers on both sides of every threshold, and the ends."""
    near = [t + d for t in thresholds.ravel().tolist() for d in (-2, -1, 0, 1, 2)]
    return sorted({t for t in near if -REACH < t < REACH} | {-REACH + 1, 0, REACH - 1})


# what training produces, and what makes thresholds fall on or next to integers
NUMBERS = st.one_of(
    st.floats(-100, 100, width=32),
    st.integers(-40, 40).map(float),
    st.integers(-64, 64).map(lambda n: n / 16),
    st.sampled_from([1e-30, -1e-30, 2.0**-149, -(2.0**-140), 1e20, -1e20]),
)
SIGMAS = st.one_of(
    st.floats(2**-10, 2**13, width=32), st.integers(1, 30).map(float), st.just(1e-20), st.just(1e30)
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(NUMBERS, NUMBERS, NUMBERS, SIGMAS, st.integers(1, 4))
def test_codes_are_those_of_the_float_definition_exactly(gamma, beta, mean, sigma, bits):
    thresholds, flip = quant.fold([gamma], [beta], [mean], [sigma], bits)
    assert thresholds.shape == (1, 2**bits - 1)
    assert flip.tolist() == [int(gamma < 0)]
    points = around(thresholds)
    wanted = [exact(a, gamma, beta, mean, sigma, bits) for a in points]
    assert coded(points, thresholds, flip).tolist() == wanted


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("sign", [1, -1])
def test_thresholds_on_integers_decide_ties_as_the_definition(bits, sign):
    # y = (2j - 1) / (2 top) exactly at A = (2j - 1) * 5: the half rounds up; y = 0 is not above 0
    top = 2**bits - 1
    gamma, sigma = sign * 1.0, 10.0 * top
    thresholds, flip = quant.fold([gamma], [0.0], [0.0], [sigma], bits)
    if bits == 1:
        assert thresholds.tolist() == [[sign]]
    else:
        places = sorted(sign * (2 * j - 1) * 5 for j in range(1, top + 1))
        assert thresholds.tolist() == [places]
    points = range(-10 * top, 10 * top + 1)
    wanted = [exact(a, gamma, 0, 0, sigma, bits) for a in points]
    assert coded(points, thresholds, flip).tolist() == wanted
    assert set(wanted) == set(range(top + 1))


def test_a_threshold_that_float64_puts_on_the_wrong_side_of_an_integer():
    # in exact numbers the place is above the integer by 2^-70 of its size; float64 says equal
    gamma, beta, sigma = 1.0, -(2.0**-70), 1.0
    thresholds, flip = quant.fold([gamma], [beta], [7.0], [sigma], 1)
    assert 7.0 + sigma / gamma * (0 - beta) == 7.0
    assert thresholds.tolist() == [[8]]
    thresholds, _ = quant.fold([gamma], [-beta], [7.0], [sigma], 1)
    assert thresholds.tolist() == [[7]]  # y(7) = 2^-70 is above 0
    assert exact(7, gamma, -beta, 7.0, sigma, 1) == 1
    assert flip.tolist() == [0]


@pytest.mark.parametrize(
    ("beta", "bits", "code"),
    [(0.0, 1, 0), (1e-30, 1, 1), (-3.0, 1, 0), (0.5, 3, 4), (0.49, 2, 1), (9.0, 2, 3), (-1, 4, 0)],
)
def test_gamma_of_zero_gives_a_constant_code(beta, bits, code):
    thresholds, flip = quant.fold([0.0, 1.0], [beta, 0.0], [5.0, 0.0], [2.0, 1.0], bits)
    assert coded([-REACH + 1, -5, 0, 5, REACH - 1], thresholds[:1], flip[:1]).tolist() == [code] * 5
    assert exact(3, 0, beta, 5, 2, bits) == code


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([(6,), (3, 5), (2, 2, 3)]))
def test_counting_is_the_operation_for_numpy_and_torch(seed, bits, sizes):
    random = np.random.default_rng(seed)
    gamma = random.normal(size=4)
    parts = random.normal(size=4), 20 * random.normal(size=4), 1 + 30 * random.random(4)
    thresholds, flip = quant.fold(gamma, *parts, bits)
    x = random.integers(-60, 60, (3, 4, *sizes))
    wanted = lookup("threshold").reference(x, thresholds, flip)
    assert np.array_equal(quant.count_thresholds(x, thresholds, flip), wanted)
    found = quant.count_thresholds(
        torch.from_numpy(x).float(), torch.from_numpy(thresholds), torch.from_numpy(flip)
    )
    assert np.array_equal(found.numpy(), wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: quant.fold([1.0], [0.0], [0.0], [1.0], 9),
            "QReLU: 9 bits are no code; give 1 to 8",
        ),
        (
            lambda: quant.fold([1.0], [np.nan], [0.0], [1.0], 2),
            "QReLU: gamma, beta, mean and sigma must be finite and sigma above 0; "
            "the accumulators or the training have gone astray",
        ),
        (
            lambda: quant.fold([1.0], [0.0], [0.0], [0.0], 2),
            "QReLU: gamma, beta, mean and sigma must be finite and sigma above 0; "
            "the accumulators or the training have gone astray",
        ),
        (
            lambda: quant.count_thresholds(np.zeros((1, 3)), np.zeros((2, 1)), np.zeros(2)),
            "thresholds of 2 channels, x has 3; give one row a channel",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
