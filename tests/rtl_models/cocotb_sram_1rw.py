"""sram_1rw against an array: reads, masks, the output that holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge, Timer

from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage

BINS = (
    "read",
    "read what was just written",
    "write leaves the output",
    "idle leaves the output",
    "whole write",
    "partial write",
    "write without a mask bit",
    "last part alone",
    "first address",
    "last address",
)


class Memory:
    """Drives one access a cycle and follows it in an array."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.width, self.depth = int(dut.Width.value), int(dut.Depth.value)
        self.mask_bits = int(dut.MaskBits.value)
        self.parts = -(-self.width // self.mask_bits)
        self.words: dict[int, int] = {}
        self.output: int | None = None  # unknown before the first read

    def expand(self, mask: int) -> int:
        """The bits that a mask lets through."""
        ones = (1 << self.mask_bits) - 1
        parts = (part for part in range(self.parts) if mask >> part & 1)
        bits = sum(ones << (part * self.mask_bits) for part in parts)
        return bits & ((1 << self.width) - 1)

    async def access(self, *, en: int, we: int, address: int, wdata: int, mask: int) -> None:
        """One cycle; checks the output behind it."""
        dut = self.dut
        dut.en_i.value, dut.we_i.value, dut.address_i.value = en, we, address
        dut.wdata_i.value, dut.wmask_i.value = wdata, mask
        await RisingEdge(dut.clk_i)
        if en and we:
            bits = self.expand(mask)
            self.words[address] = (self.words.get(address, 0) & ~bits) | (wdata & bits)
        elif en:
            self.output = self.words[address]
        await ReadOnly()
        if self.output is not None:
            assert int(dut.rdata_o.value) == self.output
        await Timer(1, "ns")

    async def fill(self, random_bits: Any) -> None:
        """Write every word whole: from then on all contents are known."""
        ones = (1 << self.parts) - 1
        for address in range(self.depth):
            wdata = random_bits(self.width)
            await self.access(en=1, we=1, address=address, wdata=wdata, mask=ones)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_accesses(dut: Any) -> None:
    rng = seeded("accesses")
    memory = Memory(dut)
    ones = (1 << memory.parts) - 1
    unreachable = {"partial write", "last part alone"} if memory.parts == 1 else set()
    coverage = Coverage("sram_1rw", [bin_ for bin_ in BINS if bin_ not in unreachable])
    start_clock(dut)
    await memory.fill(rng.getrandbits)
    last: tuple[int, int, int] = (0, 0, 0)
    for _ in range(1500):
        en, we = rng.choice(((0, 0), (0, 1), (1, 0), (1, 0), (1, 1), (1, 1)))
        address = rng.choice((0, memory.depth - 1, last[2], rng.randrange(memory.depth)))
        mask = rng.choice((ones, rng.getrandbits(memory.parts), 1 << (memory.parts - 1), 0))
        await memory.access(
            en=en, we=we, address=address, wdata=rng.getrandbits(memory.width), mask=mask
        )
        if en:
            coverage.hit(*(["first address"] if address == 0 else []))
            coverage.hit(*(["last address"] if address == memory.depth - 1 else []))
        if en and we:
            whole = "whole write" if mask == ones else "partial write"
            coverage.hit(whole if mask else "write without a mask bit")
            if mask == 1 << (memory.parts - 1) != ones:
                coverage.hit("last part alone")
            if memory.output is not None:
                coverage.hit("write leaves the output")
        elif en:
            coverage.hit("read")
            if last == (1, 1, address):
                coverage.hit("read what was just written")
        elif memory.output is not None:
            coverage.hit("idle leaves the output")
        last = (en, we, address)
    coverage.require(10)


@cocotb.test(timeout_time=1, timeout_unit="ms", skip="INIT_FILE" not in os.environ)
async def contents_of_the_file(dut: Any) -> None:
    memory = Memory(dut)
    text = Path(os.environ["INIT_FILE"]).read_text(encoding="utf-8")
    memory.words = {address: int(line, 16) for address, line in enumerate(text.split())}
    start_clock(dut)
    for address in range(memory.depth):
        await memory.access(en=1, we=0, address=address, wdata=0, mask=0)
