"""A layer's numbers: everything that its cycles, words and descriptor depend on."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.hw.config import Hardware
from codesign.hw.descriptor import beyond
from codesign.hw.fuse import Fused, Kind, Layer
from codesign.hw.layout import Layout
from codesign.hw.tiling import block_shape
from codesign.ir import Graph, Node


@dataclass(frozen=True, slots=True)
class Work:
    """Geometry of a product or vector layer.

    Attributes:
        source: the map that is read.
        target: the map that is written.
        outputs: channels computed.
        size: rows and columns computed, before pooling.
        groups, kernel, stride, padding: of the products; a linear layer is a window as large as
            its map.
        weight_bits: stored bits of one weight; 0 without products.
        bias: whether each output tile has a word of biases.
        pool, pool_stride: pooling window and its step; (1, 1) without pooling.
        shuffle: groups that the written channels are interleaved over; 1 without.
        reduce: "", "sum" (each channel's map) or "argmax".
    """

    source: Layout
    target: Layout
    outputs: int
    size: tuple[int, int]
    groups: int = 1
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    weight_bits: int = 0
    bias: bool = False
    pool: tuple[int, int] = (1, 1)
    pool_stride: tuple[int, int] = (1, 1)
    shuffle: int = 1
    reduce: str = ""

    @property
    def taps(self) -> int:
        """Positions of the window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def pooled(self) -> tuple[int, int]:
        """Rows and columns after pooling."""
        rows, columns = (
            (size - window) // step + 1
            for size, window, step in zip(self.size, self.pool, self.pool_stride, strict=True)
        )
        return rows, columns

    @property
    def shuffle_channels(self) -> int:
        """Channels of one of the groups that a shuffle interleaves; all of them without."""
        return self.outputs // self.shuffle

    def destination(self, channel: int) -> int:
        """Where a computed channel is written: the channel shuffle, done by addressing."""
        each = self.shuffle_channels
        return channel % each * self.shuffle + channel // each

    def written_words(self, first: int, count: int) -> int:
        """Words that a write of channels `first .. first + count - 1` touches, at one pixel."""
        return self.target.scattered([self.destination(first + k) for k in range(count)])

    def block(self, hardware: Hardware) -> tuple[int, int]:
        """Rows and columns of a full pixel block."""
        return block_shape(*self.size, hardware.accumulator.pixels, self.pool)


def work_of(graph: Graph, layer: Layer, fused: Fused) -> Work:
    """The numbers of a product or vector layer."""
    source, target = fused.layouts[layer.source[0]], fused.layouts[layer.result]
    first = layer.nodes[0]
    outputs, size = source.channels, (source.height, source.width)
    products: dict[str, object] = {}
    if layer.kind is Kind.PRODUCT:
        weight = graph.values[first.inputs[1]]
        outputs = weight.shape[0]
        products["weight_bits"] = weight.type.storage_bits
        if first.op == "conv":
            size = (graph.values[first.name].shape[1], graph.values[first.name].shape[2])
            products |= {"kernel": weight.shape[2:], "groups": first.attrs["groups"]}
            products |= {name: first.attrs[name] for name in ("stride", "padding")}
        else:
            products["kernel"], size = size, (1, 1)
    rest: dict[str, object] = {}
    for node in layer.nodes:
        rest |= _step(node)
    return Work(source, target, outputs, size, **products, **rest)  # type: ignore[arg-type]


def _step(node: Node) -> dict[str, object]:
    if node.op == "bit_shift_norm":
        return {"bias": True}
    if node.op == "max_pool":
        return {"pool": node.attrs["kernel"], "pool_stride": node.attrs["stride"]}
    if node.op == "channel_shuffle":
        return {"shuffle": node.attrs["groups"]}
    reduce = {"sum_pool": "sum", "argmax": "argmax"}.get(node.op)
    return {"reduce": reduce} if reduce else {}  # a reshape behind it leaves it as it is


def geometry(work: Work) -> dict[str, int]:
    """The layer's sizes by their fields of the descriptor."""
    return {
        "output_channels": work.outputs,
        "output_height": work.size[0],
        "output_width": work.size[1],
        "group_inputs": work.source.channels // work.groups,
        "group_outputs": work.outputs // work.groups,
        "kernel_rows": work.kernel[0],
        "kernel_columns": work.kernel[1],
        "stride_rows": work.stride[0],
        "stride_columns": work.stride[1],
        "padding_rows": work.padding[0],
        "padding_columns": work.padding[1],
        "pool_rows": work.pool[0],
        "pool_columns": work.pool[1],
        "pool_stride_rows": work.pool_stride[0],
        "pool_stride_columns": work.pool_stride[1],
        "shuffle": work.shuffle,
        "shuffle_channels": work.shuffle_channels,
    }


def limits(work: Work, hardware: Hardware) -> str:
    """The first number that the descriptor cannot hold, as a clause; empty where all fit."""
    rows, columns = work.block(hardware) if work.weight_bits else (1, 1)
    source = {
        "input_channels": work.source.channels,
        "input_height": work.source.height,
        "input_width": work.source.width,
    }
    return beyond(source | geometry(work) | {"block_rows": rows, "block_columns": columns})
