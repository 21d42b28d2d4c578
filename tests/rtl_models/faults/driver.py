"""One descriptor or a whole program on a machine, told apart by how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.hw import Hardware
from codesign.hw.descriptor import pack_descriptor
from codesign.ir import IntArray
from codesign.rtl import image
from codesign.rtl.accelerator import Accelerator, bits
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry
from codesign.rtl.interpret import frame
from codesign.rtl.registers import ERRORS, register
from codesign.rtl.verilated import Octets
from tests.rtl_models.faults.networks import U2, Network, Row, frames

Fields = Mapping[str, int]

#: Two loads, a product with biases, a reorder, two vector layers, two stores.
PATHS = Network("paths", (3, 3, 4), U2, (
    Row(6, kernel=(2, 2), shape=(2, 9, 2)), Row(bias=9, shift=0, act="hwmsb"),
), outputs=(0,), second=(5, 2, 2))  # fmt: skip
#: The same without optional units.
PLAIN = Network("paths", (3, 3, 4), U2, (Row(6, kernel=(2, 2)),))

_LIMIT = 20_000
_CODES = {error.name: error.code for error in ERRORS}


@dataclass(frozen=True, slots=True)
class End:
    """How a program ended: name of the error, the layer, the flags."""

    error: str
    layer: int
    done: int
    failed: int
    busy: int

    def need(self, what: str, error: str, layer: int) -> None:
        """Fail unless the program ended so at this layer; error "none" where it ended well."""
        well = int(error == "none")
        expected = End(error, layer, well, 1 - well, 0)
        assert self == expected, f"{what}: {self}, expected {expected}"


class Driver:
    """An accelerator with a small network whose program can be exchanged.

    Attributes:
        accelerator: with the network in its memories.
        machine: its ports.
        entries: the network's layers.
        inputs: a frame.
    """

    def __init__(self, hardware: Hardware, models: Path | None, network: Network = PATHS) -> None:
        self.hardware = hardware
        graph = network.graph()
        self.accelerator = Accelerator(image(graph, hardware), models=models)
        self.machine = self.accelerator.machine
        self.image = self.accelerator.image
        self.entries = self.image.entries
        self.inputs = next(frames(graph))
        self.outputs = self.accelerator.outputs(self.inputs)
        self.rng = np.random.default_rng(5)

    def entry(self, operation: Operation) -> Entry:
        """The first layer of this kind."""
        return next(entry for entry in self.entries if entry.operation is operation)

    def load(self, program: Sequence[Fields], first: int = 0) -> None:
        """Write descriptors from word `first` on."""
        self.accelerator.load("program", [pack_descriptor(fields) for fields in program], first)

    def start(self, first: int = 0, *, step: bool = False) -> None:
        """Start the program at word `first`, with every interrupt but that of a pause."""
        self.set("mode", bits("mode", "irq_done", "irq_error", *(["step"] if step else [])))
        self.set("program", first)
        self.set("control", bits("control", "start"))

    def end(self, limit: int = _LIMIT) -> End:
        """Let the program go on to its end."""
        self.machine.run(limit)
        return self.ended()

    def ended(self) -> End:
        """How the program stands."""
        status = self.accelerator.read("status")
        fields = {field.name: field.of(status) for field in register("status").fields}
        code = fields["error_code"]
        error = next((name for name, known in _CODES.items() if known == code), str(code))
        layer = self.accelerator.read("layer")
        return End(error, layer, fields["done"], fields["error"], fields["busy"])

    def run(self, program: Sequence[Fields], first: int = 0) -> End:
        """Load a program at word `first` and run it."""
        self.load(program, first)
        self.start(first)
        return self.end()

    def set(self, name: str, value: int) -> None:
        """Write a register that takes it."""
        self.accelerator.write(name, value)

    def command(self, name: str) -> int:
        """Write a command; the response."""
        return self.machine.write(register("control").address, bits("control", name))

    def still_right(self, what: str) -> None:
        """The network's own program gives what it gave."""
        self.machine.reset()
        self.still_right_unreset(what)

    def still_right_unreset(self, what: str) -> None:
        """The same without a reset: nothing that was before may be left over."""
        self.accelerator.load("program", self.image.program)
        self.accelerator.load("weights", self.image.weights)
        self.accelerator.load("parameters", self.image.parameters)
        self.set("program", 0)
        for name, values in self.accelerator.outputs(self.inputs).items():
            assert np.array_equal(values, self.outputs[name]), f"behind {what}: {name} is wrong"

    def words(self, count: int) -> IntArray:
        """Random activation words, as lanes."""
        lanes = self.hardware.lanes.input
        return self.rng.integers(0, 4, (count, lanes)).astype(np.uint8)

    def beats(self, words: IntArray) -> Octets:
        """Lanes as stream words."""
        size = -(-words.shape[1] // 4) * 4
        padded = np.zeros((len(words), size), np.uint8)
        padded[:, : words.shape[1]] = words
        digits = padded.reshape(len(words), -1, 4) << np.array([0, 2, 4, 6], np.uint8)
        return np.asarray(digits.sum(axis=2), np.uint8)

    def frame(self) -> IntArray:
        """The words of the frame, as lanes."""
        return frame(self.image, self.inputs)

    def bank_depth(self, bank: int) -> int:
        """Words of an activation bank, or of skip."""
        banks = self.hardware.memories.activations.banks
        return self.hardware.bank_words if bank < banks else self.hardware.skip_words


def words_read(fields: Fields, lanes: int) -> int:
    """Words of the map that a descriptor reads (for a load: that comes in)."""
    per_pixel = -(-(fields["input_channels"] << fields["input_lanes"]) // lanes)
    return fields["input_height"] * fields["input_width"] * per_pixel
