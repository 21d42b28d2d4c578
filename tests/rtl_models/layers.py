"""Random layers for the tests of the control modules: their numbers and their descriptors."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from codesign.hw.descriptor import FIELDS, pack_descriptor
from codesign.hw.layout import Layout
from codesign.hw.tiling import (
    Block,
    block_shape,
    blocks,
    input_tiles,
    output_tiles,
    tile_places,
    window_fits_block,
)
from codesign.hw.work import Work, geometry
from codesign.rtl.codes import Form, Operation, Reduce


@dataclass(frozen=True)
class Lanes:
    """Sizes of the machine that a layer is tiled for."""

    input: int = 4
    output: int = 4
    pixels: int = 16

    @classmethod
    def of(cls, dut: Any) -> Lanes:
        """Those that a module is built with."""
        parameters = {"input": "InputLanes", "output": "OutputLanes", "pixels": "Pixels"}
        return cls(
            **{
                name: int(getattr(dut, parameter).value)
                for name, parameter in parameters.items()
                if hasattr(dut, parameter)
            }
        )

    def blocks_of(self, pixels: int) -> Lanes:
        """The same with other blocks."""
        return replace(self, pixels=pixels)


@dataclass(frozen=True)
class Random:
    """One random layer of a kind: `work` and the fields of its descriptor."""

    work: Work
    operation: Operation
    fields: dict[str, int]

    @property
    def word(self) -> int:
        """The descriptor."""
        return pack_descriptor(self.fields)

    @property
    def row(self) -> int:
        """Words of a row of the map that is read."""
        return self.work.source.width * self.work.source.words_per_pixel

    @property
    def steps(self) -> tuple[int, int]:
        """Words from one row of windows, and from one window, to the next."""
        product = self.operation is Operation.PRODUCT
        down, right = self.work.stride if product else self.work.pool_stride
        return down * self.row, right * self.work.source.words_per_pixel

    @property
    def origin(self) -> int:
        """Address of the first window's first tap, 24 b."""
        above, left = self.work.padding
        words = above * self.row + left * self.work.source.words_per_pixel
        return (self.fields["source_base"] - words) % 2**24


def _layer(rng: random.Random, operation: Operation, work: Work, lanes: Lanes) -> Random:
    # what an operation does not use may hold anything
    fields = {field.name: rng.getrandbits(field.bits) for field in FIELDS}
    fields |= geometry(work)
    fields |= {"operation": operation, "pool": int(work.pool != (1, 1)), "bias": int(work.bias)}
    fields["reduce"] = {"": Reduce.NONE, "sum": Reduce.SUM, "argmax": Reduce.INDEX}[work.reduce]
    for side, layout in (("input", work.source), ("output", work.target)):
        fields[f"{side}_lanes"] = layout.lanes.bit_length() - 1
        fields[f"{side}_form"] = rng.choice((Form.UNSIGNED, Form.SIGNED))
    fields |= {
        "input_channels": work.source.channels,
        "input_height": work.source.height,
        "input_width": work.source.width,
    }
    rows, columns = block_shape(*work.size, lanes.pixels, work.pool)
    fields |= {"block_rows": rows, "block_columns": columns}
    fields |= {"source_base": rng.choice((0, rng.randrange(1000), rng.getrandbits(23)))}
    return Random(work, operation, fields)


