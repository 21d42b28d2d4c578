"""Recurrent layers in torch: surrogates, folding, equality with the program, streams, refusals."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError, UnsupportedError
from codesign.nn import (
    FrameVectors,
    Input,
    LSTMHidden,
    QuantConv2d,
    QuantGRU,
    QuantizedWeights,
    QuantLSTM,
    SequenceSum,
)
from codesign.nn._surrogates import sign_gate, step_gate

#: (kind of layer, its options); the LSTM in every width of its cell.
KINDS = [
    *((QuantLSTM, {"bits": bits, "ternary": ternary}) for bits in (1, 2, 4, 8)
      for ternary in (False, True)),
    (QuantGRU, {}),
]  # fmt: skip
NAMES = [kind.__name__ + "".join(map(str, options.values())) for kind, options in KINDS]


def bits(shape, seed=0):
    return torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(seed)).float()


def settled(kind, features, units, *, seed=0, **options):
    """A layer with means and biases as training leaves them."""
    torch.manual_seed(seed)
    layer = kind(features, units, **options).train()
    with torch.no_grad():
        for number in range(2):
            layer(bits((4, 5, features), number))
        layer.beta.add_(torch.randn(layer.beta.shape) * 0.5)
    return layer.eval()


class Head(nn.Module):
    """Bits of `steps` steps; the hidden codes of each, and their sum."""

    def __init__(self, layer, steps):
        super().__init__()
        self.x, self.layer, self.sum = Input((steps, layer.features), 0, 1), layer, SequenceSum()
        self.hidden = LSTMHidden(layer.ternary) if isinstance(layer, QuantLSTM) else None

    def forward(self, x):
        states = self.layer(self.x(x))
        hidden = states if self.hidden is None else self.hidden(states)
        return hidden, self.sum(hidden)


class Stream(nn.Module):
    """One step at a time: the state comes in and goes out."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.x = layer, Input((1, layer.features), 0, 1)
        codes = (-1, 1, 2)
        self.hidden = None
        if isinstance(layer, QuantLSTM):
            top = (1 << (layer.bits - 1)) - 1
            codes, self.hidden = (-2 * top, 2 * top + 1, 1), LSTMHidden(layer.ternary)
        self.state, self.last = Input((layer.units,), *codes), SequenceSum()

    def forward(self, x, state):
        states = self.layer(self.x(x), self.state(state))
        following = self.last(states)  # of one step
        return states if self.hidden is None else self.hidden(states), following


class TestSurrogates:
    """Each gradient against the definition, by central differences in float64."""

    x = torch.tensor([-3.0, -0.99, -0.4, -0.051, 0.049, 0.3, 0.97, 2.5], dtype=torch.float64)

    @staticmethod
    def slopes(function, x, step=1e-6):
        return (function(x + step) - function(x - step)) / (2 * step)

    @pytest.mark.parametrize("gate", [step_gate, sign_gate])
    @pytest.mark.parametrize("slope", [0.5, 1.0, 10.0])
    @pytest.mark.parametrize("gates", ["smooth", "hard", "binary"])
    def test_the_gradient_is_that_of_the_hard_gate(self, gate, gates, slope):
        x = self.x.clone().requires_grad_()
        gate(x, gates, slope).sum().backward()
        shape = "hard" if gates == "binary" else gates
        expected = self.slopes(lambda v: gate(v, shape, slope), self.x)
        assert torch.allclose(x.grad, expected, atol=1e-6)
        assert float(x.grad.abs().max()) > 0

    def test_the_formulas(self):
        x = torch.tensor([-2.0, -0.25, 0.0, 0.25, 2.0])
        assert step_gate(x, "hard", 2.0).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
        assert sign_gate(x, "hard", 2.0).tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
        assert step_gate(x, "binary", 1.0).tolist() == [0, 0, 0, 1, 1]
        assert sign_gate(x, "binary", 1.0).tolist() == [-1, -1, 1, 1, 1]
        assert torch.equal(step_gate(x, "smooth", 1.0), torch.sigmoid(x))
        assert torch.equal(sign_gate(x, "smooth", 1.0), torch.tanh(x))

    @pytest.mark.parametrize(("kind", "options"), KINDS, ids=NAMES)
    @pytest.mark.parametrize("gates", ["smooth", "hard"])
    def test_relaxed_layers_by_differences(self, kind, options, gates):
        torch.manual_seed(4)
        layer = kind(3, 2, **options).double()
        layer.use_gates(gates, 0.25)
        layer.feed.relaxed = layer.recurrent.relaxed = True
        layer.eval()  # means kept: a step of one weight moves nothing else
        # float32 sums inside: cast away
        x = bits((2, 4, 3), 1)

        def loss():
            states = layer(x.double())
            hidden = LSTMHidden(layer.ternary)(states) if kind is QuantLSTM else states
            return (hidden * torch.arange(1.0, 17.0).reshape(2, 4, 2)).sum()

        layer._fed = lambda v: (  # the same sums in float64, with the unrounded bias
            v @ layer.feed.quantized().T + layer.beta * 2.0**layer.exponent
        )
        layer._state = lambda v, state, begin: v.new_full((2, 2), begin)
        loss().backward()
        for parameter in (layer.feed.weight, layer.recurrent.weight, layer.beta):
            with torch.no_grad():
                flat = parameter.view(-1)
                for place in range(0, len(flat), 5):
                    before, step = float(flat[place]), 1e-6
                    flat[place] = before + step
                    high = float(loss())
                    flat[place] = before - step
                    low = float(loss())
                    flat[place] = before
                    found = float(parameter.grad.view(-1)[place])
                    assert found == pytest.approx((high - low) / (2 * step), abs=1e-4), place
        assert float(layer.recurrent.weight.grad.abs().max()) > 0

    def test_the_cell_saturates_and_its_gradient_stops_there(self):
        layer = QuantLSTM(1, 1, bits=2)
        with torch.no_grad():  # every gate open: c counts up to 1 and stays
            layer.beta.fill_(4.0)
        layer.train()
        layer._fed = lambda x: x.new_tensor([8.0, 8, 8, 8]).expand(1, 5, 4)
        assert layer(torch.ones(1, 5, 1)).flatten().tolist() == [3.0] * 5

    def test_hidden_gradients_are_those_of_the_product(self):
        for ternary in (False, True):
            layer = QuantLSTM(1, 1, ternary=ternary)
            for c, o in ((0, 0), (0, 1), (-2, 0), (-2, 1), (3, 1), (7, 0)):
                cell = torch.tensor([[float(c)]], requires_grad=True)
                opened = torch.tensor([[float(o)]], requires_grad=True)
                layer._hidden(cell, opened).sum().backward()
                sign, slope = (1 if c >= 0 else -1), (0.25 if abs(c) <= 4 else 0.0)
                assert float(cell.grad) == o * slope
                assert float(opened.grad) == (sign if ternary else sign + 1)


