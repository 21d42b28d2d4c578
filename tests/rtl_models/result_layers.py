"""Random layers as result_unit sees them: tokens in order, and the map that they have to become."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from codesign.hw.layout import BIPOLAR, Layout, lanes_per_code
from codesign.hw.schedule import DRAIN_PIPELINE, VECTOR_PIPELINE, Run, results
from codesign.hw.tiling import OutputTile, block_shape, output_tiles, window_fits_block
from codesign.ir import IntArray, IntType
from codesign.rtl.codes import Activation, Form, Operation, Reduce, form_of
from codesign.rtl.words import Map, lanes_to_words, pack
from tests.rtl_models.units import (
    corner,
    divisor,
    random_codes,
    random_form,
    reference,
    signed_range,
)

#: What may follow the accumulators, by the names of the op table.
RESCALES = ("none", "norm", "hwmsb", "norm hwmsb", "clip", "norm clip", "norm heaviside", "sign")
#: Those of a machine that is built without the threshold unit.
PLAIN_RESCALES = RESCALES[:4]
#: Those whose results are small, however wide the sum is.
_NARROW = ("hwmsb", "heaviside", "sign")


@dataclass(frozen=True)
class Machine:
    """Sizes that the unit is built with."""

    inputs: int
    outputs: int
    acc: int
    bias: int
    thresholds: bool
    pools: bool
    argmax: bool

    @classmethod
    def of(cls, dut: Any) -> Machine:
        """Those of a module under test."""
        sizes = ("InputLanes", "OutputLanes", "AccBits", "BiasBits")
        units = ("HasThreshold", "HasPool", "HasArgmax")
        inputs, outputs, acc, bias = (int(getattr(dut, name).value) for name in sizes)
        thresholds, pools, argmax = (bool(int(getattr(dut, name).value)) for name in units)
        return cls(inputs, outputs, acc, bias, thresholds, pools, argmax)

    @property
    def rescales(self) -> tuple[str, ...]:
        """What can follow the accumulators."""
        return RESCALES if self.thresholds else PLAIN_RESCALES


@dataclass(frozen=True)
class Token:
    """One token, and what a memory gives for it: a pixel's sums, or a word turned to its tile."""

    outputs: int
    value: bool = False
    window_first: bool = False
    window_last: bool = False
    sum_first: bool = False
    compare: bool = False
    lane: int = 0
    emit: bool = False
    tile_last: bool = False
    first: bool = False
    sums: IntArray | None = None
    word: int | None = None
    number: int = 0
    rotate: int = 0

    @property
    def bits(self) -> int:
        """The token's word."""
        flags = (self.value, self.window_first, self.window_last, self.sum_first, self.compare)
        word = 0
        for flag in flags:
            word = word << 1 | flag
        return (
            word << 19 | self.lane << 10 | self.emit << 9 | self.tile_last << 8 | self.outputs - 1
        )


@dataclass(frozen=True)
class Turn:
    """Tokens that follow each other; a product layer has one for each hand-over to the drain."""

    tile: OutputTile
    begins: bool
    cycles: int  # by the schedule, where nothing else holds it up
    tokens: list[Token]
    bounds: str  # what decides the cycles


@dataclass(frozen=True)
class Layer:
    """One layer: fields of its descriptor, turns, biases of each tile, the map it writes."""

    operation: Operation
    rescale: str
    reduce: str
    fields: dict[str, int]
    turns: list[Turn]
    biases: list[IntArray]
    target: Map
    expected: IntArray
    words_out: int
    met: list[str] = field(default_factory=list)  # of the bins that the layer decides


