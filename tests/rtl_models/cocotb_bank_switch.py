"""bank_switch: a read and a write in two banks at once, and the window, against arrays."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models.bench import seeded, start_clock
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.ports import Ports


def depths_of(dut: Any) -> list[int]:
    """Words of each bank, skip behind the others."""
    banks, depth, skip = (
        int(getattr(dut, name).value) for name in ("Banks", "BankDepth", "SkipDepth")
    )
    return [depth] * banks + ([skip] if skip else [])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reads_writes_and_the_window(dut: Any) -> None:
    rng, ports = seeded("banks"), Ports(dut)
    depths, lanes = depths_of(dut), int(dut.InputLanes.value)
    chunks = -(-2 * lanes // 32)
    uses = ("read", "write", "window read", "window write", "read beyond", "write beyond")
    coverage = Coverage(
        "bank_switch",
        [*product(uses, range(len(depths))), "no such bank", "both", "part of a word"],
    )
    ports.rest()
    start_clock(dut)
    await RisingEdge(dut.clk_i)
    banks: list[list[int | None]] = [[None] * depth for depth in depths]
    shown: list[int | None] = [None] * len(depths)  # the banks' outputs

    def mix(bank: int, address: int, data: int, mask: int) -> None:
        old = banks[bank][address]
        bits = sum(3 << 2 * lane for lane in range(lanes) if mask >> lane & 1)
        if old is None and mask != (1 << lanes) - 1:
            return  # lanes that nobody wrote
        banks[bank][address] = (old or 0) & ~bits | data & bits

    def place(used: int) -> tuple[int, int]:
        bank = rng.choice([n for n in range(16) if n != used][: len(depths) + 1])
        if bank >= len(depths):
            return bank, rng.getrandbits(24)
        depth = depths[bank]
        return bank, rng.choice((depth - 1, depth, *(rng.randrange(depth) for _ in range(8))))

    for _ in coverage.rounds(3000, 5):
        window = rng.random() < 0.3
        reads, writes = not window and rng.random() < 0.7, not window and rng.random() < 0.7
        (read_bank, read_address) = place(-1)
        (write_bank, write_address) = place(read_bank)
        data, mask = (
            rng.getrandbits(2 * lanes),
            rng.choice(((1 << lanes) - 1, rng.getrandbits(lanes))),
        )
        bank = rng.randrange(len(depths))
        address, chunk, word = (
            rng.randrange(depths[bank]),
            rng.randrange(chunks),
            rng.getrandbits(32),
        )
        we = rng.getrandbits(1)
        ports.drive(
            read=int(reads), read_bank=read_bank, read_address=read_address,
            write=int(writes), write_bank=write_bank, write_address=write_address,
            data=data, mask=mask, window_en=int(window), window_we=we, window_bank=bank,
            window_address=address, window_chunk=chunk, window_wdata=word,
        )  # fmt: skip
        await FallingEdge(dut.clk_i)
        built = [used for used, n in ((reads, read_bank), (writes, write_bank)) if n < len(depths)]
        bad_read = reads and (read_bank >= len(depths) or read_address >= depths[read_bank])
        bad_write = writes and (write_bank >= len(depths) or write_address >= depths[write_bank])
        assert ports["beyond"] == int(bad_read or bad_write)
        await RisingEdge(dut.clk_i)
        coverage.hit(*(["both"] if reads and writes and not bad_read and not bad_write else []))
        coverage.hit(*(["no such bank"] if len(built) < 2 and (bad_read or bad_write) else []))
        if reads and read_bank < len(depths):
            coverage.hit(("read beyond" if bad_read else "read", read_bank))
        if writes and write_bank < len(depths):
            coverage.hit(("write beyond" if bad_write else "write", write_bank))
            coverage.hit(*(["part of a word"] if mask not in (0, (1 << lanes) - 1) else []))
        if reads and not bad_read:
            shown[read_bank] = banks[read_bank][read_address]
        if writes and not bad_write:
            mix(write_bank, write_address, data, mask)
        if window and we:
            ones = (1 << min(16, lanes - 16 * chunk)) - 1
            mix(bank, address, word << 32 * chunk, ones << 16 * chunk)
            coverage.hit(("window write", bank))
        elif window:
            shown[bank] = banks[bank][address]
            coverage.hit(("window read", bank))
        # the outputs stay where no bank is used
        ports.drive(read=0, write=0, window_en=0)
        await FallingEdge(dut.clk_i)
        if read_bank < len(depths) and shown[read_bank] is not None:
            assert ports["word"] == shown[read_bank]
        if (held := shown[bank]) is not None:
            assert ports["window_rdata"] == held >> 32 * chunk & 0xFFFF_FFFF
        await RisingEdge(dut.clk_i)
    coverage.require(5)
