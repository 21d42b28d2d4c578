"""The descriptor: one fixed-width word of the program memory that runs one layer.

Declared once: its width is the program memory's width, its field widths are the machine's limits,
and docs/hardware/machine.md prints this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: name, bits, meaning."""

    name: str
    bits: int
    doc: str

    @property
    def most(self) -> int:
        """The largest value the field holds."""
        return (1 << self.bits) - 1


FIELDS: tuple[Field, ...] = (
    Field("operation", 3, "load, store, product, vector, reorder; 0 is illegal"),
    Field("last", 1, "the program ends behind this layer"),
    Field("frame_end", 1, "load, store: the last word is the last of the frame's stream"),
    Field("source_bank", 4, "bank that is read: activation banks in order, then skip"),
    Field("source_base", 24, "word address of the map that is read"),
    Field("target_bank", 4, "bank that is written"),
    Field("target_base", 24, "word address of the map that is written"),
    Field("input_channels", 16, "channels of the map that is read"),
    Field("input_height", 12, "its rows"),
    Field("input_width", 12, "its columns"),
    Field("output_channels", 16, "channels that are computed"),
    Field("output_height", 12, "rows of the products, before pooling"),
    Field("output_width", 12, "columns of the products, before pooling"),
    Field("group_inputs", 16, "channels of a group that are read"),
    Field("group_outputs", 16, "channels of a group that are written"),
    Field("kernel_rows", 6, "rows of the window"),
    Field("kernel_columns", 6, "columns of the window"),
    Field("stride_rows", 4, "step of the window, rows"),
    Field("stride_columns", 4, "step of the window, columns"),
    Field("padding_rows", 6, "rows added on both sides"),
    Field("padding_columns", 6, "columns added on both sides"),
    Field("pad_code", 8, "code that a tap outside the map reads"),
    Field("block_rows", 12, "rows of products in one pixel block"),
    Field("block_columns", 12, "columns of products in one pixel block"),
    Field("weight_base", 24, "word address of the layer's first weight tile"),
    Field("weight_bits", 4, "stored bits of one weight code"),
    Field("weight_low", 9, "value of weight code 0, two's complement"),
    Field("weight_step", 2, "distance of neighbouring weight values"),
    Field("input_form", 2, "codes read: unsigned, two's complement, bipolar"),
    Field("input_lanes", 3, "log2 of the lanes that one code read takes"),
    Field("output_form", 2, "codes written: unsigned, two's complement, bipolar"),
    Field("output_lanes", 3, "log2 of the lanes that one code written takes"),
    Field("bias", 1, "add the channel's bias"),
    Field("bias_base", 16, "word address of the first output tile's biases"),
    Field("shift", 6, "arithmetic shift to the right; bit_shift_norm's and hwmsb's together"),
    Field("activation", 2, "none, heaviside, sign, clip (hwmsb is a clip)"),
    Field("clip_low", 32, "least value after the shift, two's complement"),
    Field("clip_high", 32, "greatest value after the shift, two's complement"),
    Field("pool", 1, "take the maximum of each window"),
    Field("pool_rows", 6, "rows of the pooling window"),
    Field("pool_columns", 6, "columns of the pooling window"),
    Field("pool_stride_rows", 6, "step of the pooling window, rows"),
    Field("pool_stride_columns", 6, "step of the pooling window, columns"),
    Field("shuffle", 16, "groups that the channels written are interleaved over"),
    Field("shuffle_channels", 16, "channels of one such group: where the interleave wraps"),
    Field("reduce", 2, "none, sum of each channel's map, index of the greatest"),
)

#: Width of the program memory: the fields, rounded up to whole 32 b.
DESCRIPTOR_BITS = -(-sum(field.bits for field in FIELDS) // 32) * 32

_BY_NAME = {field.name: field for field in FIELDS}


def beyond(values: Mapping[str, int]) -> str:
    """The first of `values` that its field cannot hold, as one clause; empty where all fit."""
    for name, value in values.items():
        if value > _BY_NAME[name].most:
            return f"{name} is {value:,}, the descriptor holds at most {_BY_NAME[name].most:,}"
    return ""


def pack_descriptor(values: Mapping[str, int]) -> int:
    """The program word of a value for every field, the first field in the lowest bits."""
    word = place = 0
    for field in FIELDS:
        assert 0 <= values[field.name] <= field.most, field.name  # `beyond` has been asked
        word |= int(values[field.name]) << place
        place += field.bits
    return word


def unpack_descriptor(word: int) -> dict[str, int]:
    """Every field of a program word."""
    values = {}
    for field in FIELDS:
        values[field.name] = word & field.most
        word >>= field.bits
    return values


def table() -> str:
    """The fields as a Markdown table (docs/hardware/machine.md)."""
    rows = [f"| `{field.name}` | {field.bits} | {field.doc} |" for field in FIELDS]
    used = sum(field.bits for field in FIELDS)
    if used < DESCRIPTOR_BITS:
        rows.append(f"| (unused) | {DESCRIPTOR_BITS - used} | zero |")
    return "\n".join(["| field | bits | meaning |", "| --- | ---: | --- |", *rows])
