"""MOGNET: MUX residual blocks whose last convolution is generated on line (3-mognet.md 4.6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import nn

from codesign.errors import CodesignError
from codesign.models.classes import CIFAR10, class_names
from codesign.models.encoder import PREPROCESSING
from codesign.nn import (
    MRB,
    Automaton,
    BitShiftNorm,
    GlobalSum,
    ImageInput,
    MaxPool2d,
    QuantConv2d,
    ThresholdNorm,
)
from codesign.nn.factor import Requant
from codesign.nn.logic import SPARSE
from codesign.nn.mrb import Mode

#: Channels of a group in the grouped convolution.
GROUP = 16
#: Widths of the blocks, in units of n; a pool stands before each new one.
BLOCKS = (1, 2, 2, 4, 4)


class MOGNet(nn.Sequential):
    """N x C x H x W pixels 0..255 -> N x classes integer scores, codes of k bits between.

    Stem 3x3 to n channels; MRB(n); pool; two MRB(2n); pool; two MRB(4n); 1x1 to the classes, its
    normalization, the global sum. The latent dimension of an MRB is `m` of the first and grows
    with the width; groups are of 16 channels. All weights are balanced ternary but those of the
    second point-wise layers, which the automaton makes: only their seeds are stored.

    Raises CodesignError where `m` is no multiple of 16, the map does not halve twice, and what the
    layers refuse.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        classes: int | Sequence[str],
        n: int,
        m: int,
        k: int,
        automaton: Automaton | None,
        mode: Mode = "gated_add",
        requant: Requant = "shift",
    ) -> None:
        names = class_names(name, classes)
        if m < GROUP or m % GROUP:
            raise CodesignError(f"{name}: m is {m}; give a multiple of {GROUP}")
        if shape[1] % 4 or shape[2] % 4:
            raise CodesignError(
                f"{name}: maps of {shape[1]} x {shape[2]} do not halve twice; give multiples of 4"
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["image"] = ImageInput(*shape)
        layers["stem"] = QuantConv2d(shape[0], n, 3, padding=1, quantizer="btq")
        layers["norm"] = ThresholdNorm(n, k, start=SPARSE if k == 1 else None)
        depth = n
        for number, factor in enumerate(BLOCKS, start=1):
            if factor * n != depth:
                layers[f"pool{number}"] = MaxPool2d(2)
            layers[f"block{number}"] = MRB(
                depth,
                factor * n,
                factor * m,
                factor * m // GROUP,
                k,
                mode,
                None if automaton is None else _of_layer(automaton, number),
                quantizer="btq",
                requant=requant,
            )
            depth = factor * n
        layers["head"] = QuantConv2d(depth, len(names), 1, quantizer="btq")
        layers["centre"] = BitShiftNorm(len(names), None, shift=0)
        layers["scores"] = GlobalSum()
        super().__init__(layers)
        self.metadata: dict[str, Any] = {
            "name": name,
            "classes": list(names),
            "input": "image",
            "preprocessing": PREPROCESSING,
        }


def _of_layer(automaton: Automaton, number: int) -> Automaton:
    """The automaton of block `number`: a seed of its own, by the golden ratio of 2^32."""
    seed = (automaton.seed + number * 0x9E3779B1) % (1 << 32) or 1
    return Automaton(seed, automaton.rule, stored=automaton.stored)


def mognet(
    n: int = 128,
    m: int | None = None,
    k: int = 3,
    rule: int = 30,
    seed: int = 1,
    stored: bool = False,
    mode: Mode = "gated_add",
    requant: Requant = "shift",
    size: int = 32,
    classes: int | Sequence[str] = CIFAR10,
) -> MOGNet:
    """MOGNET of width `n`, latent dimension `m` (default n), codes of `k` bits.

    `rule` and `seed` are the automaton's, each layer's seed is derived from it; `stored` keeps its
    weights as ordinary constants. `mode` is that of `MRB`, `requant` that of `CF`. By default
    1,512,192 bits are stored, and 1,343,488 are not.
    """
    automaton = Automaton(seed, rule, stored=stored)
    latent = n if m is None else m
    return MOGNet("mognet", (3, size, size), classes, n, latent, k, automaton, mode, requant)
