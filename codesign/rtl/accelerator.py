"""A network on the Verilated accelerator: loaded, run, read layer by layer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from codesign.errors import DifferenceError
from codesign.hw import Cycles, Hardware
from codesign.hw.config import LANE_BITS
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.ir import IntArray
from codesign.rtl.build import library
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry, Image
from codesign.rtl.registers import CAUSES, ERRORS, FIRST_BANK, MEMORIES, register
from codesign.rtl.verilated import NO_ANSWER, OKAY, SLVERR, Verilated, Words
from codesign.rtl.words import pack, unpack

#: A layer that takes this many times its predicted cycles, and some, is taken to hang.
PATIENCE = 4
_MARGIN = 10_000


class MachineError(DifferenceError):
    """The machine stopped with an error, does not end, or breaks a rule of its ports."""

    def __init__(self, message: str, layer: str, error: str) -> None:
        super().__init__(message)
        self.layer = layer
        #: Name of the error in `codesign.rtl.registers`; "timeout" where the machine hangs.
        self.error = error


@dataclass(frozen=True, slots=True)
class Gaps:
    """In how many of 256 cycles the source offers nothing new, or the sink is not ready."""

    source: int = 0
    sink: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One layer as it was run.

    Attributes:
        entry: its descriptor and what is known of it.
        cycles: what the machine counted, by cause.
        wait: cycles in which the streams made the machine wait; the model predicts none.
        values: the map that it wrote or sent; None where it is not asked for.
    """

    entry: Entry
    cycles: Cycles
    wait: int
    values: IntArray | None


