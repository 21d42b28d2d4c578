"""word_memory: a layer's reads and the window's accesses, against an array."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.ports import Ports

BINS = (
    *("read", "read beyond", "far beyond", "last word", "idle"),
    *("window write", "window read", "last chunk"),
)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reads_and_the_window(dut: Any) -> None:
    rng, ports = seeded("words"), Ports(dut)
    width, depth = int(dut.Width.value), int(dut.Depth.value)
    chunks = -(-width // 32)
    coverage = Coverage("word_memory", BINS)
    ports.rest()
    start_clock(dut)
    await RisingEdge(dut.clk_i)
    words = [0] * depth
    fill = [(address, chunk) for address in range(depth) for chunk in range(chunks)]
    output = 0  # what the memory shows
    for number in range(len(fill) + 1500):
        kind = "window write" if number < len(fill) else rng.choice(("idle", *BINS[:3], *BINS[5:7]))
        place = (rng.choice((depth - 1, rng.randrange(depth))), rng.randrange(chunks))
        address, chunk = fill[number] if number < len(fill) else place
        data = rng.getrandbits(32)
        beyond = depth if kind == "read beyond" else depth + rng.choice((1 << 20, 2**23))
        ports.drive(
            read=int("window" not in kind and kind != "idle"),
            address=address if kind in ("read", "idle") else min(beyond, 2**24 - 1),
            window_en=int("window" in kind), window_we=int(kind == "window write"),
            window_address=address, window_chunk=chunk, window_wdata=data,
        )  # fmt: skip
        await FallingEdge(dut.clk_i)
        assert ports["beyond"] == int("beyond" in kind)
        await RisingEdge(dut.clk_i)
        if kind == "window write":
            kept = words[address] & ~(0xFFFF_FFFF << 32 * chunk)
            words[address] = (kept | data << 32 * chunk) & ((1 << width) - 1)
        elif kind in ("read", "window read"):
            output = words[address]
        if number < len(fill):
            continue
        coverage.hit(kind, *(["last word"] if kind == "read" and address == depth - 1 else []))
        coverage.hit(*(["last chunk"] if "window" in kind and chunk == chunks - 1 else []))
        ports.drive(read=0, window_en=0)
        await FallingEdge(dut.clk_i)
        if output or kind in ("read", "window read"):
            assert ports["word"] == output
            assert ports["window_rdata"] == output >> 32 * chunk & 0xFFFF_FFFF
    coverage.require(10)
