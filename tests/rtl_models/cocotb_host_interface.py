"""host_interface against a model of the machine behind it and of what the register page says."""

from __future__ import annotations

import itertools
import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge, Timer

from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.rtl.registers import CAUSES, IDENTITY, MEMORIES, REGISTERS, Access, register
from tests.rtl_models.axi_lite import MEETINGS, Host, watch
from tests.rtl_models.bench import PERIOD_NS, outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage

AT = {entry.name: entry.address for entry in REGISTERS}
COMMANDS = {field.name: 1 << field.low for field in register("control").fields}
PULSES = ("start", "continue", "abort", "discard")
STATES = ("idle", "running", "paused", "discarding")
#: Of what the memory window refuses.
REFUSALS = ("running", "not built", "beyond")


class Machine:
    """The ports that the sequencer and the memories drive, and what comes out of the interface.

    A test sets the state; pulses and accesses to the window are noted, the window's memories are
    words by (memory, address).
    """

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.pulses: list[str] = []
        self.accesses: list[tuple[str, int, int, int]] = []
        self.words: dict[tuple[int, int], int] = {}
        self.widths = {
            MEMORIES["program"]: DESCRIPTOR_BITS,
            MEMORIES["weights"]: self._parameter("WeightWord"),
            MEMORIES["parameters"]: self._parameter("BiasBits") * self._parameter("OutputLanes"),
        }
        self.depths = {
            MEMORIES["program"]: self._parameter("ProgramDepth"),
            MEMORIES["weights"]: self._parameter("WeightDepth"),
            MEMORIES["parameters"]: self._parameter("ParameterDepth"),
        }
        banks = [self._parameter("BankDepth")] * self._parameter("Banks")
        skip = self._parameter("SkipDepth")
        for number, depth in enumerate([*banks, *([skip] if skip else [])], start=8):
            self.widths[number] = 2 * self._parameter("InputLanes")
            self.depths[number] = depth
        self.state = "idle"
        for port in ("done", "error", "error_code", "layer", "layer_start", "cause"):
            getattr(dut, f"{port}_i").value = 0
        dut.window_rdata_i.value = 0

    def _parameter(self, name: str) -> int:
        return int(getattr(self.dut, name).value)

    def chunks(self, memory: int) -> int:
        """Transfers of 32 b that a word of the memory takes."""
        return -(-self.widths[memory] // 32)

    @property
    def state(self) -> str:
        """What the machine does, one of STATES."""
        return self._state

    @state.setter
    def state(self, value: str) -> None:
        self._state = value
        for name in STATES[1:]:
            getattr(self.dut, f"{name}_i").value = int(name == value)

    async def ends(self, port: str, code: int = 0) -> None:
        """One cycle of done_i or error_i."""
        self.dut.error_code_i.value = code
        getattr(self.dut, f"{port}_i").value = 1
        await RisingEdge(self.dut.clk_i)
        getattr(self.dut, f"{port}_i").value = 0

    async def run(self) -> None:
        """Note pulses; serve the window with the latency of a memory."""
        dut = self.dut
        chosen: tuple[int, int] | None = None
        while True:
            await RisingEdge(dut.clk_i)
            if not dut.rst_ni.value.is_resolvable or not int(dut.rst_ni.value):
                continue
            self.pulses += [name for name in PULSES if int(getattr(dut, f"{name}_o").value)]
            if int(dut.window_en_o.value):
                memory, address = int(dut.window_memory_o.value), int(dut.window_address_o.value)
                assert self.state != "running", "the window was used while the machine ran"
                assert address < self.depths[memory], "the window left the memory"
                assert int(dut.window_chunk_o.value) < self.chunks(memory)
                if int(dut.window_we_o.value):
                    self._write(memory, address)
                else:
                    chosen = memory, address
            await Timer(1, "ns")
            if chosen is not None:  # the chunk is chosen behind the memory's output
                shift = 32 * int(dut.window_chunk_o.value)
                dut.window_rdata_i.value = self.words.get(chosen, 0) >> shift & 0xFFFF_FFFF

    def _write(self, memory: int, address: int) -> None:
        shift = 32 * int(self.dut.window_chunk_o.value)
        kept = self.words.get((memory, address), 0) & ~(0xFFFF_FFFF << shift)
        word = kept | int(self.dut.window_wdata_o.value) << shift
        self.words[memory, address] = word & ((1 << self.widths[memory]) - 1)


async def begin(
    dut: Any, rng: random.Random | None = None, share: float = 0.0, coverage: Coverage | None = None
) -> tuple[Host, Machine]:
    """A host and a machine on an interface out of reset; with `rng`, with gaps on all channels."""
    host, machine = Host(dut), Machine(dut)
    start_clock(dut)
    await reset(dut)
    cocotb.start_soon(machine.run())
    cocotb.start_soon(watch(dut, coverage))
    ends = ("awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rresp", "rdata")
    axi = [getattr(dut, f"s_axil_{name}") for name in ends]
    cocotb.start_soon(watch_unknown(dut, [*outputs(dut), *axi]))
    if rng is not None:
        host.pause(rng, share)
    return host, machine


async def status(host: Host) -> dict[str, int]:
    """The fields of STATUS."""
    word, refused = await host.read(AT["status"])
    assert not refused
    return {field.name: field.of(word) for field in register("status").fields}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_address_is_as_declared(dut: Any) -> None:
    """What is mapped, readable and writable, and what it holds out of reset."""
    host, machine = await begin(dut)
    dut.layer_i.value = 0x1234
    lanes = machine._parameter("OutputLanes") << 16 | machine._parameter("InputLanes")
    initial = {"id": IDENTITY, "lanes": lanes, "layer": 0x1234}
    by_address = {entry.address: entry for entry in REGISTERS}
    for address in [n for n in range(0, 256) if n % 4 == 0 or n % 8 == 1]:
        entry = by_address.get(address)
        if address % 4:  # the master would cut the word in two
            channel = host.master.read_if
            await channel.ar_channel.send(
                channel.ar_channel._transaction_obj(araddr=address, arprot=0)
            )
            answer = await channel.r_channel.recv()
            data, refused = int(answer.rdata), int(answer.rresp) == 2
        else:
            data, refused = await host.read(address)
        assert refused == (entry is None), f"read of 0x{address:02X}"
        assert data == (initial.get(entry.name, 0) if entry else 0), f"0x{address:02X}"
        refused = await host.write_strobed(address, 0, 15)
        assert refused == (entry is None or entry.access is Access.READ), f"0x{address:02X}"
    assert machine.pulses == []


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_partial_write_changes_nothing(dut: Any) -> None:
    host, machine = await begin(dut)
    writable = [entry for entry in REGISTERS if entry.access is not Access.READ]
    for entry, strobe in itertools.product(writable, range(15)):
        assert await host.write_strobed(entry.address, 0xFFFF_FFFF, strobe)
    for name in ("mode", "program", "memory_select", "memory_address"):
        assert await host.read(AT[name]) == (0, False)
    assert machine.pulses == []
    assert machine.words == {}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def fields_hold_what_is_written(dut: Any) -> None:
    rng = seeded("fields")
    host, _ = await begin(dut, rng, 0.3)
    for name in ("mode", "program", "memory_select", "memory_address"):
        kept = sum(field.of(0xFFFF_FFFF) << field.low for field in register(name).fields)
        for value in (0xFFFF_FFFF, 0, *(rng.getrandbits(32) for _ in range(8))):
            assert not await host.write(AT[name], value)
            assert await host.read(AT[name]) == (value & kept, False), name
            if name == "mode":
                assert int(dut.step_o.value) == register("mode").field("step").of(value)
            if name == "program":
                assert int(dut.program_o.value) == value & kept


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def commands_in_every_state(dut: Any) -> None:
    """All 32 writes to CONTROL in all states: refused as a whole or carried out as a whole."""
    rng = seeded("commands")
    host, machine = await begin(dut, rng, 0.3)
    allowed = {
        "start": ("idle",),
        "continue": ("paused",),
        "abort": STATES,
        "discard": ("idle",),
        "clear": STATES,
    }
    for state, word in itertools.product(STATES, range(32)):
        machine.state = "idle"
        await machine.ends("error", 7)
        await machine.ends("done")
        machine.state = state
        machine.pulses.clear()
        names = [name for name, bit in COMMANDS.items() if word & bit]
        commands = [name for name in names if name != "clear"]
        wrong = len(commands) > 1 or any(state not in allowed[name] for name in names)
        assert await host.write(AT["control"], word) == wrong, (state, names)
        assert machine.pulses == ([] if wrong else commands), (state, names)
        found = await status(host)
        cleared = not wrong and ("start" in names or "clear" in names)
        assert found == {
            "busy": int(state in ("running", "paused")),
            "paused": int(state == "paused"),
            "done": int(not cleared),
            "error": int(not cleared),
            "discarding": int(state == "discarding"),
            "error_code": 0 if cleared else 7,
        }, (state, names)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def an_end_in_the_cycle_of_a_clear_is_kept(dut: Any) -> None:
    host, machine = await begin(dut)
    seen = set()
    for delay in range(8):  # the write's own cycle is among them
        await host.write(AT["control"], COMMANDS["clear"])
        writing = cocotb.start_soon(host.write(AT["control"], COMMANDS["clear"]))
        for _ in range(delay):
            await RisingEdge(dut.clk_i)
        await machine.ends("error", 9)
        await writing
        seen.add(((await status(host))["error"], (await status(host))["error_code"]))
    assert seen == {(0, 0), (1, 9)}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def interrupts(dut: Any) -> None:
    host, machine = await begin(dut)
    for mode in range(8):
        await host.write(AT["mode"], mode)
        for bit, event in enumerate(("done", "error", "pause")):
            if event == "pause":
                machine.state = "paused"
            else:
                await machine.ends(event, 3)
            for _ in range(3):
                await RisingEdge(dut.clk_i)
            assert int(dut.irq_o.value) == mode >> bit & 1, (mode, event)
            machine.state = "idle"
            await host.write(AT["control"], COMMANDS["clear"])
            assert not int(dut.irq_o.value)
    frames, _ = await host.read(AT["frames"])
    assert frames == 8
    assert int(dut.step_o.value) == 0


@cocotb.test(timeout_time=3, timeout_unit="ms")
async def cycles_are_counted_by_cause(dut: Any) -> None:
    """Random programs: layers, pauses, causes that are none; all counters against a model."""
    rng = seeded("counters")
    host, machine = await begin(dut)
    coverage = Coverage("causes", [*CAUSES, "none", "pause", "two layers"])
    for _ in range(12):
        assert not await host.write(AT["control"], COMMANDS["start"])
        layer = dict.fromkeys(CAUSES, 0)
        frame = 0
        for number in range(rng.randrange(1, 4)):
            dut.layer_start_i.value = 1
            running = number > 0 and rng.random() < 0.5  # at once behind the layer before
            machine.state = "running" if running else "paused" if number else "idle"
            dut.cause_i.value = 0
            await FallingEdge(dut.clk_i)
            await RisingEdge(dut.clk_i)
            frame += running
            dut.layer_start_i.value = 0
            layer = dict.fromkeys(CAUSES, 0)
            for _ in range(rng.randrange(1, 40)):
                code = rng.randrange(16) if rng.random() < 0.1 else rng.randrange(len(CAUSES))
                machine.state = "running" if rng.random() < 0.9 else "paused"
                dut.cause_i.value = code
                await RisingEdge(dut.clk_i)
                if machine.state == "running":
                    frame += 1
                    cause = CAUSES[code] if code < len(CAUSES) else "none"
                    coverage.hit(cause, *(["two layers"] if number else []))
                    if cause in layer:
                        layer[cause] += 1
                else:
                    coverage.hit("pause")
        machine.state = "idle"
        dut.cause_i.value = rng.randrange(len(CAUSES))
        for cause, cycles in layer.items():
            assert await host.read(AT[f"cycles_{cause}"]) == (cycles, False), cause
        assert await host.read(AT["frame_cycles_low"]) == (frame, False)
        assert await host.read(AT["frame_cycles_high"]) == (0, False)
        await machine.ends("done")
    coverage.require(5)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def long_frames_carry_into_the_high_word(dut: Any) -> None:
    host, machine = await begin(dut)
    await host.write(AT["control"], COMMANDS["start"])
    await FallingEdge(dut.clk_i)
    dut.counters_i.frame_q.value = 0x7_FFFF_FFFE
    machine.state = "running"
    for _ in range(5):
        await RisingEdge(dut.clk_i)
    machine.state = "idle"
    assert await host.read(AT["frame_cycles_low"]) == (3, False)
    assert await host.read(AT["frame_cycles_high"]) == (8, False)


class Window:
    """The memory window as the register page describes it, beside the one that is tested."""

    def __init__(self, host: Host, machine: Machine, rng: random.Random) -> None:
        self.host, self.machine, self.rng = host, machine, rng
        self.memory = self.address = self.chunk = 0
        self.words: dict[tuple[int, int], int] = {}
        memories = list(machine.depths)
        bins = list(itertools.product(memories, ("read", "write", "next word")))
        wide = [memory for memory in memories if machine.chunks(memory) > 1]
        bins += itertools.product(wide, ("select in mid-word", "address in mid-word"))
        self.coverage = Coverage("window", [*bins, *REFUSALS])

    async def select(self, memory: int) -> None:
        """Choose a memory, built or not."""
        if self.chunk:
            self.coverage.hit((self.memory, "select in mid-word"))
        assert not await self.host.write(AT["memory_select"], memory)
        self.memory, self.chunk = memory, 0

    async def go_to(self, address: int) -> None:
        """Choose a word, there or not."""
        if self.chunk:
            self.coverage.hit((self.memory, "address in mid-word"))
        assert not await self.host.write(AT["memory_address"], address)
        self.address, self.chunk = address, 0

    async def access(self) -> None:
        """Read or write a chunk, now and then while the machine runs."""
        rng, machine, place = self.rng, self.machine, (self.memory, self.address)
        built = self.memory in machine.depths
        running = rng.random() < 0.1
        beyond = built and self.address >= machine.depths[self.memory]
        refusals = (running, not built, beyond)
        machine.state = "running" if running else rng.choice(("idle", "paused", "discarding"))
        word, shift = self.words.get(place, 0), 32 * self.chunk
        action = rng.choice(("read", "write", "write"))
        if action == "write":
            value = rng.getrandbits(32)
            refused = await self.host.write(AT["memory_data"], value)
            if not any(refusals):
                word = word & ~(0xFFFF_FFFF << shift) | value << shift
                self.words[place] = word & ((1 << machine.widths[self.memory]) - 1)
        else:
            data, refused = await self.host.read(AT["memory_data"])
            assert data == (0 if any(refusals) else word >> shift & 0xFFFF_FFFF)
        machine.state = "idle"
        assert refused == any(refusals)
        self.coverage.hit(*(name for name, met in zip(REFUSALS, refusals, strict=True) if met))
        if not refused:
            self.coverage.hit((self.memory, action))
            self.chunk += 1
            if self.chunk == machine.chunks(self.memory):
                self.chunk, self.address = 0, (self.address + 1) % 2**24
                self.coverage.hit((self.memory, "next word"))
        assert await self.host.read(AT["memory_address"]) == (self.address, False)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_memory_window(dut: Any) -> None:
    """Random runs of reads and writes in every memory and in some that are not built."""
    rng = seeded("window")
    host, machine = await begin(dut, rng, 0.15)
    window = Window(host, machine, rng)
    episodes = 4 * list(machine.depths) + [3, 7, 8 + len(machine.depths), 255, rng.randrange(256)]
    rng.shuffle(episodes)
    for memory in episodes:
        await window.select(memory)
        depth = machine.depths.get(memory, 1)
        chunks = machine.chunks(memory) if memory in machine.depths else 1
        near = rng.choice((0, max(0, depth - 2), depth - 1, rng.randrange(depth)))
        for address in (near, rng.choice((depth, rng.getrandbits(24))), near):
            await window.go_to(address)
            for _ in range(rng.randrange(1, 2 * chunks + 2) if address < depth else 2):
                await window.access()
            while chunks > 1 and address < depth and not window.chunk:  # leave it in mid-word
                await window.go_to(near)
                await window.access()
    assert machine.words == window.words
    window.coverage.require(1)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def reads_and_writes_at_once(dut: Any) -> None:
    """Both ways busy, with gaps: a read sees a word that was in the register meanwhile."""
    rng = seeded("at once")
    coverage = Coverage("AXI4-Lite", MEETINGS)
    host, _ = await begin(dut, rng, 0.4, coverage)
    history = [0]
    done = 0  # how many of the writes of `history` are known to have arrived

    async def writes() -> None:
        nonlocal done
        for _ in range(300):
            history.append(rng.getrandbits(16))
            assert not await host.write(AT["program"], history[-1])
            done += 1

    async def reads() -> None:
        for _ in range(300):
            first = done
            value, refused = await host.read(AT["program"])
            assert not refused
            assert value in history[first:]

    tasks = [cocotb.start_soon(writes()), cocotb.start_soon(reads())]
    for task in tasks:
        await task
    coverage.require(10)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def a_reset_at_any_time(dut: Any) -> None:
    """Registers are as after the first reset, no command and no access is left over."""
    rng = seeded("resets")
    host, machine = await begin(dut, rng, 0.3)
    for _ in range(25):
        machine.state = rng.choice(STATES)
        dut.cause_i.value = rng.randrange(len(CAUSES))
        for _ in range(4):
            name = rng.choice(("mode", "program", "memory_select", "memory_address", "memory_data"))
            host.master.init_write(AT[name], rng.randbytes(4))
            host.master.init_read(AT[rng.choice(list(AT))], 4)
        for _ in range(rng.randrange(1, 30)):
            await RisingEdge(dut.clk_i)
        await Timer(rng.randrange(1, PERIOD_NS), "ns")
        dut.rst_ni.value = 0
        machine.state = "idle"
        await ReadOnly()
        await Timer(1, "ns")
        quiet = ("s_axil_bvalid", "s_axil_rvalid", "window_en_o", "irq_o", "step_o")
        for name in (*quiet, *(f"{pulse}_o" for pulse in PULSES)):
            assert not int(getattr(dut, name).value), name
        await reset(dut, rng.randrange(1, 4))
        machine.pulses.clear()
        for entry in REGISTERS:
            if entry.name not in ("id", "lanes", "memory_data"):
                assert await host.read(entry.address) == (0, False), entry.name
        assert machine.pulses == []