class Accelerator:
    """One machine with a network in its memories; runs a frame at a time.

    Attributes:
        image: the network.
        machine: its ports.
    """

    def __init__(
        self,
        image: Image,
        *,
        waves: bool = False,
        models: Path | None = None,
        seed: int = 1,
    ) -> None:
        """Build (or find) the library of the image's machine and load the image.

        With `waves` the machine can write waveforms (`machine.wave`). `models` is a folder of
        Verilog in place of the package's; `seed` sets what is unset, and the gaps of the streams.
        """
        self.image = image
        hardware = image.hardware
        self.machine = Verilated(
            library(hardware, waves=waves, models=models), hardware.lanes.input, seed
        )
        self._whole = True  # the last frame was run to its end
        self._sent = self.machine.collect()[0]
        self._lasts: list[bool] = []
        self._gaps = Gaps()
        self.load("program", image.program)
        self.load("weights", image.weights)
        self.load("parameters", image.parameters)

    def close(self) -> None:
        """End the simulation."""
        self.machine.close()

    def load(self, memory: str, words: Sequence[int], first: int = 0) -> None:
        """Write `words` into the program, weight or parameter memory from address `first` on."""
        if not words:
            return
        chunks = -(-_width(self.image.hardware, memory) // 32)
        raw = b"".join(word.to_bytes(4 * chunks, "little") for word in words)
        self._write_window(MEMORIES[memory], first, np.frombuffer(raw, "<u4"))

    def bank_words(self, bank: int, first: int, count: int) -> IntArray:
        """Words of an activation bank (the skip memory behind the last), words x lanes."""
        lanes = self.image.hardware.lanes.input
        chunks = -(-LANE_BITS * lanes // 32)
        self._select(FIRST_BANK + bank, first)
        address = register("memory_data").address
        response, values = self.machine.read_many(address, count * chunks)
        self._need(response, f"read of bank {bank}")
        return _lanes(values.view(np.uint8).reshape(count, 4 * chunks), lanes)

    def load_bank(self, bank: int, first: int, lanes: IntArray) -> None:
        """Write words x lanes into an activation bank from address `first` on."""
        octets = _octets(lanes)
        raw = np.zeros((len(octets), -(-octets.shape[1] // 4) * 4), np.uint8)
        raw[:, : octets.shape[1]] = octets
        self._write_window(FIRST_BANK + bank, first, raw.view("<u4").reshape(-1))

    def steps(
        self,
        inputs: Mapping[str, IntArray],
        *,
        keep: Collection[str] | None = None,
        gaps: Gaps | None = None,
    ) -> Iterator[Step]:
        """Run a frame, pausing behind every layer; what each of them counted and wrote.

        `inputs` has an array without a batch axis for each input map; `keep` are the values whose
        maps are read (default: all). Raises MachineError where the machine stops or hangs. Behind
        a frame that is not run to its end the machine is reset; its memories keep their words.
        """
        self.begin(inputs, gaps=gaps)
        for number, entry in enumerate(self.image.entries):
            if number:
                self.go_on()
            self.finish(entry)
            response, counted = self.machine.read_many(
                register(f"cycles_{CAUSES[0]}").address, len(CAUSES), 4
            )
            self._need(response, "read of the counters")
            *causes, wait = (int(count) for count in counted)
            wanted = keep is None or entry.map.value in keep
            # what a store has sent is to be taken off the stream in any case
            values = self._values(entry) if wanted or _sends(entry) else None
            yield Step(entry, Cycles(*causes), wait, values)
        self._end()

    def outputs(
        self, inputs: Mapping[str, IntArray], *, gaps: Gaps | None = None
    ) -> dict[str, IntArray]:
        """Run a frame without a pause; the outputs by name."""
        self.begin(inputs, gaps=gaps, step=False)
        self._run("", sum(entry.cycles.total for entry in self.image.entries))
        stores = filter(_sends, self.image.entries)
        found = {store.map.value: self._streamed(store) for store in stores}
        self._end()
        return found

    @property
    def frame_cycles(self) -> int:
        """Cycles of the last frame, pauses not counted."""
        low, high = (self.read(f"frame_cycles_{part}") for part in ("low", "high"))
        return high << 32 | low

    def begin(
        self, inputs: Mapping[str, IntArray], *, gaps: Gaps | None = None, step: bool = True
    ) -> None:
        """Offer a frame and start the program; with `step` it pauses behind every layer."""
        if not self._whole:
            self.machine.reset()
        self._whole = False
        self._sent = self.machine.collect()[0][:0]
        self._lasts = []
        self._gaps = gaps or Gaps()
        interrupts = ("irq_done", "irq_error", "irq_pause")
        self.write("mode", bits("mode", *interrupts, *(["step"] if step else [])))
        words = [pack(place, inputs[place.value]) for place in self.image.inputs]
        self.machine.resist(self._gaps.sink)
        self.machine.offer(_octets(np.concatenate(words)), gaps=self._gaps.source)
        self.write("control", bits("control", "start"))

    def go_on(self) -> None:
        """Leave a pause."""
        self.write("control", bits("control", "continue"))

    def finish(self, entry: Entry) -> None:
        """Let a layer that was begun go on to its end; MachineError where it does not end."""
        self._run(entry.name, entry.cycles.total)

    def _run(self, layer: str, predicted: int) -> None:
        """Let the machine go on until it pauses or ends; MachineError where it does not.

        `layer` is what runs; empty where it is the whole program.
        """
        slow = 256 - max(self._gaps.source, self._gaps.sink)
        limit = (PATIENCE * predicted + _MARGIN) * 256 // slow
        ended = self.machine.run(limit)
        if ended and not self.status("error"):
            return
        if not ended:
            self._fail(
                layer or self._layer(),
                "timeout",
                f"the machine has not ended after {limit:,} cycles, the model predicts "
                f"{predicted:,}",
            )
        code = self.status("error_code")
        error = next((item for item in ERRORS if item.code == code), ERRORS[0])
        self._fail(
            self._layer(), error.name, f"the machine stopped with error {error.name} ({error.doc})"
        )

    def _layer(self) -> str:
        """The layer that the machine says it is at."""
        address = self.read("layer")
        entries = self.image.entries
        return entries[address].name if address < len(entries) else f"program word {address}"

    def _fail(self, layer: str, error: str, text: str) -> NoReturn:
        raise MachineError(f"{self.image.model}: {layer}: {text}", layer, error)

    def _values(self, entry: Entry) -> IntArray:
        if _sends(entry):
            return self._streamed(entry)
        place = entry.map
        return unpack(place, self.bank_words(place.bank, place.base, place.layout.words))

    def _streamed(self, entry: Entry) -> IntArray:
        """The map that a store has sent."""
        words, lasts = self.machine.collect()
        self._sent = np.concatenate([self._sent, words])
        self._lasts += [bool(last) for last in lasts]
        place = entry.map
        count, lanes = place.layout.words, place.layout.word_lanes
        if len(self._sent) < count:
            self._fail(entry.name, "stream", f"{len(self._sent):,} of {count:,} words came out")
        mine, self._sent = self._sent[:count], self._sent[count:]
        values = unpack(place, _lanes(mine, lanes))
        if not np.array_equal(_octets(pack(place, values)), mine):
            self._fail(entry.name, "stream", "bits that belong to no code came out set, not zero")
        return values

    def _end(self) -> None:
        """What must hold of the streams behind a frame."""
        layer = self.image.entries[-1].name
        if len(self._sent):
            self._fail(layer, "stream", f"words too many came out: {len(self._sent):,}")
        if self._lasts != [*[False] * (len(self._lasts) - 1), True]:
            at = [index for index, last in enumerate(self._lasts) if last]
            self._fail(
                layer, "stream", f"TLAST came with words {at} of {len(self._lasts):,}, not the last"
            )
        if self.machine.broken:
            self._fail(layer, "stream", f"{self.machine.broken:,} words changed before they went")
        self._whole = True

    def _write_window(self, memory: int, first: int, chunks: Words) -> None:
        self._select(memory, first)
        response = self.machine.write_many(register("memory_data").address, chunks)
        self._need(response, f"write of memory {memory}")

    def _select(self, memory: int, address: int) -> None:
        self.write("memory_select", memory)
        self.write("memory_address", address)

    def write(self, name: str, value: int) -> None:
        """Write the register `name`; MachineError where the machine refuses."""
        self._need(self.machine.write(register(name).address, value), f"write of {name}")

    def read(self, name: str) -> int:
        """The value of the register `name`; MachineError where the machine refuses."""
        response, value = self.machine.read(register(name).address)
        self._need(response, f"read of {name}")
        return value

    def status(self, field: str) -> int:
        """A field of STATUS."""
        return register("status").field(field).of(self.read("status"))

    def _need(self, response: int, access: str) -> None:
        if response == NO_ANSWER:
            self._fail("registers", "access", f"the machine does not answer the {access}")
        if response != OKAY:
            said = "SLVERR" if response == SLVERR else f"response {response}"
            self._fail(self._layer(), "access", f"the machine answers {said} to the {access}")


def _sends(entry: Entry) -> bool:
    return entry.operation is Operation.STORE


def bits(name: str, *fields: str) -> int:
    """A register's word with these single bits set."""
    return sum(1 << register(name).field(field).low for field in fields)


def _width(hardware: Hardware, memory: str) -> int:
    """Bits of a word of a memory that is loaded."""
    return {
        "program": DESCRIPTOR_BITS,
        "weights": int(hardware.weight_word),
        "parameters": hardware.parameter_word,
    }[memory]


def _lanes(octets: NDArray[np.uint8], lanes: int) -> IntArray:
    """Rows of bytes as rows of lanes of 2 b."""
    digits = (octets[:, :, None] >> np.arange(0, 8, LANE_BITS, dtype=np.uint8)) & 3
    return digits.reshape(len(octets), -1)[:, :lanes]


def _octets(lanes: IntArray) -> NDArray[np.uint8]:
    """Rows of lanes as rows of bytes, the last one filled with zeros."""
    bytes_of = -(-lanes.shape[1] // 4)
    padded = np.zeros((len(lanes), 4 * bytes_of), np.uint8)
    padded[:, : lanes.shape[1]] = lanes
    places = padded.reshape(len(lanes), bytes_of, 4) << np.arange(0, 8, LANE_BITS, dtype=np.uint8)
    return np.asarray(places.sum(axis=2), np.uint8)