def product(rng: random.Random, lanes: Lanes) -> Random:
    """A product layer: any groups, kernel, stride, padding, pooling, reduction."""
    span = rng.choice([n for n in (1, 2, 4) if n <= lanes.input])
    groups = rng.choice((1, 1, 2, 3))
    rows, columns = _map(rng, 7)
    channels = groups * rng.randint(1, 2 * lanes.input // span + 1)
    source = Layout(channels, rows, columns, span, lanes.input)
    kernel = rng.choice(((1, 1), (rng.randint(1, 3), rng.randint(1, 3))))
    stride = rng.randint(1, 3), rng.randint(1, 3)
    least = max(0, kernel[0] - source.height), max(0, kernel[1] - source.width)
    padding = rng.choice((least, (rng.randint(least[0], 2), rng.randint(least[1], 2))))
    size = (
        (source.height + 2 * padding[0] - kernel[0]) // stride[0] + 1,
        (source.width + 2 * padding[1] - kernel[1]) // stride[1] + 1,
    )
    pool = rng.choice(((1, 1), (rng.randint(1, 3), rng.randint(1, 3))))
    fits = pool[0] <= size[0] and pool[1] <= size[1]
    if not (fits and window_fits_block(pool, lanes.pixels)):
        pool = (1, 1)
    outputs = groups * rng.randint(1, 2 * lanes.output + 1)
    reduces = ["", "", "sum"] + ["argmax"] * 3 * (size == (1, 1))
    reduce = rng.choice(reduces)
    work = Work(
        source, _target(rng, lanes, outputs), outputs, size, groups, kernel, stride, padding,
        weight_bits=rng.randint(1, 3), bias=rng.random() < 0.5, pool=pool, pool_stride=pool,
        shuffle=_shuffle(rng, outputs), reduce=reduce,
    )  # fmt: skip
    return _layer(rng, Operation.PRODUCT, work, lanes)


def vector(rng: random.Random, lanes: Lanes) -> Random:
    """A vector layer: any codes, pooling with any stride, reduction."""
    rows, columns = _map(rng, 5)
    channels = rng.randint(1, 2 * lanes.output + 1)
    source = Layout(channels, rows, columns, 1 << rng.randint(0, 4), lanes.input)
    size = source.height, source.width
    pool = rng.randint(1, min(3, size[0])), rng.randint(1, min(3, size[1]))
    if rng.random() < 0.4:
        pool = (1, 1)
    stride = rng.choice((pool, (rng.randint(1, 3), rng.randint(1, 3))))
    reduce = rng.choice(["", "", "sum"] + (["argmax"] * 3 if size == (1, 1) else []))
    work = Work(
        source, _target(rng, lanes, source.channels), source.channels, size, pool=pool,
        bias=rng.random() < 0.5, pool_stride=stride, shuffle=_shuffle(rng, source.channels),
        reduce=reduce,
    )  # fmt: skip
    return _layer(rng, Operation.VECTOR, work, lanes)


def reorder(rng: random.Random, lanes: Lanes) -> Random:
    """A map of any codes moved to any shape of as many codes."""
    shape = [rng.randint(1, 6), rng.randint(1, 3), rng.randint(1, 3)]
    parts = [n for size in shape for n in (1, 2, 3, 5) if n > 1 and size % n == 0]
    turned = list(shape)
    rng.shuffle(turned)
    for part in parts:  # move factors between the axes
        axis, other = rng.randrange(3), rng.randrange(3)
        if turned[axis] % part == 0:
            turned[axis] //= part
            turned[other] *= part
    span = 1 << rng.randint(0, 5)
    source, target = (Layout(*size, span, lanes.input) for size in (shape, turned))
    work = Work(source, target, target.channels, (target.height, target.width))
    return _layer(rng, Operation.REORDER, work, lanes)


def stream(rng: random.Random, lanes: Lanes, operation: Operation) -> Random:
    """A load or a store of any map."""
    span = 1 << rng.randint(0, 5)
    channels = rng.choice((1, rng.randint(1, max(1, 24 // span))))
    layout = Layout(channels, *_map(rng, 4), span, lanes.input)
    work = Work(layout, layout, layout.channels, (layout.height, layout.width))
    return _layer(rng, operation, work, lanes)


def _map(rng: random.Random, most: int) -> tuple[int, int]:
    """Rows and columns; a single pixel now and then, of which an index can be taken."""
    return (1, 1) if rng.random() < 0.2 else (rng.randint(1, most), rng.randint(1, most))


def _target(rng: random.Random, lanes: Lanes, channels: int) -> Layout:
    # its pixels do not matter here
    return Layout(channels, 1, 1, 1 << rng.randint(0, 4), lanes.input)


def _shuffle(rng: random.Random, channels: int) -> int:
    return rng.choice([g for g in range(1, channels + 1) if channels % g == 0])


@dataclass(frozen=True)
class Step:
    """One weight tile against one block, as the step walker describes it.

    Attributes:
        outputs, inputs: channels of the weight tile.
        first_channel: the first channel that it reads.
        tap: row and column of the kernel.
        block: its pixels; `top` and `left` is where it begins in the map of products.
        move: 0 the same block as before, 1 to its right, 2 below its band, 3 a new output tile.
        first, last: of its turn.
        tile_end, layer_end: its turn is the last of the output tile, of the layer.
    """

    outputs: int
    inputs: int
    first_channel: int
    tap: tuple[int, int]
    block: Block
    top: int
    left: int
    move: int
    first: bool
    last: bool
    tile_end: bool
    layer_end: bool

    @property
    def inputs_log(self) -> int:
        """log2 of the places that an output channel has in the weight tile."""
        return tile_places(self.inputs).bit_length() - 1


def steps(layer: Random, lanes: Lanes) -> list[Step]:
    """The loop nest of docs/hardware/schedule.md, step by step."""
    work, found = layer.work, []
    shape = layer.fields["block_rows"], layer.fields["block_columns"]
    tiles = output_tiles(work.outputs, work.groups, lanes.output)
    pieces = list(blocks(*work.size, shape))
    across = -(-work.size[1] // shape[1])
    for tile in tiles:
        for number, block in enumerate(pieces):
            down, right = divmod(number, across)
            move = 1 if right else 2 if down else 3
            inner = []
            for row in range(work.kernel[0]):
                for column in range(work.kernel[1]):
                    channel = tile.group * (work.source.channels // work.groups)
                    for inputs in input_tiles(work.source, tile.group, work.groups):
                        inner.append((inputs, channel, (row, column)))
                        channel += inputs
            for place, (inputs, channel, tap) in enumerate(inner):
                end = number == len(pieces) - 1
                found.append(
                    Step(
                        tile.outputs,
                        inputs,
                        channel,
                        tap,
                        block,
                        down * shape[0],
                        right * shape[1],
                        0 if place else move,
                        first=place == 0,
                        last=place == len(inner) - 1,
                        tile_end=end,
                        layer_end=end and tile is tiles[-1],
                    )
                )
    return found
