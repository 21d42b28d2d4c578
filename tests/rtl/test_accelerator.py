"""The Verilated machine through its driver: registers, memories, streams, errors by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import codesign
from codesign.hw import Hardware
from codesign.hw.descriptor import pack_descriptor
from codesign.ir import Graph, IntArray
from codesign.rtl import Image, image
from codesign.rtl.accelerator import Accelerator, Gaps, MachineError, bits
from codesign.rtl.registers import IDENTITY, register
from codesign.rtl.verilated import OKAY, SLVERR
from tests.hw import networks
from tests.rtl.verilog import frame, need_verilated

TINY = Hardware.load("tiny")
GRAPH = networks.digits()


@pytest.fixture(scope="module")
def program() -> Image:
    need_verilated()
    return image(GRAPH, TINY)


@pytest.fixture
def machine(program: Image) -> Iterator[Accelerator]:
    accelerator = Accelerator(program)
    yield accelerator
    accelerator.close()


def expected(graph: Graph, inputs: dict[str, IntArray]) -> dict[str, IntArray]:
    whole = codesign.run(graph, {name: array[None] for name, array in inputs.items()})
    return {name: array[0] for name, array in whole.items()}


class TestRegisters:
    def test_what_it_is(self, machine: Accelerator) -> None:
        assert machine.read("id") == IDENTITY
        assert machine.read("lanes") == TINY.lanes.output << 16 | TINY.lanes.input
        assert machine.read("status") == 0

    def test_a_refused_access_has_its_response(self, machine: Accelerator) -> None:
        assert machine.machine.write(register("id").address, 1) == SLVERR
        assert machine.machine.write(register("mode").address, 1, 0b0111) == SLVERR
        assert machine.machine.write(register("mode").address, 1) == OKAY
        assert machine.machine.read(0x20)[0] == SLVERR
        assert machine.machine.read(register("mode").address) == (OKAY, 1)
        assert machine.machine.write_many(0x20, np.zeros(3, np.uint32)) == SLVERR
        assert machine.machine.read_many(register("status").address, 2, 4)[0] == OKAY

    def test_one_by_name_is_an_error(self, machine: Accelerator) -> None:
        with pytest.raises(MachineError) as caught:
            machine.write("status", 0)
        assert str(caught.value) == (
            "digits: input image: the machine answers SLVERR to the write of status"
        )
        assert caught.value.error == "access"

    def test_banks_keep_what_is_written(self, machine: Accelerator) -> None:
        words = np.random.default_rng(0).integers(0, 4, (7, 4), np.uint8)
        machine.load_bank(1, 1017, words)
        assert np.array_equal(machine.bank_words(1, 1017, 7), words)

    def test_cycles_are_counted_one_by_one(self, machine: Accelerator) -> None:
        before = machine.machine.cycles
        machine.machine.idle(123)
        assert machine.machine.cycles == before + 123


class TestFrames:
    def test_whole_and_in_steps(self, machine: Accelerator) -> None:
        for seed in range(3):
            inputs = frame(GRAPH, seed)
            wanted = expected(GRAPH, inputs)
            found = machine.outputs(inputs)
            assert {name: array.tolist() for name, array in found.items()} == {
                name: array.tolist() for name, array in wanted.items()
            }
            assert machine.frame_cycles == machine.image.plan.cycles.total
            steps = list(machine.steps(inputs, keep=("scores",)))
            assert machine.frame_cycles == machine.image.plan.cycles.total
            assert [step.cycles for step in steps] == [e.cycles for e in machine.image.entries]
            kept = [step.values for step in steps if step.entry.map.value == "scores"]
            assert all(np.array_equal(values, wanted["scores"]) for values in kept)
        assert machine.read("frames") == 6

    @pytest.mark.parametrize("gaps", [Gaps(180, 0), Gaps(0, 180), Gaps(90, 240)], ids=str)
    def test_gaps_are_counted_as_wait_alone(self, machine: Accelerator, gaps: Gaps) -> None:
        inputs, waits = frame(GRAPH, 1), 0
        for _ in range(3):
            for step in machine.steps(inputs, gaps=gaps):
                assert step.cycles == step.entry.cycles, step.entry.name
                waits += step.wait
        assert waits > 0

    def test_one_that_is_left_is_no_harm(self, machine: Accelerator) -> None:
        steps = machine.steps(frame(GRAPH, 1))
        next(steps)
        next(steps)
        inputs = frame(GRAPH, 2)
        found = machine.outputs(inputs)
        assert np.array_equal(found["scores"], expected(GRAPH, inputs)["scores"])

    def test_what_is_unset_does_not_matter(self, program: Image) -> None:
        inputs = frame(GRAPH, 3)
        for seed in (2, 3):
            other = Accelerator(program, seed=seed)
            found = other.outputs(inputs)
            assert np.array_equal(found["scores"], expected(GRAPH, inputs)["scores"])
            other.close()


class TestErrors:
    def fails(self, machine: Accelerator) -> MachineError:
        with pytest.raises(MachineError) as caught:
            list(machine.steps(frame(GRAPH, 1)))
        return caught.value

    def test_a_descriptor_that_is_illegal(self, machine: Accelerator) -> None:
        fields = dict(machine.image.entries[2].fields) | {"operation": 7}
        machine.load("program", [pack_descriptor(fields)], 2)
        error = self.fails(machine)
        assert str(error) == (
            "digits: conv2: the machine stopped with error operation "
            "(the descriptor's operation is unknown)"
        )
        assert (error.layer, error.error) == ("conv2", "operation")
        machine.load("program", machine.image.program)
        inputs = frame(GRAPH, 2)
        found = machine.outputs(inputs)
        assert np.array_equal(found["scores"], expected(GRAPH, inputs)["scores"])

    def test_a_program_without_an_end(self, machine: Accelerator) -> None:
        fields = dict(machine.image.entries[0].fields) | {"last": 0, "frame_end": 0}
        machine.load("program", [pack_descriptor(fields)] * TINY.program_words)
        error = self.fails(machine)
        assert error.error in ("timeout", "stream_short")  # more loads than the stream has words

    def test_a_stream_that_is_cut(self, machine: Accelerator) -> None:
        machine.begin(frame(GRAPH, 1))
        machine.machine.reset()
        machine.write("mode", bits("mode", "irq_done", "irq_error", "irq_pause"))
        machine.machine.offer(np.zeros((5, 1), np.uint8))
        machine.write("control", bits("control", "start"))
        with pytest.raises(MachineError) as caught:
            machine.finish(machine.image.entries[0])
        assert str(caught.value) == (
            "digits: input image: the machine stopped with error stream_short "
            "(TLAST came before the frame's last word)"
        )

    def test_a_stream_that_starves(self, machine: Accelerator) -> None:
        machine.write("mode", bits("mode", "irq_done", "irq_error", "irq_pause"))
        machine.machine.offer(np.zeros((5, 1), np.uint8), last=-1)
        machine.write("control", bits("control", "start"))
        with pytest.raises(MachineError) as caught:
            machine.finish(machine.image.entries[0])
        assert str(caught.value) == (
            "digits: input image: the machine has not ended after 10,276 cycles, the model "
            "predicts 69"
        )
        assert caught.value.error == "timeout"
        assert machine.machine.taken == 5

    def test_outputs_that_are_not_the_program_s(self, program: Image) -> None:
        """The machine sends both maps, the driver is told of one: words are left over."""
        machine = Accelerator(program)
        machine.image = replace(program, entries=program.entries[:-1])
        with pytest.raises(MachineError) as caught:
            machine.outputs(frame(GRAPH, 1))
        assert str(caught.value) == "digits: output scores: words too many came out: 1"
        machine.close()


def test_a_waveform_needs_a_folder(program: Image, tmp_path: Path) -> None:
    machine = Accelerator(program, waves=True)
    with pytest.raises(codesign.CodesignError) as caught:
        machine.machine.wave(tmp_path / "none" / "w.fst")
    assert str(caught.value) == (
        f"{tmp_path}/none/w.fst: cannot be written (no such file or directory); "
        "choose a folder that is writable"
    )
    machine.close()


def test_a_waveform_needs_a_library_with_waves(machine: Accelerator, tmp_path: Path) -> None:
    with pytest.raises(codesign.CodesignError) as caught:
        machine.machine.wave(tmp_path / "w.fst")
    assert str(caught.value) == (
        f"{tmp_path}/w.fst: the library is built without waves; build it with them"
    )
