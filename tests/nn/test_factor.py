"""Factorized convolutions, generated weights, and the blocks that are made of them."""

import numpy as np
import pytest
import torch
from torch import nn

from codesign.convert.torch import lower
from codesign.errors import CodesignError
from codesign.ir import lookup
from codesign.nn import (
    CF,
    CFLOG,
    MRB,
    Automaton,
    GeneratedConv2d,
    GeneratedConv3d,
    Input,
    LogicBlock,
    QuantConv2d,
)
from tests.networks import assert_executors_agree, settle

IMAGE, CLIP = (4, 6, 5), (4, 3, 5, 4)


def after(shape, bits, *layers):
    """A network on `bits`-bit codes of this shape."""
    return nn.Sequential(Input(shape, 0, 2**bits - 1), *layers)


def ops(graph, *, but=()):
    return [node.op for node in graph.nodes if node.op not in but]


@pytest.mark.parametrize("requant", ["shift", "qrelu"])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (IMAGE, {"quantizer": "btq"}),
        (IMAGE, {"automaton": Automaton(5)}),
        (CLIP, {"axes": 3, "levels": 2}),
        (CLIP, {"axes": 3, "automaton": Automaton(9, mapping="binary")}),
    ],
)
def test_factorized_convolution_is_its_program(shape, options, requant):
    network = settle(after(shape, 3, CF(4, 8, 6, 2, requant=requant, bits=4, **options)), batch=8)
    graph, values = assert_executors_agree(network, samples=4)
    made = ["ca_weights"] if "automaton" in options else []
    stage = ["bit_shift_norm", "clip"] if requant == "shift" else ["threshold"]
    assert ops(graph) == ["conv", *stage, "conv", *stage, *made, "conv"]
    lo, hi = (-8, 7) if requant == "shift" else (0, 15)
    for name in ("1.requant1", "1.requant2"):
        kind = graph.values[name].type
        assert (kind.lo, kind.hi) == (lo, hi)
        assert values[name].min() <= lo + 1  # both ends are in use
        assert values[name].max() >= hi - 1
    assert graph.values["1.group"].shape == (8, *shape[1:])


def test_shift_is_back_to_eight_signed_bits_by_default():
    graph = lower(settle(after((3, 9, 9), 8, CF(3, 16, 8, 1))))
    for name in ("1.requant1", "1.requant2"):
        assert str(graph.values[name].type) == "[-128..127]"


def test_generated_weights_are_the_operations_and_no_part_of_the_state():
    layer = GeneratedConv2d(6, 5, Automaton(77, rule=45, steps=2))
    spec = lookup("ca_weights")
    wanted = spec.reference(
        **spec.parse_attributes(
            {"shape": (5, 6, 1, 1), "rule": 45, "cells": 13, "seed": 77, "warm_up": 64, "steps": 2}
        )
    )
    assert np.array_equal(layer.codes.numpy(), wanted)
    assert not layer.state_dict()
    assert not list(layer.parameters())
    x = torch.rand(1, 6, 2, 2, requires_grad=True)
    layer(x).sum().backward()  # the gradient flows through to the input
    assert torch.equal(x.grad, layer.codes.sum(0, keepdim=True).expand(1, 6, 2, 2))


@pytest.mark.parametrize("layer", [GeneratedConv2d, GeneratedConv3d])
@pytest.mark.parametrize("mapping", ["ternary", "balanced", "binary"])
def test_the_same_weights_stored_give_the_same_values(layer, mapping):
    shape = IMAGE if layer is GeneratedConv2d else CLIP
    graphs, results = [], []
    for stored in (False, True):
        automaton = Automaton(3, mapping=mapping, stored=stored)
        network = after(shape, 3, layer(4, 6, automaton, kernel=3, padding=1)).eval()
        graph, values = assert_executors_agree(network, samples=2)
        graphs.append(graph)
        results.append(values["1"])
    assert np.array_equal(*results)
    assert [ops(graph) for graph in graphs] == [["ca_weights", "conv"], ["conv"]]
    assert "1.weight" not in graphs[0].constants
    made, stored = (graph.values["1.weight"] for graph in graphs)
    assert np.array_equal(made.data, stored.data)
    assert made.type == stored.type


