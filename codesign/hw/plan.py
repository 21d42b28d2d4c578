"""What a network costs on a machine: the typed result of `codesign.hw.plan`.

Plain frozen records, no behaviour but sums: whoever renders them needs nothing else. Sizes are
bits, times are clock cycles, ratios are exact fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING

from codesign.ir import Operations

if TYPE_CHECKING:
    from codesign.hw.config import Hardware


@dataclass(frozen=True, slots=True)
class Cycles:
    """Clock cycles by cause; every cycle has exactly one (docs/hardware/schedule.md).

    Attributes:
        compute: one output pixel of a block is multiplied with one weight tile.
        weight_load: the first weight tile of a layer is fetched; nothing hides it.
        stall: the array waits, for a weight tile or for the turn of the accumulator banks.
        drain: a block leaves the accumulators and no other block is being computed.
        vector: a pass over a map without products (standalone pooling, rescaling, reordering).
        input: words of the frame (or of a host layer's result) come in.
        output: words of a result (or of a host layer's operand) go out.
        control: the sequencer reads and decodes a descriptor.
    """

    compute: int = 0
    weight_load: int = 0
    stall: int = 0
    drain: int = 0
    vector: int = 0
    input: int = 0
    output: int = 0
    control: int = 0

    @property
    def total(self) -> int:
        """All cycles."""
        return sum(count for _, count in self)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """(cause, cycles) for every cause, zeros included."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def __add__(self, other: Cycles) -> Cycles:
        return Cycles(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Events:
    """What a frame switches, counted exactly: the basis of the energy rows.

    Attributes:
        lane_product: products of one 2 b activation digit and one weight.
        weight_read: words read from the weight memory.
        activation_read: words read from the activation or skip memories.
        activation_write: words written to them.
        parameter_read: words read from the parameter memory.
        accumulate: accumulator registers updated.
        stream_word: words that cross the machine's boundary.
    """

    lane_product: int = 0
    weight_read: int = 0
    activation_read: int = 0
    activation_write: int = 0
    parameter_read: int = 0
    accumulate: int = 0
    stream_word: int = 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """(event, count) for every event, zeros included."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def __add__(self, other: Events) -> Events:
        return Events(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One descriptor of the program, or one operation on the host.

    Attributes:
        name: the node that gives the layer its name (its first operation), or a graph input or
            output that is streamed.
        kind: what it does, for people: "conv 3x3 g2", "linear", "max_pool 2x2", "input", "output".
        nodes: the IR nodes done here, in order; every node of the graph is in exactly one layer.
        unit: "accelerator" or "host".
        reason: why it is on the host, one line; empty on the accelerator.
        result: the IR value it produces (for "output": the value that goes out).
        output_shape: shape of `result`, without the batch axis.
        stored_weight_bits: weight bits of the network, codes only, by bits of one code.
        weight_words: words of the weight memory that they take (a tile starts on a word; none on
            the host).
        generated_bits: weight bits that a generator makes instead of a memory.
        parameter_bits: bits in the parameter and program memories: biases and the descriptor
            (which holds shifts, clip bounds and thresholds shared by the layer).
        accumulator_width: bits of the proved accumulator; None where nothing accumulates.
        operations: operation counts of `nodes`, from the op table.
        macs: multiply-accumulates of `nodes`.
        cycles: cycles by cause. On the host: the transfers only.
        events: what the layer switches. On the host: the transfers only.
        utilization: macs / (input lanes x output lanes x total cycles); None without products.
    """

    name: str
    kind: str
    nodes: tuple[str, ...]
    unit: str
    reason: str
    result: str
    output_shape: tuple[int, ...]
    stored_weight_bits: Mapping[int, int]
    weight_words: int
    generated_bits: int
    parameter_bits: int
    accumulator_width: int | None
    operations: Operations
    macs: int
    cycles: Cycles
    events: Events
    utilization: Fraction | None


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """One built memory: bits that the network occupies and bits that exist.

    Attributes:
        name: "weights", "parameters", "program", "activations 0", ..., "skip", "accumulators".
        used_bits: bits occupied, whole words; may exceed `built_bits`.
        built_bits: depth x width of the memory.
        peak_at: the layer during which it is fullest (the largest one, where contents add up).
        message: empty where it fits; else one line: need, have, difference, layer.
    """

    name: str
    used_bits: int
    built_bits: int
    peak_at: str
    message: str = ""

    @property
    def fits(self) -> bool:
        """Whether the contents fit what is built."""
        return self.used_bits <= self.built_bits


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a map lives and when.

    Attributes:
        value: the IR value.
        memory: "activations" or "skip".
        bank: bank of that memory, from 0.
        first_word: address of its first word in the bank.
        words: how many words it takes.
        from_layer: index (in `Plan.layers`) of the layer that writes it.
        to_layer: index of the last layer that reads it; the words are free after that layer.
    """

    value: str
    memory: str
    bank: int
    first_word: int
    words: int
    from_layer: int
    to_layer: int


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One line of the configuration's budget.

    Attributes:
        name: the budget's key.
        used: what the network takes, in `unit`.
        limit: what is allowed, in `unit`.
        unit: "b", "s" or "J".
        ok: whether used <= limit.
        message: empty where ok; else one line: need, limit, difference, the layer that breaks it.
    """

    name: str
    used: Fraction
    limit: Fraction
    unit: str
    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """Energy of one kind of event in a frame.

    Attributes:
        event: a field of `Events`.
        count: how often it happens.
        each: joules of one.
        source: where the number comes from, from the configuration.
    """

    event: str
    count: int
    each: Fraction
    source: str

    @property
    def total(self) -> Fraction:
        """Joules of all."""
        return self.count * self.each


@dataclass(frozen=True, slots=True)
class Plan:
    """A network mapped to a machine.

    Attributes:
        model: the graph's name.
        hardware: the machine.
        layers: in the order of execution: inputs, operations, outputs.
        memories: every built memory.
        placements: where every map lives; legal where `fits` (no two live maps overlap).
        peak_activation_bits: most bits of maps alive at once, all banks together: the proved lower
            bound of any allocation.
        peak_at: the layer where that happens.
        budget: the configuration's budget lines, checked.
        not_modelled: what the numbers leave out, one line each.
        energy: one row an event that the configuration prices; None without an energy table.
    """

    model: str
    hardware: Hardware
    layers: tuple[LayerPlan, ...]
    memories: tuple[MemoryUse, ...]
    placements: tuple[Placement, ...]
    peak_activation_bits: int
    peak_at: str
    budget: tuple[BudgetLine, ...]
    not_modelled: tuple[str, ...]
    energy: tuple[EnergyRow, ...] | None

    @property
    def cycles(self) -> Cycles:
        """Cycles of one frame, by cause."""
        return sum((layer.cycles for layer in self.layers), Cycles())

    @property
    def operations(self) -> Operations:
        """Operations of one frame."""
        return sum((layer.operations for layer in self.layers), Operations())

    @property
    def seconds(self) -> Fraction:
        """Time of one frame, from its first word in to its last word out."""
        return Fraction(self.cycles.total) / self.hardware.clock.amount

    @property
    def frames_per_second(self) -> Fraction:
        """Frames a second, one after the other."""
        return 1 / self.seconds

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each memory that is too small and each budget line that is broken."""
        lines = [memory.message for memory in self.memories if not memory.fits]
        return (*lines, *(line.message for line in self.budget if not line.ok))

    @property
    def fits(self) -> bool:
        """Whether every memory holds its contents and every budget line is kept."""
        return not self.problems
