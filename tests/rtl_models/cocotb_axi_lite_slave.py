"""axi_lite_slave: every request arrives once, and its answer comes back."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from tests.rtl_models.axi_lite import MEETINGS, Host, watch
from tests.rtl_models.bench import PERIOD_NS, outputs, reset, seeded, start_clock, watch_unknown
from tests.rtl_models.coverage import Coverage


class Responder:
    """The other side of the request bus: random answers, in the cycle behind a request."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        self.writes: list[tuple[int, int, int]] = []
        self.reads: list[int] = []
        self.errors: list[bool] = []  # answers to writes
        self.answers: list[tuple[int, bool]] = []  # answers to reads

    async def run(self) -> None:
        dut, before = self.dut, 0
        while True:
            await RisingEdge(dut.clk_i)
            data, error = self.rng.getrandbits(32), bool(self.rng.getrandbits(1))
            if dut.rst_ni.value.is_resolvable and int(dut.rst_ni.value):
                request = int(dut.request_o.value)
                assert not (request and before), "requests in neighbouring cycles"
                before = request
                if request and int(dut.request_write_o.value):
                    ports = (dut.request_address_o, dut.request_data_o, dut.request_strobe_o)
                    address, word, strobe = (int(port.value) for port in ports)
                    self.writes.append((address, word, strobe))
                    self.errors.append(error)
                elif request:
                    self.reads.append(int(dut.request_address_o.value))
                    self.answers.append((data, error))
            dut.response_data_i.value, dut.response_error_i.value = data, error


async def begin(dut: Any, rng: random.Random, coverage: Coverage | None = None) -> Any:
    """A host and a responder on a module out of reset."""
    host, responder = Host(dut), Responder(dut, rng)
    start_clock(dut)
    dut.response_data_i.value, dut.response_error_i.value = 0, 0
    await reset(dut)
    cocotb.start_soon(responder.run())
    cocotb.start_soon(watch(dut, coverage))
    channels = ("awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rresp", "rdata")
    axi = [getattr(dut, f"s_axil_{name}") for name in channels]
    cocotb.start_soon(watch_unknown(dut, [*outputs(dut), *axi]))
    return host, responder


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_request_is_answered(dut: Any) -> None:
    rng = seeded("axi")
    coverage = Coverage("AXI4-Lite", MEETINGS)
    host, responder = await begin(dut, rng, coverage)
    written: list[tuple[int, int, int]] = []
    errors: list[bool] = []
    read: list[int] = []
    answers: list[tuple[int, bool]] = []

    async def writes() -> None:
        for _ in range(400):
            address, word = 4 * rng.randrange(64), rng.getrandbits(32)
            written.append((address, word, 15))
            errors.append(await host.write(address, word))

    async def reads() -> None:
        for _ in range(400):
            read.append(4 * rng.randrange(64))
            answers.append(await host.read(read[-1]))

    for share in (0.0, 0.3, 0.7):
        host.pause(rng, share)
        tasks = [cocotb.start_soon(writes()), cocotb.start_soon(reads())]
        for task in tasks:
            await task
    assert responder.writes == written
    assert responder.reads == read
    assert responder.errors == errors
    assert responder.answers == answers
    coverage.require(20)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def strobes_and_addresses_arrive(dut: Any) -> None:
    rng = seeded("strobes")
    host, responder = await begin(dut, rng)
    sent = [(rng.getrandbits(8), rng.getrandbits(32), strobe) for strobe in range(16)]
    for address, word, strobe in sent:
        await host.write_strobed(address, word, strobe)
    assert responder.writes == sent


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput_are_as_documented(dut: Any) -> None:
    """An answer 3 cycles behind the request's handshake, one transfer each way in 4."""
    host, _ = await begin(dut, seeded("timing"))
    times: dict[str, list[int]] = {"aw": [], "b": [], "ar": [], "r": []}

    async def note() -> None:
        while True:
            await RisingEdge(dut.clk_i)
            cycle = int(get_sim_time("ns")) // PERIOD_NS
            for name, seen in times.items():
                valid, ready = (getattr(dut, f"s_axil_{name}{end}") for end in ("valid", "ready"))
                if int(valid.value) and int(ready.value):
                    seen.append(cycle)

    cocotb.start_soon(note())
    for way in (host.master.init_write, host.master.init_read):
        events = [way(4 * n, 4 if way == host.master.init_read else b"abcd") for n in range(8)]
        for event in events:
            await event.wait()
    for asked, answered in (("aw", "b"), ("ar", "r")):
        delays = {b - a for a, b in zip(times[asked], times[answered], strict=True)}
        steps = {b - a for a, b in zip(times[asked], times[asked][1:], strict=False)}
        assert (delays, steps) == ({3}, {4})


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def a_reset_ends_every_transfer(dut: Any) -> None:
    rng = seeded("resets")
    host, responder = await begin(dut, rng)
    host.pause(rng, 0.4)
    for _ in range(30):
        for _ in range(3):
            host.master.init_write(4 * rng.randrange(64), rng.randbytes(4))
            host.master.init_read(4 * rng.randrange(64), 4)
        for _ in range(rng.randrange(1, 25)):
            await RisingEdge(dut.clk_i)
        await cocotb.triggers.Timer(rng.randrange(1, PERIOD_NS), "ns")
        dut.rst_ni.value = 0
        await cocotb.triggers.Timer(1, "ns")
        assert not int(dut.s_axil_bvalid.value)
        assert not int(dut.s_axil_rvalid.value)
        assert not int(dut.request_o.value)
        await reset(dut, rng.randrange(1, 4))
        await RisingEdge(dut.clk_i)
        responder.writes.clear()
        responder.reads.clear()
        word = rng.getrandbits(32)
        await host.write(8, word)
        data, error = await host.read(12)
        assert responder.writes == [(8, word, 15)]
        assert responder.reads == [12]
        assert responder.answers[-1] == (data, error)