def test_a_small_even_ring_gives_only_zeros_so_the_default_is_odd():
    with pytest.raises(CodesignError, match="only zeros"):
        GeneratedConv2d(8, 6, Automaton(5, cells=16))
    assert Automaton(5).attributes((6, 8, 1, 1))["cells"] == 17
    assert Automaton(5).attributes((6, 32, 1, 1))["cells"] == 64
    assert Automaton(5, mapping="balanced").attributes((6, 5, 1, 1))["cells"] == 15


def test_the_seed_reaches_every_cell_of_a_wide_ring_by_default():
    codes = GeneratedConv2d(256, 8, Automaton(1)).codes
    assert (codes.abs().sum((0, 2, 3)) > 0).float().mean() > 0.99
    assert 0.4 < float((codes == 0).float().mean()) < 0.6


def test_without_a_rescale_products_of_sums_are_wide_where_a_byte_is_not():
    graph, _ = assert_executors_agree(after((4, 5, 5), 1, CF(4, 4, 3, 4, requant="none")).eval())
    widths = [graph.values[name].type.width for name in ("1.pw1", "1.group", "1.pw2")]
    # one bit in, at most 4, 9 and 4 ternary taps: 4, 8 and 9 signed bits at the most
    assert widths == sorted(widths)
    assert all(width <= most for width, most in zip(widths, (4, 8, 9), strict=True))
    assert ops(graph) == ["conv", "conv", "conv"]
    for shape, options in ((IMAGE, {"quantizer": "btq"}), (CLIP, {"axes": 3, "levels": 4})):
        network = after(shape, 8, CF(4, 16, 3, 1, requant="none", **options)).eval()
        assert ops(assert_executors_agree(network, samples=2)[0]) == ["conv", *["wide_conv"] * 2]
    made = after(CLIP, 8, CFLOG(4, 16, 3, 1, Automaton(3), axes=3, requant="none")).eval()
    graph, _ = assert_executors_agree(made, samples=2)
    assert ops(graph) == ["conv", "wide_conv", "ca_weights", "wide_conv"]


def test_sums_wider_than_24_bits_have_no_product():
    wide = nn.Sequential(Input((300, 3, 3), -(1 << 15), (1 << 15) - 1), QuantConv2d(300, 1, 1))
    assert ops(lower(wide)) == ["wide_conv"]
    with pytest.raises(CodesignError) as error:
        lower(nn.Sequential(Input((1, 3, 3), 0, 1 << 23), QuantConv2d(1, 1, 1)))
    assert str(error.value) == (
        "1: x has codes [0..8388608]; wide_conv takes at most 24 signed bits; rescale before it"
    )


@pytest.mark.parametrize("mode", ["gated_add", "select", "add", "none"])
@pytest.mark.parametrize(("bits", "width"), [(1, 8), (3, 8), (2, 4)])
def test_mux_residual_block_is_its_program(mode, bits, width):
    block = MRB(4, width, 8, 2, bits, mode, Automaton(11))
    network = settle(after(IMAGE, bits, block), batch=8)
    graph, values = assert_executors_agree(network, samples=4)
    join = {"select": [], "none": []}.get(mode, ["bit_or" if bits == 1 else "shift_add"])
    gate = ["tgap", "mux"] if mode in ("gated_add", "select") else []
    twice = ["repeat"] if width == 8 and mode != "none" else []
    factor = ("conv", "ca_weights", "bit_shift_norm", "clip")
    assert sorted(ops(graph, but=factor)) == sorted(["threshold", *twice, *join, *gate])
    assert graph.values[graph.outputs[0]].shape == (width, *IMAGE[1:])
    if gate:  # the formula, from the parts
        x = values["1.twice"] if twice else None
        branch, select = values["1.norm"], values["1.gate"][:, :, None, None]
        if x is not None:
            assert np.array_equal(
                values["1.gate"], 2 * x.sum((2, 3)) > x[0, 0].size * (2**bits - 1)
            )
            joined = {"select": x, "gated_add": branch | x if bits == 1 else (branch + x) >> 1}
            assert np.array_equal(values["1.mux"], np.where(select, joined[mode], branch))


