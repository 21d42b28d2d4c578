"""BILLNET on a few frames at a time: states come in and go out, results equal a whole clip's.

Where that is so:

- the recurrent part (`HeadStream`) streams step by step, in every BILLNET;
- the whole network (`FrameStream`) streams where no layer needs the map of another frame: its
  convolutions see one frame (`window=1`) and its selects come from the frame itself or the one
  before (`tgap="frame"` or "causal"). The second max-pool joins two frames, so a run takes two, or
  another even number.

Anything else is refused, with the layer's name. Both carry `metadata["carry"]`: for each state its
graph input, and there the output that it comes from and the code that it begins with.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn

from codesign.errors import CodesignError, UnsupportedError
from codesign.models.billnet import Billnet, Head
from codesign.nn import (
    MOR,
    TGAP,
    ClipInput,
    Concat,
    Input,
    QuantConv3d,
    QuantLSTM,
    Reshape,
    SequenceSum,
    Slice,
)


class _HeadStep(nn.Module):
    """Bits of `steps` steps, state, and sum of h so far, to scores, state and sum."""

    def __init__(self, head: Head, steps: int, most: int) -> None:
        super().__init__()
        units = head.cell.units
        self.cell, self.hidden, self.fc, self.scores = head.cell, head.hidden, head.fc, head.scores
        codes = (-1, 1, 2)
        if isinstance(head.cell, QuantLSTM):
            top = (1 << (head.cell.bits - 1)) - 1
            codes = (-2 * top, 2 * top + 1, 1)
        self.state, self.total = Input((units,), *codes), Input((units,), -most, most)
        self.last, self.following = Slice(steps - 1, steps), Reshape(units)
        self.as_step, self.join, self.sum = Reshape(1, units), Concat(), SequenceSum()

    def forward(self, vectors: Tensor, state: Tensor, total: Tensor) -> Any:
        states = self.cell(vectors, self.state(state))
        hidden = states if self.hidden is None else self.hidden(states)
        added = self.sum(self.join(self.as_step(self.total(total)), hidden))
        return self.scores(self.fc(added)), self.following(self.last(states)), added


class HeadStream(nn.Module):
    """The recurrent part of `network`, `steps` steps a run.

    Takes the bits N x steps x features of the encoder, and N x units each: the state of the cell
    and the sum of h so far. Gives the scores so far, the state, the sum. A stream may be at most
    `most` steps long: the sum has that range. `network` is not changed.
    """

    def __init__(self, network: Billnet, steps: int = 1, most: int = 256) -> None:
        super().__init__()
        head = copy.deepcopy(network.head)
        self.vectors = Input((steps, head.cell.features), 0, 1)
        self.head = _HeadStep(head, steps, most)
        self.metadata: dict[str, Any] = {
            "name": f"{network.metadata['name']}_head",
            "carry": _carry(head),
        }

    def forward(self, vectors: Tensor, state: Tensor, total: Tensor) -> Any:
        """Scores, state, sum."""
        return self.head(self.vectors(vectors), state, total)


class _BlockStep(nn.Module):
    """A block on `frames` frames; with a causal select the last frame's bits go to the next run."""

    def __init__(self, block: MOR, frames: int) -> None:
        super().__init__()
        assert isinstance(block.gate, TGAP)  # a MOR has one
        self.cf, self.norm, self.twice = block.cf, block.norm, block.twice
        self.join, self.mux, self.gate = block.join, block.mux, block.gate.streaming()
        self.carries = block.gate.mode == "causal"
        if self.carries:
            self.before, self.both = Input((block.gate.channels, 1), 0, 1), Concat(axis=1)
            self.now = Slice(0, frames, axis=1)
            self.following = Slice(frames, frames + 1, axis=1)

    def forward(self, x: Tensor, before: Tensor | None) -> Any:
        assert self.join is not None
        assert self.mux is not None
        made = self.norm(self.cf(x))
        skip = x if self.twice is None else self.twice(x)
        bits, following = self.gate(skip), None
        if self.carries:
            both = self.both(self.before(before), bits)
            bits, following = self.now(both), self.following(both)
        return self.mux(self.join(made, skip), made, bits), following


