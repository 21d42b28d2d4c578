"""How much a machine takes: cells, flip-flops, gate equivalents and memory bits of every module.

`python -m codesign.rtl.area CONFIG ...` synthesizes the machine of each configuration
(half a minute for `tiny`, two minutes for `asic_1mb`) and prints its tables.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.hw.config import ACCUMULATOR_SETS
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.rtl.gates import FLIP_FLOPS, equivalents
from codesign.rtl.parameters import parameters
from codesign.rtl.synthesis import Netlist, synthesize


@dataclass(frozen=True, slots=True)
class Part:
    """What all instances of a module take, without the modules in them.

    Attributes:
        module: its name.
        instances: how many there are.
        cells: gates and flip-flops.
        flip_flops: one bit each.
        gates: the area of its cells in gate equivalents: NANDs of two inputs.
        memory_bits: of the memories in it, which are no cells.
    """

    module: str
    instances: int
    cells: int
    flip_flops: int
    gates: float
    memory_bits: int


@dataclass(frozen=True, slots=True)
class Memory:
    """One kind of memory as the configuration describes it: instances of words x bits."""

    name: str
    instances: int
    words: int
    width: int

    @property
    def bits(self) -> int:
        """Of all instances."""
        return self.instances * self.words * self.width


def parts(netlist: Netlist) -> tuple[Part, ...]:
    """The modules of a netlist, the largest first."""
    instances: Counter[str] = Counter()

    def count(key: str, times: int) -> None:
        instances[key] += times
        for part, number in netlist.modules[key].parts.items():
            count(part, times * number)

    count(netlist.top, 1)
    found: dict[str, Part] = {}
    for key, times in instances.items():
        module = netlist.modules[key]
        cells = module.cells
        before = found.get(module.name, Part(module.name, 0, 0, 0, 0.0, 0))
        found[module.name] = Part(
            module.name,
            before.instances + times,
            before.cells + times * sum(cells.values()),
            before.flip_flops + times * sum(cells.get(name, 0) for name in FLIP_FLOPS),
            before.gates + times * sum(n * equivalents(cell) for cell, n in cells.items()),
            before.memory_bits + times * sum(words * width for words, width in module.memories),
        )
    return tuple(sorted(found.values(), key=lambda part: (-part.gates, part.module)))


def built(netlist: Netlist) -> Counter[tuple[int, int]]:
    """The memories of a netlist: how many of each (words, width)."""
    found: Counter[tuple[int, int]] = Counter()

    def count(key: str) -> None:
        found.update(netlist.modules[key].memories)
        for part, number in netlist.modules[key].parts.items():
            for _ in range(number):
                count(part)

    count(netlist.top)
    return found


def memories(hardware: Hardware) -> tuple[Memory, ...]:
    """The memories that a configuration describes."""
    machine, banks = hardware, hardware.memories.activations.banks
    sums = machine.lanes.output * int(machine.accumulator.width)
    halves = 2 * ACCUMULATOR_SETS  # by pixel parity
    found = (
        Memory("weights", 1, machine.weight_words, int(machine.weight_word)),
        Memory("parameters", 1, machine.parameter_words, machine.parameter_word),
        Memory("program", 1, machine.program_words, DESCRIPTOR_BITS),
        Memory("activations", banks, machine.bank_words, machine.activation_word),
        Memory("skip", 1, machine.skip_words, machine.activation_word),
        Memory("accumulators", halves, machine.accumulator.pixels // 2, sums),
    )
    return tuple(memory for memory in found if memory.words)


def measure(hardware: Hardware) -> tuple[Part, ...]:
    """The modules of a machine; CodesignError where its memories are not the configuration's."""
    netlist = synthesize(parameters=parameters(hardware))
    wanted = Counter[tuple[int, int]]()
    for memory in memories(hardware):
        wanted[memory.words, memory.width] += memory.instances
    found = built(netlist)
    if found != wanted:
        wrong = (found - wanted) + (wanted - found)
        words, width = min(wrong)
        raise CodesignError(
            f"{hardware.name}: {wanted[words, width]} memories of {words} x {width} b are "
            f"described, {found[words, width]} are built; see codesign.rtl.parameters"
        )
    return parts(netlist)


def total(found: Sequence[Part]) -> Part:
    """The sum of all parts."""
    return Part(
        "whole",
        sum(part.instances for part in found),
        sum(part.cells for part in found),
        sum(part.flip_flops for part in found),
        sum(part.gates for part in found),
        sum(part.memory_bits for part in found),
    )


def modules_table(found: Sequence[Part]) -> str:
    """A row a module, and the whole."""
    whole = total(found)
    head = ("module", "instances", "cells", "flip-flops", "gate equivalents", "%", "memory bits")
    return table(
        head,
        (
            (
                f"**{part.module}**" if part is whole else f"`{part.module}`",
                f"{part.instances:,}",
                f"{part.cells:,}",
                f"{part.flip_flops:,}",
                f"{part.gates:,.0f}",
                f"{100 * part.gates / whole.gates:.1f}",
                f"{part.memory_bits:,}" if part.memory_bits else "",
            )
            for part in (*found, whole)
        ),
    )


def memories_table(hardware: Hardware) -> str:
    """A row a kind of memory, and the whole."""
    found = memories(hardware)
    rows = [
        (memory.name, f"{memory.instances} x {memory.words:,} x {memory.width}", f"{memory.bits:,}")
        for memory in found
    ]
    bits = sum(memory.bits for memory in found)
    return table(("memory", "words x bits", "bits"), [*rows, ("**whole**", "", f"{bits:,}")])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown whose columns stand in line; the first one is text."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [
        " | ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    rule = " | ".join(
        "-" * (width - 1) + ":" if column else "-" * width for column, width in enumerate(widths)
    )
    return "\n".join(f"| {line} |" for line in (padded[0], rule, *padded[1:])) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Print the tables of the configurations."""
    if not arguments:
        raise SystemExit("give a configuration, such as tiny: python -m codesign.rtl.area tiny")
    try:
        for name in arguments:
            hardware = Hardware.load(name)
            found = measure(hardware)
            print(f"{hardware.name}\n\n{modules_table(found)}\n{memories_table(hardware)}")
    except CodesignError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
