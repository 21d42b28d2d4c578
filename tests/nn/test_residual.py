"""Residual layers and their select: programs, gradients against the definitions, refusals."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.engine import create
from codesign.errors import CodesignError
from codesign.nn import TGAP, BitAnd, BitOr, Input, Maximum, Mux, ShiftAdd

ENGINES = ("reference", "numba", "onnxruntime")


class Net(nn.Module):
    """Inputs of given code sets, one after the other through one layer."""

    def __init__(self, layer, *inputs):
        super().__init__()
        self.inputs = nn.ModuleList(inputs)
        self.layer = layer
        self.call = {1: self.one, 2: self.two, 3: self.three}[len(inputs)]

    def one(self, a, b, c):
        return self.layer(self.inputs[0](a))

    def two(self, a, b, c):
        return self.layer(self.inputs[0](a), self.inputs[1](b))

    def three(self, a, b, c):
        return self.layer(self.inputs[0](a), self.inputs[1](b), self.inputs[2](c))

    def forward(self, a, b=None, c=None):
        return self.call(a, b, c)


def assert_program(layer, *inputs, images=5, seed=0):
    """The layer's evaluation is its program on three engines; gives the result."""
    network = Net(layer, *inputs).eval()
    random = np.random.default_rng(seed)
    arrays = [
        random.integers(0, (hi - lo) // step + 1, (images, *one.shape)) * step + lo
        for one in inputs
        for lo, hi, step in [one.codes]
    ]
    with torch.no_grad():
        wanted = network(*[torch.from_numpy(array).float() for array in arrays]).numpy()
    graph = lower(network)
    feed = dict(zip(graph.inputs, arrays, strict=True))
    for engine in ENGINES:
        (found,) = create(engine, graph, threads=1).run(feed).values()
        assert np.array_equal(found, wanted), engine
    return graph, wanted


def codes(shape, lo, hi, step=1):
    return Input(shape, lo, hi, step)


@pytest.mark.parametrize(
    ("layer", "op", "lo", "hi", "step"),
    [
        (BitOr(), "bit_or", 0, 1, 1),
        (BitOr(bipolar=True), "bit_or", -1, 1, 2),
        (BitAnd("straight"), "bit_and", 0, 1, 1),
        (BitAnd(bipolar=True), "bit_and", -1, 1, 2),
        (Maximum(), "maximum", 0, 7, 1),
        (ShiftAdd(), "shift_add", 0, 7, 1),
        (ShiftAdd(), "shift_add", -4, 3, 1),
    ],
)
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 2, 4)])
def test_merging_is_one_operation(layer, op, lo, hi, step, shape):
    graph, wanted = assert_program(layer, codes(shape, lo, hi, step), codes(shape, lo, hi, step))
    assert [node.op for node in graph.nodes] == [op]
    assert len(np.unique(wanted)) == (hi - lo) // step + 1


@pytest.mark.parametrize("frames", [0, 1])
def test_mux_selects_by_channel_or_by_channel_and_frame(frames):
    shape = (3, 2, 4, 3)
    select = codes(shape[: 1 + frames], 0, 1)
    graph, _ = assert_program(Mux(), codes(shape, 0, 7), codes(shape, 0, 7), select)
    assert [node.op for node in graph.nodes] == ["mux"]


@pytest.mark.parametrize("mode", ["clip", "frame", "causal"])
@pytest.mark.parametrize("bits", [1, 3])
def test_tgap_is_its_operation_in_every_mode(mode, bits):
    layer = TGAP(4, 0.48, mode, bits)
    graph, wanted = assert_program(layer, codes((4, 3, 5, 5), 0, 2**bits - 1), images=40)
    (node,) = graph.nodes
    assert (node.op, node.attrs["frames"], node.attrs["delay"]) == (
        "tgap", int(mode != "clip"), int(mode == "causal"),
    )  # fmt: skip
    assert 0.2 < wanted.mean() < 0.8
    if mode == "causal":
        ahead = TGAP(4, 0.48, "frame", bits)
        _, now = assert_program(ahead, codes((4, 3, 5, 5), 0, 2**bits - 1), images=40)
        assert not wanted[:, :, 0].any()
        assert np.array_equal(wanted[:, :, 1:], now[:, :, :-1])


def test_tgap_of_an_image_is_strict_at_half_of_full_scale():
    layer = TGAP(3, bits=2)
    x = torch.zeros(1, 3, 2, 2)
    x[0, 0].fill_(3)
    x[0, 1, 0] = 3  # 6 of 12, exactly half
    x[0, 2, 0] = 3
    x[0, 2, 1, 0] = 1
    assert layer(x).tolist() == [[1, 0, 1]]
    assert layer.theta((3, 2, 2)).tolist() == [6, 6, 6]