class FrameStream(nn.Module):
    """The whole of `network`, `frames` frames a run (even: two make a step of the cell).

    Takes pixels N x C x frames x H x W, the state of the cell and the sum of h, N x units each,
    and with causal selects the bits of the frame before each of the five blocks, N x channels x 1.
    Gives the scores so far, then those states. A stream may be at most `most` steps long.
    `network` is not changed.

    Raises UnsupportedError with the layer that needs other frames, CodesignError for odd frames.
    """

    def __init__(self, network: Billnet, frames: int = 2, most: int = 256) -> None:
        super().__init__()
        _need_streaming(network)
        if frames < 2 or frames % 2:
            raise CodesignError(
                f"FrameStream: {frames} frames a run; the second pool joins two, give an even "
                "number"
            )
        copied = copy.deepcopy(network)
        encoder = copied.encoder
        channels, _, height, width = encoder.clip.shape
        self.clip = ClipInput(channels, frames, height, width)
        self.stem, self.norm, self.pool = encoder.stem, encoder.norm, encoder.pool
        self.pool1, self.pool2, self.vectors = encoder.pool1, encoder.pool2, encoder.vectors
        self.block1 = _BlockStep(encoder.block1, frames)
        self.block2 = _BlockStep(encoder.block2, frames)
        self.block3 = _BlockStep(encoder.block3, frames)
        self.block4 = _BlockStep(encoder.block4, frames // 2)
        self.block5 = _BlockStep(encoder.block5, frames // 2)
        self.head = _HeadStep(copied.head, frames // 2, most)
        gates = range(1, 6) if self.block1.carries else ()
        self.metadata: dict[str, Any] = {
            "name": f"{network.metadata['name']}_stream",
            "carry": _carry(copied.head)
            | {f"gate{k}": {"from": f"block{k}.following", "start": 0} for k in gates},
        }

    def forward(
        self,
        clip: Tensor,
        state: Tensor,
        total: Tensor,
        gate1: Tensor | None = None,
        gate2: Tensor | None = None,
        gate3: Tensor | None = None,
        gate4: Tensor | None = None,
        gate5: Tensor | None = None,
    ) -> Any:
        """Scores, state, sum, and the bits that causal selects carry."""
        x, next1 = self.block1(self.norm(self.stem(self.clip(clip))), gate1)
        x, next2 = self.block2(self.pool1(x), gate2)
        x, next3 = self.block3(x, gate3)
        x, next4 = self.block4(self.pool2(x), gate4)
        x, next5 = self.block5(x, gate5)
        results = self.head(self.vectors(self.pool(x)), state, total)
        return results, [bits for bits in (next1, next2, next3, next4, next5) if bits is not None]


def _carry(head: Head) -> dict[str, Any]:
    start = 0 if isinstance(head.cell, QuantLSTM) else -1
    return {
        "state": {"from": "head.following", "start": start},
        "total": {"from": "head.sum", "start": 0},
    }


def _need_streaming(network: Billnet) -> None:
    """UnsupportedError for the first layer that needs frames which a stream does not have yet."""
    for path, layer in network.named_modules():
        if isinstance(layer, QuantConv3d) and layer.kernel[0] > 1:
            raise UnsupportedError(
                f"{path}: QuantConv3d sees {layer.kernel[0]} frames, a stream has not the next one "
                "yet; make the network with window=1, or stream its recurrent part (HeadStream)"
            )
        if isinstance(layer, TGAP) and layer.mode == "clip":
            raise UnsupportedError(
                f"{path}: TGAP needs the whole clip before its first bit; make the network with "
                'tgap="causal" or "frame", or stream its recurrent part (HeadStream)'
            )
