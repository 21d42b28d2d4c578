"""Inputs of any code set, convolutions and pools of one to three axes, rearrangements."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.engine import create
from codesign.errors import CodesignError, UnsupportedError
from codesign.nn import (
    HWMSB,
    BitShiftNorm,
    ClipInput,
    Concat,
    Input,
    MaxPool3d,
    QuantConv1d,
    QuantConv2d,
    QuantConv3d,
    Repeat,
    Slice,
    Transpose,
)


class Clip(nn.Module):
    """Every rearrangement on a clip, and a sequence at the end."""

    def __init__(self):
        super().__init__()
        self.clip = ClipInput(2, 6, 5, 4)
        self.conv = QuantConv3d(2, 4, (3, 3, 1), stride=(2, 1, 1), padding=(1, 1, 0), groups=2)
        self.norm = BitShiftNorm(4, HWMSB(2))
        self.pool = MaxPool3d((1, 2, 2))
        self.two = Repeat(2)
        self.join = Concat()
        self.some = Slice(1, 12, 3)
        self.turn = Transpose(1, 0, 2, 3)
        self.one = Slice(2, 3, axis=0)

    def forward(self, x):
        y = self.pool(self.norm(self.conv(self.clip(x))))
        return self.one(self.turn(self.some(self.join(y, self.two(y)))))


class Sequence(nn.Sequential):
    def __init__(self):
        super().__init__(
            Input((3, 9), -3, 3, 2), QuantConv1d(3, 4, 3, padding=1, pad_code=-3, levels=5)
        )


@pytest.mark.parametrize(
    ("network", "low", "step", "count"), [(Clip(), 0, 1, 256), (Sequence(), -3, 2, 4)]
)
def test_the_program_computes_what_torch_computes(network, low, step, count):
    torch.manual_seed(0)
    shape = next(network.children()).shape
    codes = np.random.default_rng(1).integers(0, count, (3, *shape)) * step + low
    x = torch.from_numpy(codes).float()
    network.train()(x)
    with torch.no_grad():
        wanted = network.eval()(x).numpy()
    graph = lower(network)
    for engine in ("reference", "numba", "onnxruntime"):
        (found,) = create(engine, graph, threads=1).run({graph.inputs[0]: codes}).values()
        assert np.array_equal(found, wanted), engine


def test_a_layer_says_how_many_tensors_it_takes():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.image, self.join = Input((2, 3), 0, 1), Concat()

        def forward(self, x):
            return self.join(self.image(x))

    with pytest.raises(UnsupportedError) as error:
        lower(Wrong())
    assert str(error.value) == (
        "join: Concat is called with 1 tensors; call it with two, by position"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Input((), 0, 1),
            "Input: shape () is empty; give sizes of 1 or more",
        ),
        (
            lambda: Input((2,), -1, 2, 2),
            "Input: codes -1 to 2 in steps of 2 are no set; give lo <= hi that differ by a "
            "multiple of the step",
        ),
        (
            lambda: Input((2,), -1, 1, 2).eval()(torch.zeros(1, 2)),
            "Input: the input holds values that are not codes; give integers -1 to 1 in steps of 2",
        ),
        (
            lambda: ClipInput(3, 16, 8, 8)(torch.zeros(1, 3, 15, 8, 8)),
            "ClipInput: the input has shape (1, 3, 15, 8, 8); give N x 3 x 16 x 8 x 8",
        ),
        (
            lambda: QuantConv3d(1, 1, (3, 3)),
            "QuantConv3d: kernel is (3, 3); give an integer of 1 or more, or three of them",
        ),
        (
            lambda: QuantConv1d(1, 1, 0),
            "QuantConv1d: kernel is 0; give an integer of 1 or more",
        ),
        (
            lambda: QuantConv2d(1, 1, 1)(torch.zeros(1, 1, 2)),
            "QuantConv2d: the input has shape (1, 1, 2); give N x 1 x height x width",
        ),
        (
            lambda: MaxPool3d((1, 2, 2))(torch.zeros(1, 1, 2, 2, 1)),
            "MaxPool3d: the input has shape (1, 1, 2, 2, 1); give N x C x frames x height x width "
            "of at least 1 x 2 x 2",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