def test_a_learned_threshold_is_an_integer_of_its_own_a_channel():
    layer = TGAP(3, learned=True, bits=2)
    with torch.no_grad():
        layer.threshold.copy_(torch.tensor([0.2, 0.55, -3.0]))
    graph, _ = assert_program(layer, codes((3, 3, 3), 0, 3), images=20)
    assert graph.values["layer.theta"].data.tolist() == [5, 14, 0]


# Gradients: the layer's backward at all codes against finite differences, in float64, of the
# real extension that the layer's text names.


def numerical(extension, *points, eps=1e-5):
    """Derivative of the scalar `extension(*points)` by each element of each point."""
    gradients = []
    for number, point in enumerate(points):
        found = torch.zeros_like(point)
        for index in itertools.product(*map(range, point.shape)):
            moved = []
            for sign in (1, -1):
                others = [other.clone() for other in points]
                others[number][index] += sign * eps
                moved.append(float(extension(*others)))
            found[index] = (moved[0] - moved[1]) / (2 * eps)
        gradients.append(found)
    return gradients


def analytic(layer, incoming, *points):
    points = [point.clone().requires_grad_() for point in points]
    layer(*points).backward(incoming)
    return [point.grad for point in points]


def all_pairs(*values):
    a, b = zip(*itertools.product(values, values), strict=True)
    return [torch.tensor(side, dtype=torch.float64).reshape(1, -1) for side in (a, b)]


def straight(a, b):
    return a + b


@pytest.mark.parametrize(
    ("layer", "values", "extension"),
    [
        (BitOr(), (0, 1), lambda a, b: a + b - a * b),
        (BitOr("straight"), (0, 1), straight),
        (BitOr(bipolar=True), (-1, 1), lambda a, b: 2 * (1 - (1 - a) / 2 * (1 - b) / 2) - 1),
        (BitAnd(), (0, 1), lambda a, b: a * b),
        (BitAnd("straight", bipolar=True), (-1, 1), straight),
        (BitAnd(bipolar=True), (-1, 1), lambda a, b: 2 * ((1 + a) / 2 * (1 + b) / 2) - 1),
        (Maximum(), (0, 1, 2, 3), lambda a, b: (a + b + (a - b).abs()) / 2),
        (ShiftAdd(), (0, 1, 2, 3), lambda a, b: (a + b) / 2),
    ],
)
def test_gradient_is_that_of_the_extension(layer, values, extension):
    a, b = all_pairs(*values)
    draw = torch.Generator().manual_seed(0)
    incoming = torch.randn(a.shape, generator=draw, dtype=torch.float64)
    wanted = numerical(lambda *points: (extension(*points) * incoming).sum(), a, b)
    for found, value in zip(analytic(layer, incoming, a, b), wanted, strict=True):
        torch.testing.assert_close(found, value, rtol=0, atol=1e-8)
    if layer.__class__ in (BitOr, BitAnd) and layer.gradient == "multilinear":
        assert torch.equal(layer(a, b), extension(a, b))  # it extends the gate itself


@pytest.mark.parametrize("frames", [0, 1])
def test_gradient_of_mux_is_that_of_the_weighted_sum(frames):
    draw = torch.Generator().manual_seed(1)
    shape = (2, 3, 2, 2, 2)
    a, b = (torch.randint(0, 8, shape, generator=draw).double() for _ in range(2))
    select = torch.randint(0, 2, shape[: 2 + frames], generator=draw).double()
    incoming = torch.randn(shape, generator=draw, dtype=torch.float64)

    def extension(a, b, select):
        each = select.reshape(*select.shape, *[1] * (5 - select.dim()))
        return ((a * each + b * (1 - each)) * incoming).sum()

    wanted = numerical(extension, a, b, select)
    for found, value in zip(analytic(Mux(), incoming, a, b, select), wanted, strict=True):
        torch.testing.assert_close(found, value, rtol=0, atol=1e-8)


def triangle(distance):
    """Integral of `2 max(0, 1 - 2|d|)`."""
    inside = distance.clamp(-0.5, 0.5)
    return 2 * inside - 2 * inside * inside.abs()


@pytest.mark.parametrize(
    ("surrogate", "curve"),
    [("sigmoid", lambda d: torch.sigmoid(4 * d)), ("triangle", triangle)],
)
@pytest.mark.parametrize("mode", ["clip", "frame", "causal"])
def test_gradient_of_tgap_is_that_of_the_surrogate_on_the_mean(mode, surrogate, curve):
    draw = torch.Generator().manual_seed(2)
    x = torch.randint(0, 4, (2, 3, 2, 3, 2), generator=draw).double()
    layer = TGAP(3, 0.4, mode, bits=2, learned=True, surrogate=surrogate).double()
    incoming = torch.randn(layer(x).shape, generator=draw, dtype=torch.float64)

    def extension(x, share):
        if mode == "clip":
            bits = curve(x.mean((2, 3, 4)) / 3 - share)
        else:
            bits = curve(x.mean((3, 4)) / 3 - share[:, None])
        if mode == "causal":
            bits = torch.cat([torch.zeros_like(bits[:, :, :1]), bits[:, :, :-1]], 2)
        return (bits * incoming).sum()

    wanted_x, wanted_share = numerical(extension, x, layer.threshold.detach())
    (found,) = analytic(layer, incoming, x)
    torch.testing.assert_close(found, wanted_x, rtol=0, atol=1e-8)
    torch.testing.assert_close(layer.threshold.grad, wanted_share, rtol=0, atol=1e-8)


