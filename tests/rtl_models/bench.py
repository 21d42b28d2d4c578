"""What every cocotb test of a clocked module starts with."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge, Timer

#: Clock period of every test.
PERIOD_NS = 10


def seeded(salt: str) -> random.Random:
    """Random numbers that the run's seed and the name of the use decide."""
    return random.Random(f"{os.environ.get('COCOTB_RANDOM_SEED', '1')} {salt}")


def start_clock(dut: Any) -> None:
    """A clock on clk_i that starts high-going after half a period."""
    Clock(dut.clk_i, PERIOD_NS, unit="ns").start(start_high=False)


async def reset(dut: Any, cycles: int = 3) -> None:
    """Assert rst_ni at once, between edges, and release it behind a falling edge."""
    dut.rst_ni.value = 0
    await Timer(1, "ns")
    for _ in range(cycles):
        await RisingEdge(dut.clk_i)
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1


def outputs(dut: Any) -> list[Any]:
    """The module's `_o` ports."""
    return [handle for handle in dut if handle._name.endswith("_o")]


async def watch_unknown(dut: Any, handles: Iterable[Any]) -> None:
    """Fail at the first clock edge out of reset at which one of the outputs holds an X or Z.

    Start it with `cocotb.start_soon`. It sees something in a four-state simulator only.
    """
    watched = list(handles)
    while True:
        await RisingEdge(dut.clk_i)
        await ReadOnly()
        if not dut.rst_ni.value.is_resolvable or not int(dut.rst_ni.value):
            continue
        for handle in watched:
            assert handle.value.is_resolvable, f"{handle._name} is {handle.value} out of reset"


def four_state() -> bool:
    """Whether the simulator knows X."""
    return not cocotb.SIM_NAME.lower().startswith("verilator")