def test_the_mean_is_folded_and_the_scale_comes_from_the_fan_in():
    layer = QuantLSTM(100, 28)
    assert (layer.exponent, QuantGRU(1, 1).exponent, QuantGRU(128, 128).exponent) == (4, 1, 4)
    x = bits((6, 7, 100), 2)
    layer.train()
    layer(x)
    sums = x.reshape(-1, 100).double() @ torch.from_numpy(layer.feed.codes()).double().T
    assert torch.allclose(layer.running_mean.double(), sums.mean(0), atol=1e-3)
    layer(torch.zeros(1, 3, 100))
    assert torch.allclose(layer.running_mean.double(), 0.9 * sums.mean(0), atol=1e-3)
    wanted = torch.floor(layer.beta * 16 - layer.running_mean + 0.5)
    assert layer.bias().tolist() == wanted.tolist()
    assert layer.beta.reshape(4, 28)[1].eq(0.5).all()
    assert layer.beta.count_nonzero() == 28


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=NAMES)
def test_torch_and_every_engine_agree(kind, options):
    layer = settled(kind, 9, 6, **options)
    network = Head(layer, 12)
    graph = lower(network, name="head")
    names = ["fill", kind.__name__.removeprefix("Quant").lower()]
    names += ["lstm_hidden"] * (kind is QuantLSTM) + ["transpose", "reshape", "sum_pool"]
    assert [node.op for node in graph.nodes] == names
    x = bits((50, 12, 9), 3)
    with torch.no_grad():
        states, (hidden, total) = layer(x), network(x)
    expected = {"layer": states, "sum": total}
    expected["hidden" if kind is QuantLSTM else "layer"] = hidden
    batch = {"x": x.numpy().astype(np.uint8)}
    values = {e: create(e, graph, threads=1).run(batch, keep=graph.results) for e in ENGINES}
    for engine, found in values.items():
        for name, tensor in expected.items():
            assert np.array_equal(found[name], tensor.numpy().astype(np.int64)), (engine, name)
        for name in graph.results:
            assert np.array_equal(found[name], values["reference"][name]), (engine, name)
    assert len(np.unique(values["reference"]["layer"])) > 1


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=NAMES)
def test_step_by_step_equals_the_whole_sequence(kind, options):
    layer = settled(kind, 5, 7, **options)
    graph = lower(Stream(layer), name="stream")
    assert graph.inputs == ("x", "state")
    x = bits((8, 10, 5), 5)
    with torch.no_grad():
        whole = layer(x)
    start = -1 if kind is QuantGRU else 0
    for engine in ENGINES:
        executor = create(engine, graph, threads=1)
        state = np.full((8, 7), start, np.int8)
        for t in range(10):
            found = executor.run(
                {"x": x[:, t : t + 1].numpy().astype(np.uint8), "state": state}, keep=["layer"]
            )
            assert np.array_equal(found["layer"][:, 0], whole[:, t].numpy()), (engine, t)
            state = found["last"].astype(np.int8)
    with torch.no_grad():  # torch carries it too
        first = layer(x[:, :4])
        assert torch.equal(layer(x[:, 4:], first[:, -1]), whole[:, 4:])