@pytest.mark.parametrize("gate", ["or", "mux", "mux_or", "none"])
@pytest.mark.parametrize(("width", "pool"), [(4, False), (8, True)])
def test_logic_block_is_its_program_and_formula(gate, width, pool):
    network = settle(after((4, 6, 6), 1, LogicBlock(4, width, gate, pool=pool)), batch=8)
    graph, values = assert_executors_agree(network, samples=4)
    result = values[graph.outputs[0]]
    assert result.shape == (4, width, *((3, 3) if pool else (6, 6)))
    assert set(np.unique(result)) == {0, 1}
    if gate == "none" or not pool:
        return
    branch, skip = values["1.pool"], values["1.twice"]
    if gate == "or":
        wanted = branch | skip
    else:
        select = (2 * skip.sum((2, 3)) > 9).astype(np.int64)[:, :, None, None]
        wanted = branch | (select & skip) if gate == "mux_or" else np.where(select, skip, branch)
    assert np.array_equal(result, wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: CF(4, 12, 4, 5),
            "CF: 5 groups do not divide 12 input channels; use a divisor of 12 (1, 2, 3, 4, 6, 12)",
        ),
        (
            lambda: CF(4, 4, 4, 1, requant="round"),
            "CF: requant 'round' is unknown; use none, shift, qrelu",
        ),
        (lambda: CF(4, 4, 4, 1, axes=1), "CF: axes is 1; give 2 for images or 3 for clips"),
        (
            lambda: CF(4, 4, 4, 1, levels=4, quantizer="btq"),
            "QuantConv2d: quantizer 'btq' has 3 levels, levels is 4; "
            "use levels=3, or quantizer='heq'",
        ),
        (
            lambda: CFLOG(4, 8, 4, 1, Automaton(0)),
            "GeneratedConv2d: ca_weights: attribute seed is 0; give 1 to 4294967295",
        ),
        (
            lambda: CFLOG(4, 8, 4, 1, Automaton(1, cells=15), axes=3),
            "GeneratedConv3d: ca_weights: a row of 8 weights takes 16 cells, the ring has 15; "
            "use 16 cells or more",
        ),
        (
            lambda: GeneratedConv2d(4, 8, Automaton(1, mapping="quinary")),
            "GeneratedConv2d: mapping 'quinary' is unknown; use ternary, balanced, binary",
        ),
        (
            lambda: GeneratedConv2d(32, 8, Automaton(1, rule=90)),
            "GeneratedConv2d: rule 90 from seed 1 on 64 cells gives only zeros; use rule 30 or "
            "another number of cells",
        ),
        (
            lambda: GeneratedConv2d(4, 8, Automaton(1))(torch.zeros(1, 3, 2, 2)),
            "GeneratedConv2d: the input has shape (1, 3, 2, 2); give N x 4 x height x width",
        ),
        (
            lambda: MRB(4, 12, 4, 1),
            "MRB: width 12 of 4 input channels; give 4, or 8 to double",
        ),
        (
            lambda: MRB(4, 4, 4, 1, mode="sum"),
            "MRB: mode 'sum' is unknown; use gated_add, select, add, none",
        ),
        (
            lambda: LogicBlock(4, 12),
            "LogicBlock: width 12 of 4 input channels; give 4, or 8 to double",
        ),
        (
            lambda: LogicBlock(4, 4, "xor"),
            "LogicBlock: gate 'xor' is unknown; use or, mux, mux_or, none",
        ),
        (
            lambda: lower(after((4, 6, 6), 2, LogicBlock(4, 4, "or"))),
            "1.join: a has codes [0..1], b [0..3]; both must be [0..1], or both [-1..1/2]; "
            "use maximum for wider codes",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
