"""Registers, what they refuse, interrupts, pauses, and the window on every memory."""

from __future__ import annotations

import itertools
from pathlib import Path

from codesign.hw import Hardware
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.rtl.accelerator import bits
from codesign.rtl.codes import Operation
from codesign.rtl.registers import (
    FIRST_BANK,
    IDENTITY,
    MEMORIES,
    REGISTERS,
    Access,
    register,
)
from codesign.rtl.verilated import OKAY, SLVERR
from tests.rtl_models.faults.driver import PATHS, Driver, Fields
from tests.rtl_models.faults.networks import Network

AT = {entry.name: entry.address for entry in REGISTERS}


def check(hardware: Hardware, models: Path | None, network: Network = PATHS) -> None:
    """All of it."""
    driver = Driver(hardware, models, network)
    _registers(driver)
    _window(driver)
    _window_refuses(driver)
    driver.still_right("accesses to every memory")
    _pauses(driver)
    _flags(driver)
    _start_clears(driver)
    _clear_at_the_end(driver)
    driver.still_right_unreset("commands of all kinds")


def _registers(driver: Driver) -> None:
    """Out of reset: values, who may read and write, and that partial writes do nothing."""
    machine, hardware = driver.machine, driver.hardware
    machine.reset()
    lanes = hardware.lanes.output << 16 | hardware.lanes.input
    values = {"id": IDENTITY, "lanes": lanes}
    by_address = {entry.address: entry for entry in REGISTERS}
    for address in range(256):
        entry = by_address.get(address)
        if entry is None:
            assert machine.read(address)[0] == SLVERR, f"0x{address:02X} can be read"
            assert machine.write(address, 0) == SLVERR, f"0x{address:02X} can be written"
            continue
        if entry.name == "memory_data":
            continue
        found = machine.read(address)
        expected = (OKAY, values.get(entry.name, 0))
        assert found == expected, f"{entry.name} out of reset: {found}, not {expected}"
        written = machine.write(address, 0)
        allowed = OKAY if entry.access is not Access.READ else SLVERR
        assert written == allowed, f"a write of {entry.name} answers {written}"
        if entry.access is Access.READ:
            continue
        for strobe in range(15):
            assert machine.write(address, 0xFFFF_FFFF, strobe) == SLVERR, f"strobe {strobe}"
        if entry.access is Access.BOTH:
            assert machine.read(address) == (OKAY, 0), f"{entry.name}: a partial write counts"
            whole = sum(field.of(0xFFFF_FFFF) << field.low for field in entry.fields)
            machine.write(address, 0xFFFF_FFFF)
            assert machine.read(address) == (OKAY, whole), f"{entry.name}: bits are lost"
    machine.reset()
    for entry in REGISTERS:
        if entry.name not in ("id", "lanes", "memory_data"):
            assert machine.read(entry.address) == (OKAY, 0), f"{entry.name} behind a reset"


def _memories(hardware: Hardware) -> dict[int, tuple[int, int]]:
    """Width and depth of each memory, by its number."""
    found = {
        MEMORIES["program"]: (DESCRIPTOR_BITS, hardware.program_words),
        MEMORIES["weights"]: (int(hardware.weight_word), hardware.weight_words),
        MEMORIES["parameters"]: (hardware.parameter_word, hardware.parameter_words),
    }
    banks = [hardware.bank_words] * hardware.memories.activations.banks
    banks += [hardware.skip_words] if hardware.skip_words else []
    for bank, depth in enumerate(banks):
        found[FIRST_BANK + bank] = (hardware.activation_word, depth)
    return found


