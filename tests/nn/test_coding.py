"""Colours and thermometers: layers against their operations, levels, messages."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.nn import (
    TYCC,
    ImageInput,
    Input,
    Thermometer,
    YCbCr,
    fit_levels,
    quantile_levels,
    uniform_levels,
)


def test_tycc_is_its_program_on_every_engine():
    network = nn.Sequential(ImageInput(3, 16, 16), TYCC((7, 3, 4))).eval()
    corners = np.stack(np.meshgrid([0, 1, 128, 255], [0, 127, 255], [0, 254, 255]), -1)
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8)
    images.reshape(6, 3, -1)[0, :, :36] = corners.reshape(-1, 3).T
    graph = lower(network)
    assert [node.name for node in graph.nodes] == ["1.ycbcr", "1.thermometer"]
    with torch.no_grad():
        wanted = network(torch.from_numpy(images).float()).numpy()
        colours = network[1].ycbcr(torch.from_numpy(images).float()).numpy()
    assert wanted.shape == (6, 14, 16, 16)
    for engine in ENGINES:
        found = create(engine, graph, threads=1).run({"input": images}, keep=graph.results)
        assert np.array_equal(found["1.thermometer"], wanted), engine
        assert np.array_equal(found["1.ycbcr"], colours), engine


@pytest.mark.parametrize("low", [-1, 0])
def test_bits_of_a_component_fall_from_its_least_level(low):
    layer = Thermometer([[-2, 0, 5], [1]], low)
    codes = torch.tensor([[-3.0, 1.0], [-1.0, 2.0], [6.0, 0.0], [0.0, 1.0]])
    wanted = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 1], [1, 1, 1, 0], [1, 0, 0, 0]])
    assert torch.equal(layer(codes), (wanted * (1 - low) + low).float())
    network = nn.Sequential(Input((2,), -3, 6), layer)
    graph = lower(network)
    (found,) = create("reference", graph, threads=1).run({"input": codes.int().numpy()}).values()
    assert np.array_equal(found, layer(codes).numpy())


def test_both_keep_the_dtype_of_training():
    x = torch.randint(0, 256, (2, 3, 4, 4), generator=torch.Generator().manual_seed(0))
    coding = TYCC()
    assert torch.equal(coding(x.bfloat16()).float(), coding(x.float()))
    assert coding(x.bfloat16()).dtype == torch.bfloat16


def test_uniform_levels():
    assert uniform_levels(3) == [64, 128, 192]
    for count in (1, 16, 85, 255):
        assert uniform_levels(count) == [256 * j // (count + 1) for j in range(1, count + 1)]


@pytest.mark.parametrize("bits", [1, 4, 7])
def test_levels_of_fewer_bits_see_pixels_without_their_low_bits(bits):
    pixels = np.arange(256)
    for count in (1, 5, 85):
        short = [(j << bits) // (count + 1) for j in range(1, count + 1)]
        wanted = (pixels >> (8 - bits))[:, None] > np.array(short)
        assert np.array_equal(pixels[:, None] > np.array(uniform_levels(count, bits)), wanted)


def test_quantile_levels_split_a_training_set_evenly():
    draw = np.random.default_rng(1)
    images = torch.from_numpy(draw.beta(2, 5, (40, 3, 8, 8)) * 255).floor()
    coding = TYCC((7, 3, 3))
    coding.fit(images)
    share = (coding(images) == 1).float().mean((0, 2, 3))
    wanted = [1 - j / 8 for j in range(1, 8)] + [1 - j / 4 for j in (1, 2, 3)] * 2
    # a level holds the pixels of one code, at most 4 % of these
    assert np.abs(share.numpy() - wanted).max() < 0.04
    assert quantile_levels(np.array([4, 1, 3, 2]), 3) == [2, 3, 4]
    again = TYCC((7, 3, 3))
    again.load_state_dict(coding.state_dict())
    assert torch.equal(again(images), coding(images))
    plain = Thermometer([[0, 0]])
    fit_levels(plain, torch.arange(6).reshape(6, 1))
    assert plain.levels.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Thermometer([[1, 2], [5, 4, 6]]),
            "Thermometer: the levels of component 1 are [5, 4, 6]; give one or more, ascending",
        ),
        (
            lambda: Thermometer([[]]),
            "Thermometer: the levels of component 0 are []; give one or more, ascending",
        ),
        (lambda: Thermometer([[1]], low=1), "Thermometer: low is 1; give -1 or 0"),
        (
            lambda: Thermometer([[1, 2]]).place([[1]]),
            "Thermometer: has (2,) levels, (1,) are given; give as many",
        ),
        (
            lambda: Thermometer([[1], [2]])(torch.zeros(1, 3, 2, 2)),
            "Thermometer: the input has shape (1, 3, 2, 2); give N x 2 x ...",
        ),
        (
            lambda: YCbCr()(torch.zeros(1, 1, 2, 2)),
            "YCbCr: the input has shape (1, 1, 2, 2); give N x 3 x ...",
        ),
        (lambda: TYCC((4, 4)), "TYCC: counts are (4, 4); give three numbers, for Y, Cb and Cr"),
        (
            lambda: uniform_levels(0),
            "thermometer: 0 levels of 8 bits; give 1 level or more, 1 to 8 bits",
        ),
        (
            lambda: quantile_levels(np.zeros(0, np.int64), 2),
            "thermometer: there are no values to take quantiles of; give images",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