@pytest.mark.parametrize("bipolar", [False, True])
def test_relaxed_gates_are_their_extension_and_extend_the_gate(bipolar):
    a, b = all_pairs(-1, 1) if bipolar else all_pairs(0, 1)
    for layer in (BitOr(bipolar=bipolar), BitAnd(bipolar=bipolar)):
        codes = layer(a, b)
        layer.relaxed = True
        assert torch.equal(layer(a, b), codes)
    half = torch.full((1, 1), 0.0 if bipolar else 0.5, dtype=torch.float64)
    relaxed = BitOr(bipolar=bipolar)
    relaxed.relaxed = True
    assert float(relaxed(half, half)) == (0.5 if bipolar else 0.75)


def test_other_relaxed_layers():
    a, b = torch.tensor([[3.0, 1.0]]), torch.tensor([[0.0, 2.0]])
    add, mux, gap = ShiftAdd(), Mux(), TGAP(2, surrogate="triangle")
    add.relaxed = mux.relaxed = gap.relaxed = True
    assert add(a, b).tolist() == [[1.5, 1.5]]
    assert mux(a, b, torch.tensor([[0.25, 1.0]])).tolist() == [[0.75, 1.0]]
    means = torch.tensor([[0.5, 0.25]])
    x = means[..., None, None].expand(1, 2, 4, 4)
    assert gap(x).tolist() == [[0.5, 0.125]]
    gap.surrogate = "sigmoid"
    assert torch.equal(gap(x), torch.sigmoid(4 * (means - 0.5)))


def test_tgap_without_a_surrogate_passes_no_gradient():
    x = torch.ones(1, 2, 2, 2, requires_grad=True)
    (TGAP(2, surrogate="none")(x).sum() + 0 * x.sum()).backward()
    assert not x.grad.any()


@pytest.mark.parametrize("mode", ["frame", "causal"])
def test_a_stream_of_frames_gives_the_bits_of_the_clip(mode):
    draw = torch.Generator().manual_seed(3)
    clip = torch.randint(0, 2, (4, 3, 6, 3, 3), generator=draw).float()
    whole = TGAP(3, mode=mode, learned=True).eval()
    step, carried, seen = whole.streaming(), torch.zeros(4, 3, 1), []
    assert step.threshold is whole.threshold
    for frame in clip.split(1, dim=2):
        bits = step(frame)
        seen.append(bits if mode == "frame" else carried)
        carried = bits
    assert torch.equal(torch.cat(seen, 2), whole(clip))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: BitOr("relu"),
            "BitOr: gradient 'relu' is unknown; use multilinear or straight",
        ),
        (
            lambda: ShiftAdd()(torch.zeros(1, 2, 3), torch.zeros(1, 2)),
            "ShiftAdd: a has shape (1, 2, 3), b (1, 2); make them equal",
        ),
        (
            lambda: Mux()(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), torch.zeros(1, 3)),
            "Mux: select has shape (1, 3), a (1, 2, 3); give one bit a channel, or one a channel "
            "and frame",
        ),
        (
            lambda: TGAP(2).streaming(),
            'TGAP: mode "clip" needs the whole clip before its first bit, it cannot stream; '
            'use mode "causal" or "frame"',
        ),
        (lambda: TGAP(2, mode="late"), "TGAP: mode 'late' is unknown; use clip, frame, causal"),
        (
            lambda: TGAP(2, surrogate="relu"),
            "TGAP: surrogate 'relu' is unknown; use sigmoid, triangle, none",
        ),
        (
            lambda: TGAP(2, threshold=9),
            "TGAP: threshold is 9; give a share of full scale, 0 to 1",
        ),
        (
            lambda: TGAP(2, bits=9),
            "TGAP: 2 channels of 9 bits; give 1 or more, of 1 to 8 bits",
        ),
        (
            lambda: TGAP(2)(torch.zeros(1, 3, 2, 2)),
            "TGAP: the input has shape (1, 3, 2, 2); give N x 2 x height x width",
        ),
        (
            lambda: TGAP(2, mode="causal")(torch.zeros(1, 2, 2, 2)),
            "TGAP: the input has shape (1, 2, 2, 2); give N x 2 x frames x height x width",
        ),
        (
            lambda: lower(Net(BitOr(), codes((2,), 0, 3), codes((2,), 0, 1))),
            "layer: a has codes [0..3], b [0..1]; both must be [0..1], or both [-1..1/2]; "
            "use maximum for wider codes",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
