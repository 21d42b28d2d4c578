"""BILLNET: its memory by formula, its program in every engine, its options and refusals."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from codesign import models
from codesign.cli import main
from codesign.convert.onnx_write import save
from codesign.convert.torch import lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.models.billnet import MOTIONS, billnet
from codesign.nn import MOR, QuantizedWeights, ThresholdNorm
from codesign.nn.base import Layer
from codesign.train.motion import CLASSES, load_motion

SMALL = {"n": 16, "units": 8, "shape": (1, 4, 16, 24)}


def settled(shape, *, batch=4, seed=0, **options):
    """A network whose means, thresholds and biases are those after training steps on clips."""
    torch.manual_seed(seed)
    network = billnet(shape=shape, **options).train()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _ in range(2):
            network(clips(shape, batch, draw))
        for layer in network.modules():
            if isinstance(layer, ThresholdNorm):
                # sparse branches: ORs of dense ones would hide what is before them
                layer.beta.sub_(torch.rand(layer.beta.shape, generator=draw))
                layer.gamma.mul_(torch.randn(layer.gamma.shape, generator=draw).sign())
            elif hasattr(layer, "beta"):
                layer.beta.add_(torch.randn(layer.beta.shape, generator=draw) * 0.3)
    return network.eval()


def clips(shape, count, draw):
    """Smooth random clips: blocks of 4 x 4 pixels, so that neighbours are alike."""
    channels, frames, height, width = shape
    coarse = torch.randint(
        0, 256, (count, channels, frames, height // 4, width // 4), generator=draw
    )
    return coarse.repeat_interleave(4, 3).repeat_interleave(4, 4).float()


def formula(n, channels=3, units=128, classes=27, gates=4):
    """Bits of the weights by 4-billnet.md 4.5: m is the width, g = m/16, one bit each."""

    def mor(cin, m):
        return cin * m + m * (m // (m // 16)) * 27 + m * m

    stem = channels * n * 27
    blocks = mor(n, n) + mor(n, 2 * n) + mor(2 * n, 2 * n) + mor(2 * n, 4 * n) + mor(4 * n, 4 * n)
    return stem + blocks + gates * units * (4 * n + units) + units * classes


def weight_bits(graph):
    return sum(
        value.size * value.type.storage_bits
        for name, value in graph.constants.items()
        if name.endswith(".weight")
    )


@pytest.mark.parametrize(("n", "megabits"), [(32, 0.39), (64, 0.86)])
def test_memory_is_that_of_the_paper_file(n, megabits):
    network = models.create("billnet", n=n)
    graph = lower(network)
    assert weight_bits(graph) == formula(n)
    assert sum(
        m.weight.numel() for m in network.modules() if isinstance(m, QuantizedWeights)
    ) == formula(n)
    assert round(formula(n) / 1e6, 2) == megabits
    assert {str(v.type) for k, v in graph.constants.items() if k.endswith(".weight")} == {
        "[-1..1/2]"
    }
    assert weight_bits(lower(models.create("billnet", n=n, cell="gru"))) == formula(n, gates=3)


def agree(network, given):
    """Torch, reference, numba and ONNX Runtime, on every value of the program."""
    graph = lower(network)
    seen = {}
    hooks = [
        layer.register_forward_hook(
            lambda module, args, result, path=path: seen.__setitem__(path, result.numpy())
        )
        for path, layer in network.named_modules()
        if isinstance(layer, Layer) and path in graph.results
    ]
    with torch.no_grad():
        network(given)
    for hook in hooks:
        hook.remove()
    batch = {"clip": given.numpy().astype(np.uint8)}
    expected = create("reference", graph, threads=2).run(batch, keep=graph.results)
    for path, codes in seen.items():
        assert np.array_equal(codes.astype(np.int64), expected[path]), path
    for engine in ENGINES[1:]:
        found = create(engine, graph, threads=2).run(batch, keep=graph.results)
        for name in graph.results:
            assert np.array_equal(found[name], expected[name]), (engine, name)
    return graph, expected, seen


OPTIONS = [
    {},
    {"tgap": "frame", "cell": "gru", "ternary": True},
    {"tgap": "causal", "window": 1, "pool": "or", "bits": 2},
    {"learned": True, "ternary": True, "shape": (3, 2, 16, 16)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["default", "frame_gru", "causal_or", "learned"])
def test_every_value_is_equal_in_torch_and_every_engine(options):
    sizes = {**SMALL, **options}
    network = settled(**sizes)
    given = clips(sizes["shape"], 3, torch.Generator().manual_seed(9))
    graph, values, seen = agree(network, given)
    assert {"encoder.block5.mux", "encoder.vectors", "head.cell", "head.scores"} <= set(seen)
    assert graph.outputs == ("class", "head.scores")
    for number in range(1, 6):  # both codes of the maps, both of the selects somewhere
        assert np.unique(values[f"encoder.block{number}.mux"]).tolist() == [0, 1]
    ops = [node.op for node in graph.nodes]
    assert ops.count("bit_or") == ops.count("mux") == 5
    assert ops.count("gru" if options.get("cell") == "gru" else "lstm") == 1


def test_a_clip_of_the_paper_size_in_every_engine_and_on_its_machine(tmp_path):
    shape = (3, 16, 96, 128)
    network = settled(shape, batch=1)
    given = clips(shape, 1, torch.Generator().manual_seed(3))
    graph, values, _ = agree(network, given)
    assert values["encoder.block1.mux"].shape == (1, 32, 16, 48, 64)
    assert values["encoder.vectors"].shape == (1, 8, 128)
    assert len(np.unique(values["encoder.vectors"])) == 2
    assert len(graph.nodes) == 72
    save(graph, tmp_path / "model.onnx")
    np.save(tmp_path / "clip.npy", given[0].numpy().astype(np.uint8))
    arguments = ["simulate", str(tmp_path / "model.onnx"), "--hw", "asic_video", "--json"]
    result = CliRunner().invoke(main, [*arguments, "--input", str(tmp_path / "clip.npy")])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["memory"]["total"]["stored_weight_bits"] == {"1": 390_560}
    assert {line["name"]: line["ok"] for line in report["budget"]} == {
        "weights": True, "stored_weights": True, "on_chip": True,
    }  # fmt: skip
    (row,) = report["results"]["inputs"]
    assert row["class"]["index"] == int(values["class"][0])


@pytest.mark.nightly
def test_the_larger_network_of_the_paper_size():
    shape = (3, 16, 96, 128)
    agree(settled(shape, batch=1, n=64), clips(shape, 1, torch.Generator().manual_seed(4)))


def test_the_block_is_f_or_gated_x():
    torch.manual_seed(2)
    for width in (16, 32):
        block = MOR(16, width).train()
        x = (torch.rand(4, 16, 3, 5, 6) < 0.45).float()
        with torch.no_grad():
            block(x)
            block.eval()
            made, given = block.norm(block.cf(x)) == 1, torch.cat([x] * (width // 16), 1) == 1
            opened = given.float().sum((2, 3, 4)) > 45  # half of 3 * 5 * 6; equal is closed
            expected = made | (opened[:, :, None, None, None] & given)
            assert torch.equal(block(x), expected.float())
        assert 0 < int(opened.sum()) < opened.numel()


def test_training_reaches_every_parameter():
    network = settled(**SMALL, learned=True).train()
    network(clips(SMALL["shape"], 6, torch.Generator().manual_seed(0))).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    for part in ("stem", "block1.cf.pw1", "block3.cf.group", "block5.cf.pw2"):
        assert float(network.get_submodule(f"encoder.{part}").weight.grad.abs().sum()) > 0


def test_classes_are_the_motions():
    assert MOTIONS == CLASSES
    clip = load_motion((3, 16, 96, 128), train=1, test=1, classes=("left",)).x_test
    assert clip.shape[1:] == (16, 96, 128, 3)
    assert billnet().encoder.clip.shape == (3, 16, 96, 128)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 24}, "MOR: width 24 is no number of groups; give a multiple of 16"),
        (
            {"shape": (3, 15, 96, 128)},
            "billnet: clips of 15 x 96 x 128; give an even number of frames, and height and width "
            "that are multiples of 8",
        ),
        (
            {"shape": (16, 96, 128)},
            "billnet: shape is (16, 96, 128); give channels, frames, height and width",
        ),
        ({"cell": "rnn"}, "billnet: cell 'rnn' is unknown; use lstm or gru"),
        ({"pool": "max"}, "billnet: pool 'max' is unknown; use gap or or"),
        ({"tgap": "row"}, "TGAP: mode 'row' is unknown; use clip, frame, causal"),
        ({"window": 2}, "billnet: a window of 2 frames; give 1 or 3"),
        (
            {"depth": 2},
            "model 'billnet' has no option 'depth'; it has n, units, tgap, shape, cell, window, "
            "pool, bits, ternary, learned, classes",
        ),
    ],
)
def test_what_does_not_fit(options, message):
    with pytest.raises(CodesignError) as error:
        models.create("billnet", **options)
    assert str(error.value) == message


def test_a_clip_of_another_length_is_refused():
    network = billnet(**SMALL)
    with pytest.raises(CodesignError) as error:
        network(torch.zeros(1, 1, 6, 16, 24))
    assert str(error.value) == (
        "ClipInput: the input has shape (1, 1, 6, 16, 24); give N x 1 x 4 x 16 x 24"
    )


def test_a_factorization_sees_one_frame_or_three():
    from codesign.nn import CF

    with pytest.raises(CodesignError) as error:
        CF(4, 4, 4, 1, window=1)
    assert str(error.value) == "CF: a window of 1 frames; give 1 or 3, on clips only"
    assert CF(4, 4, 4, 1, axes=3, window=1).group.kernel == (1, 3, 3)
