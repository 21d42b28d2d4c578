"""A network on the Verilated accelerator: loaded, run, read layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError
from codesign.hw import Cycles, Hardware
from codesign.hw.config import LANE_BITS
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.ir import IntArray
from codesign.rtl.build import library
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry, Image
from codesign.rtl.registers import CAUSES, ERRORS, FIRST_BANK, MEMORIES, register
from codesign.rtl.verilated import NO_ANSWER, OKAY, Verilated
from codesign.rtl.words import Map, pack, unpack

#: A layer that takes this many times its predicted cycles, and some, is taken to hang.
PATIENCE = 4
_MARGIN = 10_000


class MachineError(CodesignError):
    """The machine stopped with an error, or does not end."""

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
        values: the map that it wrote or sent; None where maps are not read.
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
        self._select(MEMORIES[memory], first)
        address = register("memory_data").address
        self._need(
            self.machine.write_many(address, np.frombuffer(raw, "<u4")), f"write of {memory}"
        )

    def map_words(self, place: Map) -> IntArray:
        """The words of a map in its bank, words x lanes; idle lanes may hold anything."""
        lanes = self.image.hardware.lanes.input
        chunks = -(-LANE_BITS * lanes // 32)
        self._select(FIRST_BANK + place.bank, place.base)
        address, count = register("memory_data").address, place.layout.words * chunks
        response, values = self.machine.read_many(address, count)
        self._need(response, f"read of {place.value}")
        return _lanes(values.view(np.uint8).reshape(place.layout.words, 4 * chunks), lanes)

    def steps(
        self, inputs: Mapping[str, IntArray], *, maps: bool = True, gaps: Gaps | None = None
    ) -> Iterator[Step]:
        """Run a frame, pausing behind every layer; what each of them counted and wrote.

        `inputs` has an array without a batch axis for each input map. Raises MachineError where
        the machine stops or hangs. A frame that is not run to its end is aborted by the next one.
        """
        self._begin(inputs, gaps or Gaps(), step=True)
        for number, entry in enumerate(self.image.entries):
            if number:
                self._set("control", _bits("control", "continue"))
            self._run(entry.name, entry.cycles.total)
            response, counted = self.machine.read_many(
                register(f"cycles_{CAUSES[0]}").address, len(CAUSES), 4
            )
            self._need(response, "read of the counters")
            *causes, wait = (int(count) for count in counted)
            values = self._values(entry) if maps else None
            yield Step(entry, Cycles(*causes), wait, values)
        self._end()

    def outputs(
        self, inputs: Mapping[str, IntArray], *, gaps: Gaps | None = None
    ) -> dict[str, IntArray]:
        """Run a frame without a pause; the outputs by name."""
        self._begin(inputs, gaps or Gaps(), step=False)
        self._run("", sum(entry.cycles.total for entry in self.image.entries))
        stores = [item for item in self.image.entries if item.operation is Operation.STORE]
        found = {store.map.value: self._streamed(store) for store in stores}
        self._end()
        return found

    @property
    def frame_cycles(self) -> int:
        """Cycles of the last frame, pauses not counted."""
        low, high = (self._get(f"frame_cycles_{part}") for part in ("low", "high"))
        return high << 32 | low

    def _begin(self, inputs: Mapping[str, IntArray], gaps: Gaps, *, step: bool) -> None:
        if self._status("busy"):
            self.machine.reset()  # a frame that was left; memories keep their words
        self._sent = self.machine.collect()[0][:0]
        self._lasts: list[bool] = []
        interrupts = ("irq_done", "irq_error", "irq_pause")
        self._set("mode", _bits("mode", *interrupts, *(["step"] if step else [])))
        words = [pack(place, inputs[place.value]) for place in self.image.inputs]
        stream = _octets(np.concatenate(words))
        self.machine.resist(gaps.sink)
        self.machine.offer(stream, gaps=gaps.source)
        self._set("control", _bits("control", "start"))

    def _run(self, layer: str, predicted: int) -> None:
        """Let the machine go on until it pauses or ends; MachineError where it does not.

        `layer` is what runs; empty where it is the whole program.
        """
        limit = PATIENCE * predicted + _MARGIN
        ended = self.machine.run(limit)
        if ended and not self._status("error"):
            return
        if not ended:
            self._fail(
                layer or self._layer(),
                "timeout",
                f"the machine has not ended after {limit:,} cycles, the model predicts "
                f"{predicted:,}",
            )
        code = self._status("error_code")
        error = next((item for item in ERRORS if item.code == code), ERRORS[0])
        self._fail(
            self._layer(), error.name, f"the machine stopped with error {error.name} ({error.doc})"
        )

    def _layer(self) -> str:
        """The layer that the machine says it is at."""
        address = self._get("layer")
        entries = self.image.entries
        return entries[address].name if address < len(entries) else f"program word {address}"

    def _fail(self, layer: str, error: str, text: str) -> NoReturn:
        raise MachineError(f"{self.image.model}: {layer}: {text}", layer, error)

    def _values(self, entry: Entry) -> IntArray:
        if entry.operation is Operation.STORE:
            return self._streamed(entry)
        return unpack(entry.map, self.map_words(entry.map))

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
        return unpack(place, _lanes(mine, lanes))

    def _end(self) -> None:
        """What must hold of the streams behind a frame."""
        layer = self.image.entries[-1].name
        if len(self._sent):
            self._fail(layer, "stream", f"{len(self._sent):,} words too many came out")
        if self._lasts != [*[False] * (len(self._lasts) - 1), True]:
            at = [index for index, last in enumerate(self._lasts) if last]
            self._fail(
                layer, "stream", f"TLAST came with words {at} of {len(self._lasts):,}, not the last"
            )
        if self.machine.broken:
            self._fail(layer, "stream", f"{self.machine.broken:,} words changed before they went")

    def _select(self, memory: int, address: int) -> None:
        self._set("memory_select", memory)
        self._set("memory_address", address)

    def _set(self, name: str, value: int) -> None:
        self._need(self.machine.write(register(name).address, value), f"write of {name}")

    def _get(self, name: str) -> int:
        response, value = self.machine.read(register(name).address)
        self._need(response, f"read of {name}")
        return value

    def _status(self, field: str) -> int:
        return register("status").field(field).of(self._get("status"))

    def _need(self, response: int, access: str) -> None:
        if response != OKAY:
            said = "does not answer" if response == NO_ANSWER else f"answers {response}"
            self._fail(
                self._layer() if response != NO_ANSWER else "registers",
                "access",
                f"the machine {said} to the {access}",
            )


def _bits(name: str, *fields: str) -> int:
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
