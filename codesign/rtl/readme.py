"""The README of an exported folder: how to run it, what each file is, what the network takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from codesign.hw.plan import BudgetLine
from codesign.hw.quantity import written
from codesign.rtl.codes import Operation
from codesign.rtl.image import Image
from codesign.rtl.registers import FIRST_BANK, MEMORIES
from codesign.rtl.vectors import layer_name

_COMMANDS = """\
## Run

In this folder, with Icarus Verilog 11 or Verilator 5 (and a C++ compiler that knows C++20):

    verilator --lint-only -Wall --timing rtl/waivers.vlt -f files.f testbench.v \\
      --top-module testbench
    iverilog -g2005 -o testbench.vvp -f files.f testbench.v && vvp testbench.vvp
    verilator --binary --timing -j 0 -CFLAGS -std=c++20 -MAKEFLAGS CFG_CXXFLAGS_PCH_I=-include \\
      -f files.f testbench.v --top-module testbench && obj_dir/Vtestbench

The first checks the Verilog; what it does not report is in `rtl/waivers.vlt`, with reasons. The
others run the testbench. It loads the machine over its bus, runs every frame layer by layer,
compares every word and every cycle counter, and ends with a line `PASS` and exit code 0, or with a
line `FAIL` that says what differs first and exit code 1.

## Files

| file | what it is |
| --- | --- |
| `rtl/` | the Verilog of the machine; its top is `codesign_accelerator` |
| `files.f` | those sources, for `-f` of Icarus and Verilator |
| `parameters.vh` | the parameters of the top, to be included in the module that builds it |
| `program.hex` | program memory, one descriptor a line, from address 0 |
| `weights.hex` | weight memory |
| `parameters.hex` | parameter memory |
| `frame_N/input.hex` | frame N as the words of the stream in; TLAST is with the last one |
| `frame_N/output.hex` | the words of the stream out that are expected |
| `frame_N/layer_NN_NAME.hex` | the words that a layer writes, expected in the memory and from the \
address below |
| `program.txt` | the descriptors, field by field |
| `testbench.v` | the testbench, the same for every network |
| `testbench.vh`, `layers.vh` | its numbers: how much there is, what is expected of each layer |

The `.hex` files are for `$readmemh`: a word a line, least significant bits on the right. Where the
channels of a pixel do not fill its last word, the lanes beyond them are zero in the files; in a
memory they may hold anything, and the testbench does not compare them.
"""

_HOST = """\
## Run it on a board

Registers and fields are macros of `rtl/codesign.vh`. A write to MEMORY_DATA moves 32 b, the lowest
of a word first; behind a word's last 32 b the address goes on by itself.

1. For each memory ({memories}): its number to MEMORY_SELECT, 0 to
   MEMORY_ADDRESS, then all words to MEMORY_DATA.
2. 0 to PROGRAM, 1 (interrupt when done) or 3 (also on an error) to MODE, 1 to CONTROL.
3. The frame to `s_axis`, the result from `m_axis`. STATUS reads 4 when the frame is done; 8 to
   CONTROL takes that and the interrupt away, 1 starts the next frame.