def _window(driver: Driver) -> None:
    """Other words in every memory's first and last two addresses, then all read again."""
    written: dict[tuple[int, int], list[int]] = {}
    memories = _memories(driver.hardware)
    for memory, (width, depth) in memories.items():
        driver.set("memory_select", memory)
        for first in (0, depth - 2):
            driver.set("memory_address", first)
            for address in (first, first + 1):
                chunks = [int(driver.rng.integers(1 << 32)) for _ in range(-(-width // 32))]
                for chunk in chunks:
                    driver.set("memory_data", chunk)
                chunks[-1] &= (1 << (width - 1) % 32 + 1) - 1
                written[memory, address] = chunks
    for (memory, address), chunks in written.items():
        driver.set("memory_select", memory)
        driver.set("memory_address", address)
        found = [driver.accelerator.read("memory_data") for _ in chunks]
        assert found == chunks, f"word {address} of memory {memory}: {found}, not {chunks}"
        assert driver.accelerator.read("memory_address") == address + 1, "it goes on by a word"
    # in the middle of a word: one chunk alone, then from the start again
    chunks = written[0, 0]
    driver.set("memory_select", 0)
    driver.set("memory_address", 0)
    driver.set("memory_data", chunks[0])
    driver.set("memory_data", ~chunks[1] & 0xFFFF_FFFF)
    for name in ("memory_address", "memory_select"):
        driver.set(name, 0)
        found = [driver.accelerator.read("memory_data") for _ in range(2)]
        assert found == [chunks[0], ~chunks[1] & 0xFFFF_FFFF], f"behind a write of {name}"
    rest = [driver.accelerator.read("memory_data") for _ in chunks[2:]]
    assert rest == chunks[2:], "a write of one chunk changes others"


def _window_refuses(driver: Driver) -> None:
    """Memories that are not built, and words behind the last."""
    memories = _memories(driver.hardware)
    machine, data = driver.machine, AT["memory_data"]
    for memory in (*range(20), 128, 255):
        driver.set("memory_select", memory)
        depths = (0, 1 << 16) if memory not in memories else (memories[memory][1], (1 << 24) - 1)
        for address in depths:
            driver.set("memory_address", address)
            for _ in range(2):
                place = f"word {address} of memory {memory}"
                assert machine.read(data) == (SLVERR, 0), f"{place} is read"
                assert machine.write(data, 0) == SLVERR, f"{place} is written"
            assert driver.accelerator.read("memory_address") == address, "a refusal goes on"


def _pauses(driver: Driver) -> None:
    """A program in steps: what is open and what is refused in each state."""
    machine = driver.machine
    driver.accelerator.load("program", driver.image.program)
    machine.offer(driver.beats(driver.frame()))
    assert driver.command("continue") == SLVERR, "continue is taken while nothing runs"
    driver.set("memory_select", FIRST_BANK)
    driver.set("memory_address", 0)
    frames = driver.accelerator.read("frames")
    driver.start(step=True)
    for number, entry in enumerate(driver.entries):
        what = f"in layer {number}"
        if entry.cycles.total > 40:
            assert machine.read(AT["memory_data"])[0] == SLVERR, f"{what}: the window is open"
            assert machine.write(AT["memory_data"], 0) == SLVERR, f"{what}: the window is open"
            for refused in ("start", "continue", "discard"):
                assert driver.command(refused) == SLVERR, f"{what}: {refused} is taken"
        machine.idle(300)
        last = number == len(driver.entries) - 1
        assert driver.accelerator.status("paused") == (not last), f"{what}: no pause behind it"
        assert driver.accelerator.status("busy") == (not last), f"{what}: busy is wrong"
        assert driver.accelerator.read("layer") == number, f"{what}: LAYER is wrong"
        counted = driver.accelerator.read("cycles_control")
        assert counted == 4, f"{what}: {counted} cycles of control"
        if last:
            break
        for refused in ("start", "discard"):
            assert driver.command(refused) == SLVERR, f"paused {what}: {refused} is taken"
        driver.set("memory_address", 0)
        assert machine.read(AT["memory_data"])[0] == OKAY, f"paused {what}: the window is shut"
        assert driver.command("continue") == OKAY, f"paused {what}: continue is refused"
    driver.ended().need("a program in steps", "none", len(driver.entries) - 1)
    assert driver.accelerator.read("frames") == frames + 1, "FRAMES does not count it"


def _flags(driver: Driver) -> None:
    """Done, error and pause: each interrupt by itself, cleared by clear."""
    machine, control = driver.machine, register("control").address
    layer = {**driver.entry(Operation.PRODUCT).fields, "last": 1}
    programs: dict[str, list[Fields]] = {
        "irq_done": [layer],
        "irq_error": [{**layer, "operation": 0}],
        "irq_pause": [{**layer, "last": 0}, layer],
    }
    frames = driver.accelerator.read("frames")
    for wanted, ends in itertools.product(("", *programs), programs):
        what = f"{ends} with {wanted or 'no interrupt'} chosen"
        driver.load(programs[ends])
        mode = [name for name in (wanted, "step" if ends == "irq_pause" else "") if name]
        driver.set("mode", bits("mode", *mode))
        driver.set("program", 0)
        assert driver.command("start") == OKAY, f"{what}: start is refused"
        machine.idle(300)
        assert machine.run(0) == (wanted == ends), f"{what}: the interrupt is wrong"
        end = driver.ended()
        frames += ends == "irq_done"
        flags = tuple(int(ends == name) for name in programs)
        assert (end.done, end.failed, end.busy) == flags, f"{what}: {end}"
        assert driver.accelerator.read("frames") == frames, f"{what}: FRAMES is wrong"
        if ends == "irq_pause":
            assert driver.command("abort") == OKAY
            machine.idle(10)
            end = driver.ended()
        both = bits("control", "start", "abort")
        assert machine.write(control, both) == SLVERR, "two commands at once are taken"
        assert driver.ended() == end, "a command that is refused does something"
        driver.set("control", bits("control", "clear"))
        machine.idle(3)
        cleared = driver.ended()
        assert (cleared.error, cleared.done, cleared.failed) == ("none", 0, 0), f"{what}: clear"
        assert not machine.run(0), f"{what}: the interrupt is not cleared"


def _start_clears(driver: Driver) -> None:
    """What was before is gone as soon as a program runs."""
    layer = {**driver.entry(Operation.PRODUCT).fields, "last": 1}
    for wrong in (0, 1):
        before = {**layer, "operation": 0} if wrong else layer
        driver.run([before]).need("one layer", "operation" if wrong else "none", 0)
        driver.load([layer])
        driver.start()
        end = driver.ended()
        assert (end.error, end.done, end.failed, end.busy) == ("none", 0, 0, 1), f"start: {end}"
        driver.end().need("one layer", "none", 0)


def _clear_at_the_end(driver: Driver) -> None:
    """A clear in any cycle around a program's end: the end is counted, and none is lost."""
    entry = driver.entry(Operation.PRODUCT)
    driver.load([{**entry.fields, "last": 1}])
    frames = driver.accelerator.read("frames")
    for cycle in range(entry.cycles.total + 4):
        driver.start()
        driver.machine.idle(cycle)
        driver.set("control", bits("control", "clear"))
        driver.machine.idle(entry.cycles.total + 8)
        frames += 1
        assert driver.accelerator.read("frames") == frames, f"a clear {cycle} cycles behind start"
