"""Torch networks to programs: layer by layer equality, any composition, clear refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import nn

import codesign
from codesign.convert.torch import export, lower
from codesign.engine import create
from codesign.errors import CodesignError, UnsupportedError
from codesign.nn import (
    HWMSB,
    BitShiftNorm,
    ChannelShuffle,
    Flatten,
    GlobalSum,
    Heaviside,
    ImageInput,
    Layer,
    MaxPool2d,
    QuantConv2d,
    QuantLinear,
    Sign,
)


def settle(network, *shapes, seed=0):
    """Two training steps, so that means, shifts and biases are those of a trained network."""
    draw = torch.Generator().manual_seed(seed)
    network.train()
    with torch.no_grad():
        for _ in range(2):
            network(*[torch.randint(0, 256, (4, *s), generator=draw).float() for s in shapes])
        for module in network.modules():
            if isinstance(module, BitShiftNorm):
                module.beta.add_(torch.randn(module.beta.shape, generator=draw) * 0.3)
    return network.eval()


def assert_layers_equal(network, graph, shapes, images=3, seed=1):
    """Every layer's output in torch is the program's value of the same name, bit for bit."""
    random = np.random.default_rng(seed)
    arrays = [random.integers(0, 256, (images, *shape), dtype=np.uint8) for shape in shapes]
    seen = {}

    def keep(path):
        def hook(module, arguments, result):
            again = sum(name.split(".call")[0] == path for name in seen) + 1
            seen[path if again == 1 else f"{path}.call{again}"] = result.numpy()

        return hook

    hooks = [
        module.register_forward_hook(keep(path))
        for path, module in network.named_modules()
        if isinstance(module, Layer) and path in graph.results
    ]
    with torch.no_grad():
        network(*[torch.from_numpy(array).float() for array in arrays])
    for hook in hooks:
        hook.remove()
    inputs = dict(zip(graph.inputs, arrays, strict=True))
    values = create("reference", graph, threads=1).run(inputs, keep=graph.results)
    assert seen
    for path, codes in seen.items():
        assert np.array_equal(codes.astype(np.int64), values[path]), path
    return set(seen)


@st.composite
def networks(draw):
    """A random sequence of layers that fit each other, and its input shape."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    channels, high, wide = draw(st.integers(1, 3)), draw(st.integers(4, 9)), draw(st.integers(4, 9))
    shape = (channels, high, wide)
    layers, low = [ImageInput(*shape)], 0
    for _ in range(draw(st.integers(1, 3))):
        groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
        out = groups * draw(st.integers(1, 3))
        kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        stride, padding = draw(st.integers(1, 2)), (kernel[0] // 2, kernel[1] // 2)
        levels = draw(st.sampled_from([2, 3, 4, 5, 7]))
        layers.append(QuantConv2d(channels, out, kernel, stride, padding, groups, levels, low))
        high, wide = (
            (size + 2 * p - k) // stride + 1
            for size, p, k in zip((high, wide), padding, kernel, strict=True)
        )
        activation = draw(st.sampled_from([HWMSB(1), HWMSB(2), HWMSB(5), Heaviside(), Sign()]))
        mean = draw(st.sampled_from(["channel", "layer", "none"]))
        kappa = draw(st.sampled_from([1.0, 2.0, 4.0]))
        if draw(st.booleans()):
            layers.append(BitShiftNorm(out, activation, kappa, mean))
        else:
            bits = max(activation.bits, 1)
            layers += [BitShiftNorm(out, None, kappa, mean, bits=bits), activation]
        low = -1 if isinstance(activation, Sign) else 0
        if min(high, wide) >= 2 and draw(st.booleans()):
            pool = draw(st.sampled_from([(2, 2), (2, 1)]))
            layers.append(MaxPool2d(*pool))
            high, wide = ((size - 2) // pool[1] + 1 for size in (high, wide))
        if draw(st.booleans()):
            layers.append(ChannelShuffle(groups))
        channels = out
    if draw(st.booleans()):
        layers += [GlobalSum(), QuantLinear(channels, 4, draw(st.sampled_from([2, 3, 5])))]
    else:
        layers += [Flatten(), QuantLinear(channels * high * wide, 3)]
    if draw(st.booleans()):
        layers.append(BitShiftNorm(layers[-1].cout, None, shift=draw(st.integers(0, 3))))
    return nn.Sequential(*layers), shape


@settings(max_examples=60, deadline=None, derandomize=True)
@given(networks(), st.integers(0, 1000))
def test_every_layer_of_random_networks_is_the_program(made, seed):
    network, shape = made
    settle(network, shape, seed=seed)
    try:
        graph = lower(network)
    except CodesignError as error:
        # a sign whose every code is proved to be +1 before padding of -1
        assert "pad code" in str(error)
        reject()
    layers = assert_layers_equal(network, graph, [shape], seed=seed)
    assert len(layers) == len(network) - 1  # all but the input


class Branches(nn.Module):
    """Two inputs, a shared trunk inside a container, two outputs, layers in a custom module."""

    def __init__(self):
        super().__init__()
        self.left, self.right = ImageInput(2, 6, 6), ImageInput(1, 8, 8)
        self.trunk = nn.Sequential(QuantConv2d(2, 4, 3, padding=1), BitShiftNorm(4))
        self.pool = MaxPool2d(2)
        self.heads = nn.ModuleDict(
            {"small": nn.Sequential(GlobalSum(), QuantLinear(4, 3)), "large": Flatten()}
        )
        self.other = nn.Sequential(QuantConv2d(1, 2, 3), BitShiftNorm(2, Heaviside()))

    def forward(self, a, b):
        trunk = self.trunk(self.left(a))
        pooled = self.pool(trunk)
        deep = self.pool(self.other(self.right(b)))
        return {"small": self.heads["small"](pooled), "both": (self.heads["large"](trunk), deep)}


def test_branches_several_inputs_and_outputs():
    shapes = [(2, 6, 6), (1, 8, 8)]
    network = settle(Branches(), *shapes)
    graph = lower(network, name="branches")
    assert graph.inputs == ("a", "b")
    assert graph.outputs == ("heads.small.1", "heads.large", "pool.call2")
    assert [node.name for node in graph.nodes][:3] == ["trunk.0", "trunk.1.sum", "trunk.1"]
    layers = assert_layers_equal(network, graph, shapes)
    assert {
        "pool",
        "pool.call2",
        "trunk.0",
        "trunk.1",
        "heads.small.1",
        "heads.large",
        "other.1",
    } <= layers


@pytest.mark.parametrize("name", ["digits", "nqe"])
def test_shipped_models_layer_by_layer(name):
    torch.manual_seed(3)
    network = codesign.models.create(name)
    shape = network.table.input
    settle(network, shape)
    graph = lower(network)
    layers = assert_layers_equal(network, graph, [shape], images=1)
    assert {"conv1", "norm1", "pool2", "sum", "fc", "scores"} <= layers
    assert graph.outputs == ("class", "scores")
    assert graph.inputs == ("image",)
    assert graph.name == network.metadata["name"]
    assert graph.metadata["classes"] == network.metadata["classes"]


def test_lowering_changes_nothing_and_gives_the_same_bytes(tmp_path):
    network = settle(codesign.models.create("digits"), (1, 8, 8)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    graph = export(network, tmp_path / "a.onnx")
    assert export(network, tmp_path / "b.onnx") == graph
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert network.training
    assert network.fc.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_file_gives_the_scores_of_the_network(tmp_path):
    network = settle(codesign.models.create("digits"), (1, 8, 8))
    codesign.export(network, tmp_path / "model.onnx")
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        scores = network(torch.from_numpy(images).float()).numpy()
    values = codesign.run(codesign.load(tmp_path / "model.onnx"), {"image": images})
    assert np.array_equal(values["scores"], scores.astype(np.int64))
    assert np.array_equal(values["class"], scores.argmax(axis=1))


class Custom(nn.Module):
    """A network whose forward is given."""

    def __init__(self, forward):
        super().__init__()
        self.image = ImageInput(1, 4, 4)
        self.conv = QuantConv2d(1, 1, 1)
        self.act = HWMSB(2)
        self.table = nn.Parameter(torch.zeros(4))
        self.inner = nn.Sequential(nn.Identity())
        self.call = forward

    def forward(self, x):
        return self.call(self, x)


REFUSED = [
    (
        nn.Sequential(ImageInput(1, 4, 4), nn.ReLU()),
        "1: torch module ReLU has no integer program; use codesign.nn.HWMSB",
    ),
    (
        nn.Sequential(ImageInput(1, 4, 4), nn.Sequential(nn.Conv2d(1, 1, 3))),
        "1.0: torch module Conv2d has no integer program; use codesign.nn.QuantConv2d",
    ),
    (
        nn.Sequential(ImageInput(1, 4, 4), nn.GELU()),
        "1: torch module GELU has no integer program; use the layers of codesign.nn",
    ),
    (
        Custom(lambda m, x: m.image(x) + m.conv(m.image(x))),
        "custom: function add in forward has no integer program; use the layers of codesign.nn",
    ),
    (
        Custom(lambda m, x: m.image(x).relu()),
        "custom: tensor method relu in forward has no integer program; "
        "use the layers of codesign.nn",
    ),
    (
        Custom(lambda m, x: m.conv(m.table)),
        "custom: tensor table in forward has no integer program; use the layers of codesign.nn",
    ),
    (
        Custom(lambda m, x: m.conv(m.conv(m.image(x)))),
        "conv: QuantConv2d is called twice; give each call a layer of its own",
    ),
    (
        Custom(lambda m, x: m.conv(x)),
        "custom: input x does not go through one ImageInput; "
        "begin with codesign.nn.ImageInput(channels, height, width)",
    ),
    (
        Custom(lambda m, x: x if x.sum() > 0 else m.image(x)),
        "custom: its forward depends on values (symbolically traced variables cannot be used as "
        "inputs to control flow); write it as a fixed sequence of codesign.nn layers",
    ),
    (
        QuantConv2d(1, 1, 1),
        "quantconv2d: input input does not go through one ImageInput; "
        "begin with codesign.nn.ImageInput(channels, height, width)",
    ),
]


@pytest.mark.parametrize(("network", "message"), REFUSED, ids=[m.split(";")[0] for _, m in REFUSED])
def test_what_has_no_program_is_refused_with_its_path(network, message):
    with pytest.raises(UnsupportedError) as error:
        lower(network)
    assert str(error.value) == message
    assert error.value.exit_code == 4


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            nn.Sequential(ImageInput(1, 4, 4), GlobalSum(), QuantLinear(3, 2)),
            "2: weight takes 3 features, x has 1; make them equal",
        ),
        (
            nn.Sequential(ImageInput(2, 4, 4), QuantConv2d(2, 2, 5)),
            "1: conv: the window is (5, 5), larger than the padded map (4, 4); "
            "use a smaller window or more padding",
        ),
    ],
)
def test_layers_that_do_not_fit(network, message):
    with pytest.raises(CodesignError) as error:
        lower(network)
    assert str(error.value) == message


def test_classes_must_be_as_many_as_scores():
    network = nn.Sequential(ImageInput(1, 4, 4), GlobalSum())
    network.metadata = {"name": "net", "classes": ["a", "b"]}
    with pytest.raises(CodesignError) as error:
        lower(network)
    assert str(error.value) == (
        "net: names 2 classes, its output has shape (1,); name one class a score"
    )