"""


def readme_text(
    image: Image, digest: str, parameters: Mapping[str, int], frames: Sequence[str], version: str
) -> str:
    """The whole page; `frames` are the names of the inputs, `digest` the network's hash."""
    hardware = image.hardware
    parts = [
        f"# {image.model} on {hardware.name}\n\n"
        f"The network {image.model} as program and memory words of the machine "
        f"`codesign_accelerator`\n({hardware.lanes.input} x {hardware.lanes.output} lanes), with "
        f"{_plural(len(frames), 'frame')} to check it. Written by codesign {version} from\n"
        f"`{digest}`.\n",
        _COMMANDS,
        _HOST.format(memories=", ".join(f"{number} {name}" for name, number in MEMORIES.items())),
        "## Frames\n\n"
        + _table([("frame", "input"), *((str(n), _cell(name)) for n, name in enumerate(frames))]),
        "## Layers\n\nA descriptor a line, in order, with the map that it writes "
        f"(an output: sends),\nin words of {hardware.activation_word} b; *memory* is its number "
        "for MEMORY_SELECT.\n\n" + _table(_layers(image), right=range(4, 10)),
        "## Cycles\n\n" + _table(_cycles(image), right=range(1, 10)),
        "## Memories and budget\n\n" + _table(_memories(image), right=range(1, 4)),
    ]
    if image.plan.budget:
        parts.append(_table(_budget(image.plan.budget), right=range(1, 3)))
    parts.append(
        "## Parameters of the machine\n\n"
        + _table(
            [("parameter", "value"), *((f"`{n}`", str(v)) for n, v in parameters.items())],
            right=(1,),
        )
    )
    return "\n".join(parts)


def _layers(image: Image) -> Iterator[Sequence[str]]:
    yield (
        "layer", "what", "map", "type", "memory", "address", "words", "weights", "biases", "cycles"
    )  # fmt: skip
    for number, entry in enumerate(image.entries):
        fields, place = entry.fields, entry.map
        product = entry.operation is Operation.PRODUCT
        yield (
            f"`{layer_name(number, entry)}`",
            _cell(entry.kind),
            "x".join(map(str, place.shape)) or "scalar",
            f"{place.form.name.lower()}, {place.layout.lanes * 2} b",
            str(FIRST_BANK + place.bank),
            str(place.base),
            f"{place.layout.words:,}",
            f"at {fields['weight_base']}, {fields['weight_bits']} b" if product else "",
            f"at {fields['bias_base']}" if fields["bias"] else "",
            f"{entry.cycles.total:,}",
        )


def _cycles(image: Image) -> Iterator[Sequence[str]]:
    yield ("layer", *(cause for cause, _ in image.plan.cycles), "total")
    for number, entry in enumerate(image.entries):
        counts = [f"{count:,}" for _, count in entry.cycles]
        yield (f"`{layer_name(number, entry)}`", *counts, f"{entry.cycles.total:,}")
    total = image.plan.cycles
    yield ("a frame", *(f"{count:,}" for _, count in total), f"{total.total:,}")


def _memories(image: Image) -> Iterator[Sequence[str]]:
    yield "memory", "used", "built", "share", "fullest at"
    for use in image.plan.memories:
        share = _percent(Fraction(use.used_bits, use.built_bits)) if use.built_bits else ""
        yield use.name, f"{use.used_bits:,} b", f"{use.built_bits:,} b", share, _cell(use.peak_at)


def _budget(lines: Iterable[BudgetLine]) -> Iterator[Sequence[str]]:
    yield "budget", "used", "limit", ""
    for line in lines:
        used, limit = (written(amount, line.unit) for amount in (line.used, line.limit))
        yield line.name, used, limit, "ok" if line.ok else "over"


def descriptors_text(image: Image) -> str:
    """`program.txt`: every descriptor's fields that are not zero, a field a line."""
    parts = []
    for number, entry in enumerate(image.entries):
        lines = [f"{number} {entry.name} ({entry.kind})"]
        lines += [f"  {name:<20} {value}" for name, value in entry.fields.items() if value]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _table(rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A Markdown table; the first row is its heading."""
    heading, *rest = rows
    rule = ["---:" if column in set(right) else "---" for column in range(len(heading))]
    return "".join(f"| {' | '.join(row)} |\n" for row in [heading, rule, *rest])


def _cell(text: str) -> str:
    """Text in a cell of a table: one line, no bar that would end it."""
    return " ".join(text.split()).replace("|", "\\|")


def _percent(share: Fraction) -> str:
    tenths = (share * 2000 + 1) // 2
    return f"{tenths // 10}.{tenths % 10} %"


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