class Rescale:
    """Bias, shift and activation of a layer: a chain of operations and their fields."""

    def __init__(
        self, rng: random.Random, kind: str, channels: int, width: int, bias_bits: int
    ) -> None:
        norm, act = "norm" in kind, kind.split()[-1]
        shift = rng.choice((0, rng.randint(0, 6), rng.randint(0, 31))) if norm else 0
        self.bias = None
        self.steps: list[tuple[str, dict[str, int]]] = []
        self.fields = {"bias": int(norm), "shift": shift, "activation": Activation.NONE}
        if norm:
            draw = [corner(rng, *signed_range(bias_bits)) for _ in range(channels)]
            self.bias = np.array(draw)
            self.steps.append(("bit_shift_norm", {"shift": shift}))
        if act == "hwmsb":
            bits, more = rng.choice((1, 2, 3, 8)), rng.choice((0, 2, 10))
            self.fields |= {"shift": shift + more, "activation": Activation.CLIP}
            self.fields |= {"clip_low": 0, "clip_high": (1 << bits) - 1}
            self.steps.append(("hwmsb", {"bits": bits, "shift": more}))
        elif act == "clip":
            # bounds beyond every value on one side at most: what is written fits the datapath
            near = rng.choice((signed_range(width), (-9, 9), (0, 200)))
            low, high = sorted(corner(rng, *near) for _ in range(2))
            least, most = signed_range(32)
            low, high = rng.choice(((low, high), (low, most), (least, high), (least, most)))
            self.fields |= {"activation": Activation.CLIP, "clip_low": low, "clip_high": high}
            self.steps.append(("clip", {"lo": low, "hi": high}))
        elif act in ("heaviside", "sign"):
            self.fields["activation"] = Activation[act.upper()]
            self.steps.append((act, {}))

    def __call__(self, x: IntArray) -> IntArray:
        for name, attributes in self.steps:
            constants = () if name != "bit_shift_norm" else (self.bias,)
            x = reference(name, x, *constants, **attributes)
        return x


