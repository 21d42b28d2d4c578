"""What the machine computes, from its memory words alone: the definition that the Verilog follows.

A descriptor is executed on the words of the banks, weights and parameters; nothing here knows the
network. The order of blocks and cycles, which changes no value, is in codesign.hw.schedule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from codesign.errors import CodesignError
from codesign.hw.config import LANE_BITS
from codesign.hw.descriptor import unpack_descriptor
from codesign.hw.layout import Layout
from codesign.hw.tiling import (
    OutputTile,
    input_tiles,
    output_tiles,
    tile_places,
    words_per_tile,
)
from codesign.ir import IntArray
from codesign.rtl.codes import Activation, Form, Operation, Reduce, decode
from codesign.rtl.image import Entry, Image
from codesign.rtl.words import Map, pack, unpack, words_to_fields

Fields = Mapping[str, int]


def maps(image: Image, inputs: Mapping[str, IntArray]) -> Iterator[tuple[Entry, IntArray]]:
    """Every descriptor's entry and the values of its map, for one frame.

    `inputs` has an array without a batch axis for each input map. What a store sends is its map.
    """
    machine = Machine(image, frame(image, inputs))
    for entry, words in zip(image.entries, machine.run(), strict=True):
        yield entry, unpack(entry.map, words)


def frame(image: Image, inputs: Mapping[str, IntArray]) -> IntArray:
    """One frame of the input stream: the words of the input maps in order, words x lanes."""
    return np.concatenate([pack(place, inputs[place.value]) for place in image.inputs])


class Machine:
    """The memories and what each operation does to them.

    Attributes:
        banks: words x lanes of the activation banks, then of the skip memory if one is built.
        stream: the words that come in, words x lanes.
    """

    def __init__(self, image: Image, stream: IntArray) -> None:
        self.hardware = image.hardware
        self.program = image.program
        self.weights = image.weights
        self.parameters = image.parameters
        lanes = self.hardware.lanes.input
        depths = [self.hardware.bank_words] * self.hardware.memories.activations.banks
        depths += [self.hardware.skip_words] if self.hardware.skip_words else []
        self.banks = [np.zeros((depth, lanes), dtype=np.uint8) for depth in depths]
        self.stream = stream

    def run(self) -> Iterator[IntArray]:
        """Execute the program; after each descriptor the words of its map, words x lanes.

        It ends behind the descriptor that is marked as the last.
        """
        position = 0
        for fields in self._descriptors():
            operation = Operation(fields["operation"])
            if operation is Operation.STORE:
                yield self._sent(fields)
                continue
            if operation is Operation.LOAD:
                target = self._input(fields)
                words = self.stream[position : position + target.words]
                if len(words) < target.words:
                    raise CodesignError(
                        f"the stream has {len(self.stream):,} words, the program loads "
                        f"{position + target.words:,}; give a whole frame"
                    )
                position += target.words
                self._words(fields, target)[:] = words
            elif operation is Operation.REORDER:
                values = self._read(fields).reshape(fields["output_channels"], -1)
                target = self._write(fields, values, fields["output_channels"])
            else:
                computed = self._product(fields) if operation is Operation.PRODUCT else None
                values = self._read(fields) if computed is None else computed
                groups = fields["output_channels"] // fields["group_outputs"]
                target = self._finish(fields, values, groups if computed is not None else 1)
            yield self._words(fields, target).copy()

    def _descriptors(self) -> Iterator[Fields]:
        known = [int(operation) for operation in Operation if operation is not Operation.ILLEGAL]
        for address, word in enumerate(self.program):
            fields = unpack_descriptor(word)
            if fields["operation"] not in known:
                raise CodesignError(
                    f"program word {address}: operation {fields['operation']} is none of "
                    f"{known[0]} to {known[-1]}; write one there or mark the end"
                )
            yield fields
            if fields["last"]:
                return
        raise CodesignError(
            f"the program's {len(self.program)} words end without a last layer; mark one as last"
        )

    def _sent(self, fields: Fields) -> IntArray:
        """The words of a store: the map's; lanes that no code takes are zero."""
        layout, first = self._input(fields), fields["source_base"]
        words = self.banks[fields["source_bank"]][first : first + layout.words].copy()
        words.reshape(layout.pixels, -1)[:, layout.channels * layout.lanes :] = 0
        return words

    def _input(self, fields: Fields) -> Layout:
        return self._layout(fields, "input", fields["input_channels"])

    def _layout(self, fields: Fields, side: str, channels: int) -> Layout:
        lanes = 1 << fields[f"{side}_lanes"]
        size = fields[f"{side}_height"], fields[f"{side}_width"]
        return Layout(channels, *size, lanes, self.hardware.lanes.input)

    def _words(self, fields: Fields, layout: Layout) -> IntArray:
        """The words of the map that is written."""
        first = fields["target_base"]
        return self.banks[fields["target_bank"]][first : first + layout.words]

    def _read(self, fields: Fields) -> IntArray:
        """The values of the map that is read, channels x rows x columns."""
        layout, first = self._input(fields), fields["source_base"]
        words = self.banks[fields["source_bank"]][first : first + layout.words]
        shape = (layout.channels, layout.height, layout.width)
        return unpack(Map("", shape, layout, Form(fields["input_form"]), 0, 0), words)

    def _write(self, fields: Fields, values: IntArray, channels: int) -> Layout:
        """Write channels x pixels; lanes of a word that no channel has keep what they held."""
        lanes = 1 << fields["output_lanes"]
        layout = Layout(channels, values.shape[1], 1, lanes, self.hardware.lanes.input)
        packed = pack(Map("", values.shape, layout, Form(fields["output_form"]), 0, 0), values)
        words = self._words(fields, layout).reshape(layout.pixels, -1)
        words[:, : channels * lanes] = packed.reshape(layout.pixels, -1)[:, : channels * lanes]
        return layout

    def _product(self, fields: Fields) -> IntArray:
        """The accumulators of the whole map, channels x rows x columns."""
        x, source = self._read(fields), self._input(fields)
        (down, right), (rows, columns) = _pair(fields, "padding"), _pair(fields, "kernel")
        form, bits = Form(fields["input_form"]), LANE_BITS * source.lanes
        code = decode(np.array(fields["pad_code"] & ((1 << bits) - 1)), form, bits)
        x = np.pad(x, ((0, 0), (down, down), (right, right)), constant_values=int(code))
        groups = fields["output_channels"] // fields["group_outputs"]
        size = fields["output_height"], fields["output_width"]
        accumulators = np.zeros((fields["output_channels"], *size), dtype=np.int64)
        address = fields["weight_base"]
        for tile in output_tiles(fields["output_channels"], groups, self.hardware.lanes.output):
            mine = accumulators[tile.first : tile.first + tile.outputs]
            for row in range(rows):
                for column in range(columns):
                    window = _strided(x[:, row:, column:], size, _pair(fields, "stride"))
                    first = tile.group * fields["group_inputs"]
                    for inputs in input_tiles(source, tile.group, groups):
                        weights, words = self._tile(fields, address, tile, inputs)
                        mine += np.tensordot(weights, window[first : first + inputs], 1)
                        first, address = first + inputs, address + words
        return accumulators

    def _tile(
        self, fields: Fields, address: int, tile: OutputTile, inputs: int
    ) -> tuple[IntArray, int]:
        """The weights of a tile, outputs x inputs, and how many words they take."""
        word, bits = int(self.hardware.weight_word), fields["weight_bits"]
        count = words_per_tile(inputs, tile.outputs, bits, word)
        codes = words_to_fields(self.weights[address : address + count], bits, word // bits)
        low = fields["weight_low"] - ((fields["weight_low"] >> 8) << 9)
        places = tile_places(inputs)
        values = low + fields["weight_step"] * codes.reshape(-1)[: tile.outputs * places]
        return values.reshape(tile.outputs, places)[:, :inputs], count

    def _finish(self, fields: Fields, values: IntArray, groups: int) -> Layout:
        """The drain's datapath: bias, shift, activation, pooling, reduction, write."""
        channels = fields["output_channels"]
        if fields["bias"]:
            values = values + self._biases(fields, groups)[:, None, None]
        values = _activate(fields, values >> fields["shift"])
        if fields["pool"]:
            values = _maxima(fields, values)
        values = values.reshape(channels, -1)
        if fields["reduce"] == Reduce.INDEX:
            return self._write(fields, np.argmax(values[:, :1], axis=0)[None], 1)
        if fields["reduce"] == Reduce.SUM:
            values = values.sum(axis=1, keepdims=True)
        each = fields["shuffle_channels"]
        order = [0] * channels
        for channel in range(channels):
            order[channel % each * fields["shuffle"] + channel // each] = channel
        return self._write(fields, values[order], channels)

    def _biases(self, fields: Fields, groups: int) -> IntArray:
        """A bias a channel."""
        bits, lanes = int(self.hardware.bias), self.hardware.lanes.output
        tiles = output_tiles(fields["output_channels"], groups, lanes)
        first = fields["bias_base"]
        words = words_to_fields(self.parameters[first : first + len(tiles)], bits, lanes)
        used = [word[: tile.outputs] for word, tile in zip(words, tiles, strict=True)]
        return decode(np.concatenate(used), Form.SIGNED, bits)


def _pair(fields: Fields, name: str) -> tuple[int, int]:
    return fields[f"{name}_rows"], fields[f"{name}_columns"]


def _strided(x: IntArray, size: tuple[int, int], stride: tuple[int, int]) -> IntArray:
    return x[:, :: stride[0], :: stride[1]][:, : size[0], : size[1]]


def _activate(fields: Fields, values: IntArray) -> IntArray:
    activation = Activation(fields["activation"])
    if activation is Activation.HEAVISIDE:
        return (values > 0).astype(np.int64)
    if activation is Activation.SIGN:
        return np.where(values >= 0, 1, -1)
    if activation is Activation.CLIP:
        bounds = np.array([fields["clip_low"], fields["clip_high"]])
        low, high = decode(bounds, Form.SIGNED, 32)
        return np.clip(values, low, high)
    return values


def _maxima(fields: Fields, values: IntArray) -> IntArray:
    """The maximum of every whole window."""
    window, stride = _pair(fields, "pool"), _pair(fields, "pool_stride")
    rows, columns = (
        (size - width) // step + 1
        for size, width, step in zip(values.shape[1:], window, stride, strict=True)
    )
    parts = [
        _strided(values[:, row:, column:], (rows, columns), stride)
        for row in range(window[0])
        for column in range(window[1])
    ]
    return np.asarray(np.maximum.reduce(parts))