def test_10000_steps_of_one_lstm_in_torch_and_every_engine():
    layer = settled(QuantLSTM, 8, 16)
    graph = lower(Head(layer, 10_000), name="long")
    x = bits((1, 10_000, 8), 6)
    with torch.no_grad():
        states = layer(x).numpy().astype(np.int64)
    assert len(np.unique(states)) == 30  # every packed state of a cell of 4 b
    for engine in ENGINES:
        found = create(engine, graph, threads=1).run({"x": x.numpy().astype(np.uint8)}, ["layer"])
        assert np.array_equal(found["layer"], states), engine


def test_training_moves_every_parameter_and_evaluation_is_on_codes():
    torch.manual_seed(0)
    for kind in (QuantLSTM, QuantGRU):
        layer = kind(12, 8)
        hidden = layer(bits((16, 6, 12)))
        if kind is QuantLSTM:
            assert hidden.requires_grad is False
            hidden = LSTMHidden()(hidden)
        (hidden * torch.randn(16, 6, 8)).sum().backward()
        for name, parameter in layer.named_parameters():
            assert float(parameter.grad.abs().sum()) > 0, name
    found = [type(m) for m in QuantLSTM(3, 2).modules()]
    assert found.count(QuantizedWeights) == 2  # what the optimizer and the clamp look for


def test_frames_and_sums_are_arrangements():
    x = torch.arange(2 * 3 * 4 * 2 * 2).reshape(2, 3, 4, 2, 2).float()
    vectors = FrameVectors()(x)
    assert vectors.shape == (2, 4, 12)
    assert vectors[1, 2].tolist() == x[1, :, 2].flatten().tolist()
    assert FrameVectors()(x[..., 0, 0]).tolist() == x[..., 0, 0].transpose(1, 2).tolist()
    assert SequenceSum()(vectors).tolist() == vectors.sum(1).tolist()
    network = nn.Sequential(Input((3, 4, 2, 2), 0, 255), FrameVectors(), SequenceSum())
    graph = lower(network, name="net")
    given = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 2, 2), dtype=np.uint8)
    expected = network(torch.from_numpy(given).float()).numpy()
    for engine in ENGINES:
        found = create(engine, graph, threads=1).run({graph.inputs[0]: given})
        assert np.array_equal(found["2"], expected)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: QuantLSTM(0, 3), "QuantLSTM: 0 features and 3 units; give 1 or more"),
        (lambda: QuantGRU(3, 0), "QuantGRU: 3 features and 0 units; give 1 or more"),
        (lambda: QuantLSTM(3, 3, bits=9), "QuantLSTM: a cell of 9 bits; give 1 to 8"),
        (
            lambda: QuantLSTM(3, 2)(torch.zeros(1, 4, 2)),
            "QuantLSTM: the input has shape (1, 4, 2); give N x steps x 3",
        ),
        (
            lambda: QuantGRU(3, 2)(torch.zeros(1, 4, 3), torch.zeros(1, 3)),
            "QuantGRU: the state has shape (1, 3); give N x 2, as many as inputs",
        ),
        (
            lambda: QuantGRU(3, 2).use_gates("soft"),
            "QuantGRU: gates 'soft' with slope 1.0; use smooth, hard, binary with a slope above 0",
        ),
        (
            lambda: LSTMHidden()(torch.zeros(1, 4, 2)),
            "LSTMHidden: the input carries no gradient of a QuantLSTM; apply it to the states "
            "themselves, and slice or reorder its result",
        ),
        (
            lambda: FrameVectors()(torch.zeros(1, 4)),
            "FrameVectors: the input has shape (1, 4); give N x C x frames x ...",
        ),
        (
            lambda: SequenceSum()(torch.zeros(1, 4)),
            "SequenceSum: the input has shape (1, 4); give N x steps x features",
        ),
    ],
)
def test_what_does_not_fit(act, message):
    with pytest.raises(CodesignError) as error:
        act()
    assert str(error.value) == message


def test_relaxed_layers_have_no_state_and_no_program():
    layer = QuantLSTM(3, 2)
    layer.use_gates("hard")
    with pytest.raises(CodesignError) as error:
        layer(torch.zeros(1, 4, 3), torch.zeros(1, 2))
    assert str(error.value) == (
        "QuantLSTM: a state is codes, hard gates have none; carry states with binary gates only"
    )
    for network in (layer, QuantConv2d(1, 1, 1)):
        network.eval()
        network.relaxed = True
        shape = (4, 3) if network is layer else (1, 2, 2)
        with pytest.raises(UnsupportedError) as error:
            lower(nn.Sequential(Input(shape, 0, 1), network))
        assert str(error.value) == (
            f"1: {type(network).__name__} computes with floats, as in the first stages of "
            "training; train to the last stage first"
        )
