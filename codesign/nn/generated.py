"""Convolution whose weights a cellular automaton makes: nothing to store but a seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn.conv import Convolution, Sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codesign.ir import GraphBuilder

#: How a weight is read from the ring, in the order of the operation's attribute.
MAPPINGS = ("ternary", "balanced", "binary")
Mapping = Literal["ternary", "balanced", "binary"]
#: Cells of the ring for one weight of a row, and levels of a weight.
_CELLS = {"ternary": 2, "balanced": 3, "binary": 1}
_LEVELS = {"ternary": 3, "balanced": 3, "binary": 2}
#: Steps before the first row at the least (3-mognet.md 4.3).
_WARM_UP = 64
#: Rings of fewer cells are odd by default.
_SMALL = 64


@dataclass(frozen=True)
class Automaton:
    """Which automaton makes the weights of a layer (3-mognet.md 4.3; operation `ca_weights`).

    `seed` is the first 32 cells of the ring at the start. `cells` None: as many as a row takes, of
    fewer than 64 the next odd number, for a small even ring soon repeats itself halfway round and
    its differences are zero. `warm_up` None: 64 steps or as many as there are cells, so that the
    seed has reached every cell. With `stored` the same weights are an ordinary constant of the
    program.
    """

    seed: int
    rule: int = 30
    cells: int | None = None
    warm_up: int | None = None
    steps: int = 1
    mapping: Mapping = "ternary"
    stored: bool = False

    @property
    def levels(self) -> int:
        """Levels of a weight."""
        return _LEVELS[self.mapping]

    def attributes(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Attributes of the operation that makes weights of this shape, defaults filled in."""
        if self.mapping not in MAPPINGS:
            raise CodesignError(f"mapping {self.mapping!r} is unknown; use {', '.join(MAPPINGS)}")
        given = {name: value for name, value in asdict(self).items() if name != "stored"}
        row = int(np.prod(shape[1:], dtype=np.int64))
        cells = self.cells
        if cells is None:
            cells = max(3, row * _CELLS[self.mapping])
            cells |= cells < _SMALL
        warm_up = max(_WARM_UP, cells) if self.warm_up is None else self.warm_up
        mapping = MAPPINGS.index(self.mapping)
        return {**given, "shape": shape, "cells": cells, "warm_up": warm_up, "mapping": mapping}

    def weights(self, shape: tuple[int, ...]) -> NDArray[np.int8]:
        """The weight codes; CodesignError where the automaton has none of this shape, or only 0."""
        from codesign.ir import lookup

        spec = lookup("ca_weights")
        attrs = spec.parse_attributes(self.attributes(shape))
        spec.infer(**attrs)
        codes = spec.reference(**attrs)
        if not codes.any():
            raise CodesignError(
                f"rule {self.rule} from seed {self.seed} on {attrs['cells']} cells gives only "
                "zeros; use rule 30 or another number of cells"
            )
        return codes.astype(np.int8)


class _GeneratedConv(Convolution):
    """What convolutions with generated weights share."""

    codes: Tensor

    def __init__(
        self,
        cin: int,
        cout: int,
        automaton: Automaton,
        kernel: Sizes = 1,
        padding: Sizes = 0,
        pad_code: int = 0,
    ) -> None:
        super().__init__()
        self.cin, self.cout, self.groups, self.automaton = cin, cout, 1, automaton
        self.kernel = self._sizes("kernel", kernel, 1)
        self.stride = self._sizes("stride", 1, 1)
        self.padding = self._sizes("padding", padding, 0)
        self.pad_code = pad_code
        try:
            weights = automaton.weights(self.shape)
        except CodesignError as error:
            raise CodesignError(f"{type(self).__name__}: {error}") from None
        # of the automaton, not of the training: no part of the state
        self.register_buffer("codes", torch.from_numpy(weights).float(), persistent=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the weights."""
        return (self.cout, self.cin, *self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Accumulators, in x's dtype; the gradient flows through the weights to x."""
        return self.convolve(x, self.codes)

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """A `ca_weights` node (or the constant, where stored) and the product that reads it."""
        from codesign.ir import code_set

        label = f"{name}.weight"
        if self.automaton.stored:
            codes = self.automaton.weights(self.shape)
            weight = builder.constant(label, codes, code_set(self.automaton.levels))
        else:
            attrs = self.automaton.attributes(self.shape)
            weight = builder.node(label, "ca_weights", [], **attrs)
        return self.node(builder, name, x, weight)

    def extra_repr(self) -> str:
        return f"{self.cin}, {self.cout}, {self.automaton}, kernel={self.kernel}"


class GeneratedConv2d(_GeneratedConv):
    """2-D convolution with an automaton's weights, point-wise by default (3-mognet.md 4.3).

    N x cin x H x W codes -> N x cout x H' x W' accumulators. The weights do not learn; they are
    those of the operation `ca_weights`, which the program holds instead of them.

    Raises CodesignError for a seed of 0, a ring that is smaller than a row takes, an unknown
    mapping, a rule that gives only zeros; in evaluation where float32 might not be exact.
    """

    axes = ("height", "width")
    _convolve = staticmethod(functional.conv2d)


class GeneratedConv3d(_GeneratedConv):
    """The same for a clip: N x cin x T x H x W codes."""

    axes = ("frames", "height", "width")
    _convolve = staticmethod(functional.conv3d)
