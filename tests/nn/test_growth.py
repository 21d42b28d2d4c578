"""Factorized convolutions without a rescale: how their sums grow, proved and in the report."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.engine import create
from codesign.hw import Hardware, plan
from codesign.nn import MOR, MRB, Automaton, Input
from tests.networks import ENGINES, assert_executors_agree, settle

STAGES = ("1.cf.pw1", "1.cf.group", "1.cf.pw2")


def mrb(width, *, made=True):
    """A block of MOGNET: codes of 3 bits; a CFLOG, or with PW2's weights stored a CF."""
    options = {"quantizer": "btq", "requant": "none", "automaton": Automaton(5) if made else None}
    return MRB(width, width, width, width // 16, **options)


def mor(width):
    """A block of BILLNET: bits, binary weights; a CF."""
    return MOR(width, width, requant="none")


WIDE, LATE = ("conv", "wide_conv", "wide_conv"), ("conv", "conv", "wide_conv")
#: What makes a block, its width and map, the bits of its codes, taps of GConv, how stages lower.
BLOCKS = {
    "MOGNET's first": (mrb, 128, (3, 4), 3, 9, WIDE),
    "MOGNET's last": (mrb, 512, (2, 3), 3, 9, WIDE),
    "MOGNET's first, stored": (lambda width: mrb(width, made=False), 128, (3, 4), 3, 9, WIDE),
    "BILLNET's first": (mor, 32, (2, 3, 4), 1, 27, LATE),
    "BILLNET's last": (mor, 128, (3, 3, 3), 1, 27, LATE),
}


@pytest.fixture(scope="module", params=BLOCKS)
def block(request):
    """The network of a block and its program, the rest as in `BLOCKS`."""
    make, width, sizes, bits, taps, ops = BLOCKS[request.param]
    torch.manual_seed(0)
    network = settle(nn.Sequential(Input((width, *sizes), 0, 2**bits - 1), make(width)))
    return network, lower(network), width, sizes, bits, taps, ops


def ceil_log2(number):
    return (number - 1).bit_length()


def test_a_block_of_a_paper_is_its_program(block):
    network, graph, *_, ops = block
    _, values = assert_executors_agree(network, graph)
    assert tuple(graph.node(name).op for name in STAGES) == ops
    assert len(np.unique(values[graph.outputs[0]])) > 1


def test_the_report_shows_accumulators_that_grow_as_the_papers_say(block):
    _, graph, width, _, bits, taps, ops = block
    report = {layer.name: layer for layer in plan(graph, Hardware.load("asic_2mb")).layers}
    found = [report[name].accumulator_width for name in STAGES]
    assert found == [graph.values[name].type.signed_width for name in STAGES]
    # 3-mognet.md 4.2 and 4-billnet.md 4.2, for groups of 16 channels
    first = bits + ceil_log2(width) + 1
    group = first + ceil_log2(taps * 16)
    assert found[0] < found[1] < found[2]
    assert found[0] <= first
    assert found[1] <= group
    assert found[2] <= group + ceil_log2(width)
    for name, op in zip(STAGES, ops, strict=True):
        if op == "wide_conv":
            assert report[name].unit == "host"
            assert report[name].reason == "the machine has no unit for wide_conv"
            assert report[name].kind.split()[0] == op
    if "1.cf.pw2.weight" not in graph.constants:
        assert report[STAGES[2]].generated_bits == width * width * 2


def extremes(stage, channel, shape, hi):
    """The inputs that make a sum in the middle of the map greatest and least, and these sums.

    A chain of convolutions is one convolution: its weights are the derivatives of its result.
    """
    x = torch.zeros(1, *shape, requires_grad=True)
    y = stage(x)[0, channel]
    y[tuple(size // 2 for size in y.shape)].backward()
    weight = x.grad[0].numpy().astype(np.int64)
    for sign in (1, -1):
        image = np.where(sign * weight > 0, hi, 0)
        yield image, int((weight * image).sum())


def test_the_proved_sums_hold_the_worst_inputs(block):
    network, graph, width, sizes, bits, *_ = block
    cf, hi = network[1].cf, 2**bits - 1
    chains = (cf.pw1, nn.Sequential(cf.pw1, cf.group), cf)
    codes = cf.pw1.codes().reshape(width, -1)
    most, least = codes.clip(min=0).sum(1).argmax(), codes.clip(max=0).sum(1).argmin()
    cases = [
        (name, channel, image, total)
        for name, chain in zip(STAGES, chains, strict=True)
        for channel in ((int(most), int(least)) if chain is cf.pw1 else (0, width - 1))
        for image, total in extremes(chain, channel, (width, *sizes), hi)
    ]
    feed = {graph.inputs[0]: np.stack([image for _, _, image, _ in cases]).astype(np.uint8)}
    middle = tuple(size // 2 for size in sizes)
    for engine in ENGINES:
        values = create(engine, graph, threads=1).run(feed, keep=STAGES)
        for name in STAGES:
            assert graph.values[name].type.contains(values[name]), (engine, name)
        for number, (name, channel, _, total) in enumerate(cases):
            assert values[name][(number, channel, *middle)] == total, (engine, name, channel)
    # PW1 reads codes that are free of one another: its interval is reached, no wider than needed
    first = graph.values[STAGES[0]].type
    totals = [total for name, _, _, total in cases if name == STAGES[0]]
    assert (min(totals), max(totals)) == (first.lo, first.hi)
