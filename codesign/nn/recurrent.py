"""Recurrent layers of binary weights, one-bit gates and integer state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from codesign.errors import CodesignError
from codesign.nn._recurrent import Recurrent
from codesign.nn._surrogates import sign_gate, step_gate
from codesign.nn.base import Layer

if TYPE_CHECKING:
    from codesign.ir import GraphBuilder


class QuantLSTM(Recurrent):
    """LSTM whose gates are bits and whose cell is a counter (4-billnet.md 4.3, design choice).

    Maps N x T x features codes to N x T x units states; `forward(x, state)` goes on from the
    state N x units, `forward(x)` from zero. A state packs cell and output gate, `2*c + o`: the
    last one, `states[:, -1]`, is what the next call begins with. `LSTMHidden` gives h.

    With the sums A of the gates: `i, f, o = 1[A > 0]`, `g = sign(A)`,
    `c = clip(f*c + i*g, -C, C)`, `C = 2^(bits-1) - 1`, and `h = o ? sign(c) : -1`, or `o*sign(c)`
    where `ternary`. The surrogate of `sign(c)` is the hard tanh of `c / max(1, (C+1)/2)`; relaxed
    gates leave c a float without bounds. A forget gate begins open.

    Raises CodesignError for bits outside 1..8, and shapes that do not fit.
    """

    rows, open_row = 4, 1

    def __init__(self, features: int, units: int, bits: int = 4, ternary: bool = False) -> None:
        super().__init__(features, units)
        if not 1 <= bits <= 8:
            raise CodesignError(f"QuantLSTM: a cell of {bits} bits; give 1 to 8")
        self.bits, self.ternary = bits, ternary

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor:
        """States of every step, float32.

        Packing has no gradient: where one is wanted, or gates are relaxed, the tensor carries its
        hidden values as the attribute `hidden`, which `LSTMHidden` hands out.
        """
        fed = self._fed(x)
        packed = self._state(x, state, 0.0)
        cell, opened = torch.floor(packed / 2), packed - 2 * torch.floor(packed / 2)
        back = self.recurrent.quantized()
        top = float((1 << (self.bits - 1)) - 1)
        hidden = self._hidden(cell, opened)
        states, all_hidden = [], []
        for t in range(x.shape[1]):
            sums = (fed[:, t] + functional.linear(hidden, back)) / 2.0**self.exponent
            i, f, g, o = sums.chunk(4, dim=1)
            i, f, o = (step_gate(gate, self.gates, self.slope) for gate in (i, f, o))
            cell = f * cell + i * sign_gate(g, self.gates, self.slope)
            if not self.relaxed:
                cell = cell.clamp(-top, top)
            hidden = self._hidden(cell, o)
            states.append((2 * cell + o).detach())
            all_hidden.append(hidden)
        result = torch.stack(states, 1)
        if self.training or self.relaxed:
            result.hidden = torch.stack(all_hidden, 1)  # type: ignore[attr-defined]
        return result

    def _hidden(self, cell: Tensor, opened: Tensor) -> Tensor:
        """h of cell and output gate; both gradients are those of the product."""
        reach = 1.0 if self.relaxed else max(1.0, 2.0 ** (self.bits - 2))
        sign = sign_gate(cell / reach, self.gates, self.slope)
        return opened * sign if self.ternary else opened * (sign + 1) - 1

    def lower(self, builder: GraphBuilder, name: str, x: str, state: str | None = None) -> str:
        """One `lstm` node, after a `fill` node where no state is given."""
        begin = self._begin(builder, name, x, state, 0)
        inputs = [x, begin, *self._constants(builder, name)]
        return builder.node(name, "lstm", inputs, bits=self.bits, ternary=int(self.ternary))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bits={self.bits}, ternary={self.ternary}"


class LSTMHidden(Layer):
    """Hidden codes of the states of a `QuantLSTM` of the same `ternary`, same shape."""

    def __init__(self, ternary: bool = False) -> None:
        super().__init__()
        self.ternary = ternary

    def forward(self, states: Tensor) -> Tensor:
        """h; differentiable in training, where `states` must be the tensor that the LSTM gave."""
        hidden = getattr(states, "hidden", None)
        if isinstance(hidden, Tensor):
            return hidden
        if self.training and torch.is_grad_enabled():
            raise CodesignError(
                "LSTMHidden: the input carries no gradient of a QuantLSTM; "
                "apply it to the states themselves, and slice or reorder its result"
            )
        opened = states - 2 * torch.floor(states / 2)
        sign = 2 * (states >= 0).to(states.dtype) - 1
        return opened * sign if self.ternary else opened * (sign + 1) - 1

    def lower(self, builder: GraphBuilder, name: str, x: str) -> str:
        """One `lstm_hidden` node."""
        return builder.node(name, "lstm_hidden", [x], ternary=int(self.ternary))

    def extra_repr(self) -> str:
        return f"ternary={self.ternary}"


class QuantGRU(Recurrent):
    """Binarized gated recurrent unit; its states are its hidden codes -1, +1 (design choice).

    Maps N x T x features codes to N x T x units; `forward(x, state)` goes on from the state
    N x units, `forward(x)` from -1. With the sums W x + b and U h of the gates:
    `r, z = 1[W x + b + U h > 0]`, `n = sign(W x + b + r * U h)`, `h = z ? h : n`. The update
    gate begins by keeping.
    """

    rows, open_row = 3, 1

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor:
        """States of every step, float32."""
        fed = self._fed(x)
        hidden = self._state(x, state, -1.0)
        back = self.recurrent.quantized()
        unit, states = 2.0**self.exponent, []
        for t in range(x.shape[1]):
            fed_r, fed_z, fed_n = (fed[:, t] / unit).chunk(3, dim=1)
            back_r, back_z, back_n = (functional.linear(hidden, back) / unit).chunk(3, dim=1)
            reset = step_gate(fed_r + back_r, self.gates, self.slope)
            keep = step_gate(fed_z + back_z, self.gates, self.slope)
            new = sign_gate(fed_n + reset * back_n, self.gates, self.slope)
            hidden = keep * hidden + (1 - keep) * new
            states.append(hidden)
        return torch.stack(states, 1)

    def lower(self, builder: GraphBuilder, name: str, x: str, state: str | None = None) -> str:
        """One `gru` node, after a `fill` node where no state is given."""
        begin = self._begin(builder, name, x, state, -1)
        return builder.node(name, "gru", [x, begin, *self._constants(builder, name)])
