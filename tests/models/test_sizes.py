"""The sizes that `codesign models` lists are those of the networks."""

import pytest
import torch

from codesign import models
from codesign.convert.torch import lower
from codesign.ir import Graph, lookup
from codesign.models.sizes import SIZES, Size


def measured(graph: Graph) -> Size:
    """Weights, multiply-accumulates, stored and generated bits of a program."""
    macs = weights = stored = generated = 0
    for node in graph.nodes:
        spec = lookup(node.op)
        macs += spec.cost(*graph.arguments(node), **node.attrs).total("mac")
        for label, name in zip(spec.inputs, node.inputs, strict=True):
            if label in ("weight", "recurrent"):
                value = graph.values[name]
                weights += value.size
                if name in graph.constants:
                    stored += value.size * value.type.storage_bits
                else:
                    generated += value.size * value.type.storage_bits
    return Size(weights, macs, stored, generated)


@pytest.mark.parametrize("name", models.MODELS)
def test_listed_sizes_are_the_network_s(name):
    torch.manual_seed(0)
    assert SIZES[name] == measured(lower(models.create(name).eval()))


def test_every_network_is_listed():
    assert list(SIZES) == sorted(models.MODELS)