def random_layer(rng: random.Random, machine: Machine, operation: Operation, kind: str) -> Layer:
    """A layer of any shape that the machine has the units for, rescaled as `kind` says."""
    reduces = ["none", "none", *["sum"] * machine.pools, *["argmax"] * machine.argmax]
    reduce = rng.choice(reduces)
    channels = rng.randint(1, 3 * machine.outputs + 1)
    size = (1, 1) if reduce == "argmax" else (rng.randint(1, 5), rng.randint(1, 5))
    kernel, stride = _window(rng, machine, operation, size)
    width = machine.acc if kind.split()[-1] in _NARROW else min(machine.acc, 31)
    bias_bits = machine.bias if kind.split()[-1] in _NARROW else min(machine.bias, 31)
    if reduce == "sum":  # sums are proved to fit
        width = max(2, width - 5)
        bias_bits = min(bias_bits, width)
    rescale = Rescale(rng, kind, channels, width, bias_bits)
    source: tuple[IntArray, Layout, Form] | None = None
    if operation is Operation.PRODUCT:
        x = random_codes(rng, Form.SIGNED, width, (channels, *size))
    else:
        form, log = random_form(rng, 4)
        # an unsigned value takes a bit less than a signed one of the same width
        bits = min(2 << log, width - (form is Form.UNSIGNED))
        x = random_codes(rng, form, bits, (channels, *size))
        source = x, Layout(channels, *size, 1 << log, machine.inputs), form
    codes = rescale(x)
    if kernel != (1, 1) or stride != (1, 1):
        codes = reference("max_pool", codes, kernel=kernel, stride=stride)
    shuffle = 1 if reduce == "argmax" else divisor(rng, channels)
    codes = reference("channel_shuffle", codes, groups=shuffle)
    if reduce == "sum":
        codes = reference("sum_pool", codes)[:, None]
    elif reduce == "argmax":
        codes = reference("argmax", codes.reshape(-1)).reshape(1, 1)
    target = _target(rng, machine, codes, bipolar=kind == "sign" and reduce == "none")
    order = np.argsort(reference("channel_shuffle", np.arange(channels), groups=shuffle))

    def words(tile: OutputTile) -> int:
        """Words of a result."""
        if reduce == "argmax":
            return target.layout.words
        each = [int(place) for place in order[tile.first : tile.first + tile.outputs]]
        return target.layout.scattered(each)

    if source is None:
        groups = divisor(rng, channels)
        tiles = output_tiles(channels, groups, machine.outputs)
        # a block is as small as one window, or holds many
        pixels = rng.choice((kernel[0] * kernel[1], kernel[0] * kernel[1], 6, 16))
        if not window_fits_block(kernel, pixels):
            pixels = 16
        turns = list(_turns(x, tiles, block_shape(*size, pixels, kernel), kernel, reduce, words))
    else:
        tiles = output_tiles(channels, 1, machine.outputs)
        turns = [_passes(source, tiles, kernel, stride, reduce, words)]
    bias_base = rng.choice((0, 65535 - len(tiles), rng.randrange(1000)))
    fields = rescale.fields | {
        "operation": operation,
        "reduce": {"none": Reduce.NONE, "sum": Reduce.SUM, "argmax": Reduce.INDEX}[reduce],
        "bias_base": bias_base,
        "output_form": target.form,
        "output_lanes": target.layout.lanes.bit_length() - 1,
        "shuffle": shuffle,
        "shuffle_channels": channels // shuffle,
        "target_base": target.base,
    }
    if source is not None:
        fields |= {"input_form": source[2], "input_lanes": source[1].lanes.bit_length() - 1}
    biases = (
        [rescale.bias[t.first :][: t.outputs] for t in tiles] if rescale.bias is not None else []
    )
    met = [name for name, seen in (("shuffle", shuffle > 1), ("tiles", len(tiles) > 1)) if seen]
    met += ["pool"] * (kernel != (1, 1)) + ["overlap"] * any(
        s < k for s, k in zip(stride, kernel, strict=True)
    )
    met += [f"{target.form.name.lower()} out"] + ([f"{form.name.lower()} in"] if source else [])
    met += ["no window in a block"] * any(not turn.tokens for turn in turns)
    lanes_out = channels * target.layout.lanes
    words_out = -(-lanes_out // machine.inputs)
    return Layer(operation, kind, reduce, fields, turns, biases, target, codes, words_out, met)


def _window(
    rng: random.Random, machine: Machine, operation: Operation, size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pooling window and its step; products take windows that do not overlap."""
    if not machine.pools or rng.random() < 0.3:
        return (1, 1), (1, 1)
    kernel = rng.randint(1, min(3, size[0])), rng.randint(1, min(3, size[1]))
    if operation is Operation.PRODUCT or rng.random() < 0.3:
        return kernel, kernel
    return kernel, (rng.randint(1, 3), rng.randint(1, 3))


def _target(rng: random.Random, machine: Machine, codes: IntArray, *, bipolar: bool) -> Map:
    """Where the results go: lanes that hold them, or more of them."""
    low, high = int(codes.min()), int(codes.max())
    code_type = BIPOLAR if bipolar else IntType(min(low, high), high)
    form = form_of(code_type)
    if form is Form.BIPOLAR and not bipolar:
        form = Form.SIGNED
    lanes = lanes_per_code(code_type if form is not Form.SIGNED else IntType(min(low, -2), high))
    if form is not Form.BIPOLAR and rng.random() < 0.3:
        lanes = max(lanes, 1 << rng.randint(0, 4))
    layout = Layout(codes.shape[0], int(np.prod(codes.shape[1:])), 1, lanes, machine.inputs)
    base = rng.randint(0, (1 << 24) - layout.words)
    return Map("", codes.shape, layout, form, 0, base)


def _turns(
    x: IntArray,
    tiles: list[OutputTile],
    shape: tuple[int, int],
    window: tuple[int, int],
    reduce: str,
    words: Callable[[OutputTile], int],
) -> Iterator[Turn]:
    """The drains of a product layer whose accumulators are x."""
    height, width = x.shape[1:]
    corners = [
        (top, left) for top in range(0, height, shape[0]) for left in range(0, width, shape[1])
    ]
    for tile in tiles:
        mine = x[tile.first : tile.first + tile.outputs]
        fresh = True
        for top, left in corners:
            block = mine[:, top : top + shape[0], left : left + shape[1]]
            begins, ends = (top, left) == corners[0], (top, left) == corners[-1]
            tokens = list(_windows(block, window, tile, reduce, fresh=fresh))
            count = len(tokens)
            fresh = fresh and not tokens
            emits = ends and (reduce == "sum" or (reduce == "argmax" and tile is tiles[-1]))
            if emits:
                tokens.append(Token(tile.outputs, emit=True))
            taps = window[0] * window[1]
            run = Run(count // taps, taps, words(tile))
            if reduce != "none":
                run = Run(1, len(tokens), words(tile) if emits else 0)
            cycles = results([run]) + DRAIN_PIPELINE if tokens else 1
            yield Turn(tile, begins, cycles, tokens, _bounds(run))


def _windows(
    block: IntArray, window: tuple[int, int], tile: OutputTile, reduce: str, *, fresh: bool
) -> Iterator[Token]:
    """A block's pixels in order; an argmax compares the channels of its pixel one by one."""
    rows, columns = block.shape[1] // window[0], block.shape[2] // window[1]
    first = True
    for row, column in np.ndindex(rows, columns):
        for down, right in np.ndindex(*window):
            sums = block[:, row * window[0] + down, column * window[1] + right]
            for lane in range(tile.outputs if reduce == "argmax" else 1):
                yield Token(
                    tile.outputs,
                    value=True,
                    window_first=(down, right) == (0, 0),
                    window_last=(down + 1, right + 1) == window,
                    sum_first=fresh and (row, column) == (0, 0),
                    compare=reduce == "argmax",
                    lane=lane,
                    first=first,
                    sums=sums,
                )
                first = False


def _passes(
    source: tuple[IntArray, Layout, Form],
    tiles: list[OutputTile],
    window: tuple[int, int],
    stride: tuple[int, int],
    reduce: str,
    words: Callable[[OutputTile], int],
) -> Turn:
    """The tokens of a vector layer that reads the map x."""
    x, layout, form = source
    stored = pack(Map("", x.shape, layout, form, 0, 0), x)
    per_pixel = layout.words_per_pixel
    rows, columns = ((s - w) // t + 1 for s, w, t in zip(x.shape[1:], window, stride, strict=True))
    tokens: list[Token] = []
    runs: list[Run] = []
    for tile in tiles:
        span = layout.span(tile.first, tile.outputs)
        turn = tile.first * layout.lanes % layout.word_lanes
        begin = len(tokens)
        for row, column in np.ndindex(rows, columns):
            for down, right in np.ndindex(*window):
                pixel = (row * stride[0] + down) * x.shape[2] + column * stride[1] + right
                for number, place in enumerate(span):
                    lanes = stored[pixel * per_pixel + place][None]
                    tokens.append(
                        Token(
                            tile.outputs,
                            value=place == span[-1],
                            window_first=(down, right) == (0, 0),
                            window_last=(down + 1, right + 1) == window,
                            sum_first=(row, column) == (0, 0),
                            first=len(tokens) == begin,
                            word=lanes_to_words(np.roll(lanes, -turn, axis=1))[0],
                            number=number,
                            rotate=turn,
                        )
                    )
        if reduce == "argmax":
            compares = [Token(tile.outputs, compare=True, lane=n) for n in range(tile.outputs)]
            tokens += compares
        if reduce == "sum" or (reduce == "argmax" and tile is tiles[-1]):
            tokens.append(Token(tile.outputs, emit=True))
        tokens.append(replace(tokens.pop(), tile_last=True))
        each = window[0] * window[1] * len(span)
        if reduce == "none":
            runs.append(Run(rows * columns, each, words(tile)))
        elif reduce == "sum":
            runs.append(Run(1, rows * columns * each + 1, words(tile)))
    if reduce == "argmax":
        runs = [Run(1, len(tokens), words(tiles[-1]))]
    return Turn(tiles[0], True, results(runs) + VECTOR_PIPELINE, tokens, _bounds(runs[-1]))


def _bounds(run: Run) -> str:
    """Whether collecting or writing takes longer where results follow each other."""
    if run.count < 2 or run.collect == run.write:
        return ""
    return "collecting is longer" if run.collect > run.write else "writing is longer"
