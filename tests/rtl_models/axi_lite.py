"""AXI4-Lite for cocotb tests: cocotbext-axi's master, random pauses, and a watch on the answers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from tests.rtl_models.coverage import Coverage

CHANNELS = ("aw", "w", "b", "ar", "r")
#: How the channels of a bus meet: every test with random pauses has to see all of them.
MEETINGS = (
    "address before data",
    "data before address",
    "address with data",
    "write answer waits",
    "read answer waits",
    "write and read at once",
    "answers wait together",
)


class Host:
    """Reads and writes 32 b words through an AXI4-Lite master that others wrote."""

    def __init__(self, dut: Any, prefix: str = "s_axil") -> None:
        bus = AxiLiteBus.from_prefix(dut, prefix)
        self.master = AxiLiteMaster(bus, dut.clk_i, dut.rst_ni, reset_active_level=False)
        for part in (self.master.write_if, self.master.read_if):
            part.log.setLevel("ERROR")  # what a reset flushes is no news

    def pause(self, rng: random.Random, share: float) -> None:
        """From now on each channel rests in about this share of the cycles, on its own."""
        for name in CHANNELS:
            self._channel(name).set_pause_generator(_pauses(rng, share))

    async def read(self, address: int) -> tuple[int, bool]:
        """A word and whether it was refused."""
        answer = await self.master.read(address, 4)
        return int.from_bytes(answer.data, "little"), _refused(answer)

    async def write(self, address: int, value: int) -> bool:
        """Whether a word was refused."""
        return _refused(await self.master.write(address, value.to_bytes(4, "little")))

    async def write_strobed(self, address: int, value: int, strobe: int) -> bool:
        """Whether a word with any strobe was refused; the bus must be idle."""
        aw, w, b = (self._channel(name) for name in ("aw", "w", "b"))
        await aw.send(aw._transaction_obj(awaddr=address, awprot=0))
        await w.send(w._transaction_obj(wdata=value, wstrb=strobe))
        return AxiResp(int((await b.recv()).bresp)) is not AxiResp.OKAY

    def _channel(self, name: str) -> Any:
        part = self.master.write_if if name in ("aw", "w", "b") else self.master.read_if
        return getattr(part, f"{name}_channel")


async def watch(dut: Any, coverage: Coverage | None = None, prefix: str = "s_axil") -> None:
    """Fail where a valid answer is taken back or changed before it is ready, or answers nothing.

    Start it with `cocotb.start_soon`. `coverage` (of MEETINGS) counts how the channels met.
    """

    def value(name: str) -> int:
        return int(getattr(dut, f"{prefix}_{name}").value)

    held: dict[str, int] = {}
    owed = dict.fromkeys(CHANNELS, 0)
    while True:
        await RisingEdge(dut.clk_i)
        if not dut.rst_ni.value.is_resolvable or not int(dut.rst_ni.value):
            held.clear()
            owed = dict.fromkeys(owed, 0)
            continue
        # Sampled at the edge: what both sides of the bus see there.
        valid = {name: value(f"{name}valid") for name in CHANNELS}
        moves = {name: valid[name] and value(f"{name}ready") for name in CHANNELS}
        for name, payload in (("b", value("bresp")), ("r", value("rdata") << 2 | value("rresp"))):
            if name in held:
                assert valid[name], f"{name}valid fell before {name}ready"
                assert payload == held[name], f"the payload of {name} changed while it waited"
            held.pop(name, None)
            if valid[name] and not moves[name]:
                held[name] = payload
        if coverage is not None:
            if moves["aw"] and moves["w"]:
                coverage.hit("address with data")
            elif moves["aw"] and owed["w"] == owed["aw"]:
                coverage.hit("address before data")
            elif moves["w"] and owed["w"] == owed["aw"]:
                coverage.hit("data before address")
            if "b" in held:
                coverage.hit("write answer waits")
            if "r" in held:
                coverage.hit("read answer waits")
            if "b" in held and "r" in held:
                coverage.hit("answers wait together")
            if (moves["aw"] or moves["w"]) and moves["ar"]:
                coverage.hit("write and read at once")
        for name in CHANNELS:
            owed[name] += moves[name]
        for name, answer in (("aw", "b"), ("w", "b"), ("ar", "r")):
            assert owed[answer] <= owed[name] <= owed[answer] + 1, (
                f"{answer} does not answer {name}"
            )


def _pauses(rng: random.Random, share: float) -> Iterator[bool]:
    """Runs of pausing and going, most of them short, some long."""
    while True:
        pause = rng.random() < share
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            yield pause


def _refused(answer: Any) -> bool:
    return answer.resp is not AxiResp.OKAY
