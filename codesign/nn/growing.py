"""A binary classifier whose classes come one after the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn.arrange import Concat, Repeat
from codesign.nn.binary import BinaryLinear

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class GrowableLinear(BinaryLinear):
    """Binary dense layer of integer scores with `rows` outputs allocated, the first `grown` in use.

    N x cin codes -> N x grown sums. A row that is not in use is not computed: it has no part in
    loss, decision or gradient, and the program holds the rows in use only (5-fbnn.md 4.3, design
    choice: such a program equals a masked one, and is smaller).
    """

    used: Tensor

    def __init__(self, cin: int, rows: int, grown: int) -> None:
        super().__init__(cin, rows, activation=False)
        self.register_buffer("used", torch.tensor(0))
        self.grow(grown)

    @property
    def grown(self) -> int:
        """Rows in use."""
        return int(self.used)

    @property
    def score_scale(self) -> float:
        """`1 / sqrt(5 * fan-in * rows)`: turns scores into logits for the loss, and only there.

        Set by the topology, so that it stays while classes come (5-fbnn.md 1, slides: N_c; that
        it counts the rows allocated is a design choice).
        """
        return 1 / math.sqrt(5 * self.fan_in * self.cout)

    def grow(self, count: int) -> None:
        """Use the first `count` rows; CodesignError where fewer are in use or are allocated."""
        if not max(self.grown, 1) <= count <= self.cout:
            raise CodesignError(
                f"{type(self).__name__}: {count} rows cannot be in use, {self.grown} of "
                f"{self.cout} are; give {max(self.grown, 1)} to {self.cout}"
            )
        self.used.fill_(count)

    def quantized(self) -> Tensor:
        """Integer codes of the rows in use as float32, differentiable."""
        return super().quantized()[: self.grown]

    def codes(self) -> NDArray[np.int8]:
        """The integer codes of the rows in use."""
        return super().codes()[: self.grown]

    def extra_repr(self) -> str:
        return f"{self.cin}, {self.cout}, grown={self.grown}"


class GrowableClassifier(nn.Module):
    """Scores from a binary latent vector, linear and non-linear (5-fbnn.md 1, slides).

    N x latent codes +/-1 -> N x grown scores: `hidden` binary features of the latent are joined to
    the latent itself, the whole is duplicated, and a binary dense layer follows. Two weights +/-1
    on one feature add up to -2, 0 or +2: ternary weights with a fake zero, made of binary ones.
    `hidden` 0 leaves the linear path alone.
    """

    def __init__(self, latent: int, rows: int, grown: int, hidden: int = 128) -> None:
        super().__init__()
        self.latent, self.features = latent, hidden
        if hidden:
            self.hidden = BinaryLinear(latent, hidden)
            self.join = Concat()
        self.twice = Repeat(2)
        self.rows = GrowableLinear(2 * (latent + hidden), rows, grown)

    def forward(self, x: Tensor) -> Tensor:
        """Integer scores of the classes in use, float32."""
        if self.features:
            x = self.join(x, self.hidden(x))
        scores: Tensor = self.rows(self.twice(x))
        return scores

    def grow(self, count: int) -> None:
        """Use the rows of the first `count` classes."""
        self.rows.grow(count)

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the scaled scores, which are of the classes in use.

        Raises CodesignError for a label whose row is not in use yet.
        """
        grown, last = scores.shape[1], int(labels.max())
        if last >= grown or int(labels.min()) < 0:
            wrong = last if last >= grown else int(labels.min())
            remedy = (
                f"grow({wrong + 1}) first"
                if 0 <= wrong < self.rows.cout
                else f"give 0 to {self.rows.cout - 1}"
            )
            raise CodesignError(
                f"{type(self).__name__}: class {wrong} has no row, {grown} of {self.rows.cout} "
                f"rows are in use; {remedy}"
            )
        return functional.cross_entropy(scores * self.rows.score_scale, labels)
