"""The headers from which `rtl_models/tb/testbench.v` knows the machine and the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry, Image
from codesign.rtl.registers import FIRST_BANK
from codesign.rtl.vectors import layer_name

#: First line of a header; a folder with such headers is one that may be replaced.
WRITTEN = "// Written by codesign rtl; a new export replaces it."


def parameters_text(machine: str, parameters: Mapping[str, int]) -> str:
    """`parameters.vh`: the parameters of codesign_accelerator, to be included in a module."""
    lines = [WRITTEN, f"// {machine}: the parameters of codesign_accelerator."]
    lines += [f"localparam {name} = {value};" for name, value in parameters.items()]
    return _text(lines)


def sizes_text(image: Image, frames: int) -> str:
    """`testbench.vh`: how many frames, layers and words."""
    counts = {
        "Frames": frames,
        "Layers": len(image.entries),
        "ProgramWords": len(image.program),
        "WeightWords": len(image.weights),
        "ParameterWords": len(image.parameters),
        "InputWords": sum(place.layout.words for place in image.inputs),
        "OutputWords": sum(place.layout.words for place in image.outputs),
        "MapWords": max(entry.map.layout.words for entry in image.entries),
    }
    lines = [WRITTEN, "// How much the testbench runs, and the cycles of a frame."]
    lines += [f"localparam {name} = {value};" for name, value in counts.items()]
    lines += [f"localparam [63:0] FrameCycles = 64'd{image.plan.cycles.total};"]
    return _text(lines)


def layers_text(image: Image) -> str:
    """`layers.vh`: what the testbench expects of each layer, a line a descriptor."""
    causes = [cause for cause, _ in image.entries[0].cycles]
    heading = ["// name", "map", "memory", "base", "words", "a pixel", "lanes", *causes]
    rows = [list(_expectations(number, entry)) for number, entry in enumerate(image.entries)]
    calls = [[*(f"{cell}," for cell in row[:-1]), f"{row[-1]});"] for row in rows]
    widths = [max(map(len, column)) for column in zip(heading, *calls, strict=True)]
    return _text(
        [
            WRITTEN,
            "// A layer a line: does it write a map, in which memory, from which address, words,",
            "// words of a pixel, lanes in use in a pixel's last word; its cycles by cause.",
            *(_row(row, widths) for row in [heading, *calls]),
        ]
    )


def _expectations(number: int, entry: Entry) -> Iterator[str]:
    layout, written = entry.map.layout, entry.operation is not Operation.STORE
    full = (layout.words_per_pixel - 1) * layout.word_lanes
    yield f'{number}: expect_layer("{layer_name(number, entry)}"'
    yield f"1'b{int(written)}"
    yield f"4'd{FIRST_BANK + entry.map.bank}"
    for value in (
        entry.map.base,
        layout.words,
        layout.words_per_pixel,
        layout.channels * layout.lanes - full,
        *(count for _, count in entry.cycles),
    ):
        yield str(value)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return " ".join([cells[0].ljust(widths[0]), *numbers])


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
