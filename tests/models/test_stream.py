"""Streams of a BILLNET equal whole clips where they are defined, and are refused where not."""

import numpy as np
import pytest
import torch

from codesign.convert.torch import lower
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError, UnsupportedError
from codesign.models.billnet import billnet
from codesign.models.stream import FrameStream, HeadStream
from tests.models.test_billnet import clips, settled

SHAPE = (1, 8, 16, 24)
SIZES = {"n": 16, "units": 12, "shape": SHAPE}


def streamed(engine, graph, name, parts):
    """The scores after each part of the input `name`; states go as the metadata says."""
    executor, carry, scores = create(engine, graph, threads=1), graph.metadata["carry"], []
    states = {
        name: np.full((len(parts[0]), *graph.values[name].shape), entry["start"], np.int8)
        for name, entry in carry.items()
    }
    assert set(states) | {name} == set(graph.inputs)
    for part in parts:
        found = executor.run({name: part, **states})
        states = {state: found[entry["from"]] for state, entry in carry.items()}
        scores.append(found["head.scores"])
    return scores, states


def whole(network, given, keep):
    graph = lower(network)
    return create("reference", graph, threads=1).run({"clip": given}, keep=keep)


def pixels(count=4, seed=3):
    draw = torch.Generator().manual_seed(seed)
    return clips(SHAPE, count, draw).numpy().astype(np.uint8)


@pytest.mark.parametrize(
    ("tgap", "cell", "frames"), [("causal", "lstm", 2), ("causal", "gru", 4), ("frame", "lstm", 4)]
)
def test_frames_of_a_stream_equal_the_whole_clip(tgap, cell, frames):
    network = settled(tgap=tgap, cell=cell, window=1, **SIZES)
    given = pixels()
    expected = whole(
        network, given, ["head.scores", "head.cell", "head.sum", "encoder.block5.gate"]
    )
    graph = lower(FrameStream(network, frames))
    assert len(graph.inputs) == (8 if tgap == "causal" else 3)
    parts = [given[:, :, t : t + frames] for t in range(0, 8, frames)]
    for engine in ENGINES:
        scores, states = streamed(engine, graph, "clip", parts)
        assert np.array_equal(scores[-1], expected["head.scores"]), engine
        assert np.array_equal(states["state"], expected["head.cell"][:, -1]), engine
        assert np.array_equal(states["total"], expected["head.sum"]), engine
        if tgap == "causal":
            assert np.unique(states["gate5"]).size == 2
    if frames == 4:  # scores so far are those of a clip that ends there
        shorter = settled(tgap=tgap, cell=cell, window=1, **{**SIZES, "shape": (1, 4, *SHAPE[2:])})
        shorter.load_state_dict(network.state_dict())
        assert np.array_equal(scores[0], whole(shorter, parts[0], ["head.scores"])["head.scores"])


@pytest.mark.parametrize("options", [{}, {"cell": "gru"}, {"ternary": True, "bits": 2}])
def test_the_recurrent_part_streams_in_every_network(options):
    network = settled(**SIZES, **options)
    expected = whole(network, pixels(), ["encoder.vectors", "head.scores", "head.cell"])
    for steps in (1, 2):
        graph = lower(HeadStream(network, steps))
        vectors = expected["encoder.vectors"]
        parts = [vectors[:, t : t + steps] for t in range(0, 4, steps)]
        for engine in ENGINES:
            scores, states = streamed(engine, graph, "vectors", parts)
            assert np.array_equal(scores[-1], expected["head.scores"]), engine
            assert np.array_equal(states["state"], expected["head.cell"][:, -1]), engine


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            "encoder.stem: QuantConv3d sees 3 frames, a stream has not the next one yet; make the "
            "network with window=1, or stream its recurrent part (HeadStream)",
        ),
        (
            {"window": 1},
            "encoder.block1.gate: TGAP needs the whole clip before its first bit; make the network "
            'with tgap="causal" or "frame", or stream its recurrent part (HeadStream)',
        ),
    ],
)
def test_what_does_not_stream_names_its_layer(options, message):
    with pytest.raises(UnsupportedError) as error:
        FrameStream(billnet(**SIZES, **options))
    assert str(error.value) == message


def test_two_frames_make_a_step():
    with pytest.raises(CodesignError) as error:
        FrameStream(billnet(window=1, tgap="frame", **SIZES), 3)
    assert str(error.value) == (
        "FrameStream: 3 frames a run; the second pool joins two, give an even number"
    )


def test_streaming_leaves_the_network_as_it_was():
    network = settled(tgap="causal", window=1, **SIZES)
    before = lower(network)
    lower(FrameStream(network)), lower(HeadStream(network))
    assert lower(network) == before
