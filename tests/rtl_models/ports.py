"""A module's ports by name, written only where a value changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cocotb.handle import ValueObjectBase


class Ports:
    """Inputs `NAME_i` and outputs `NAME_o` of a module under test."""

    def __init__(self, dut: Any) -> None:
        signals = [handle for handle in dut if isinstance(handle, ValueObjectBase)]
        self._inputs = {h._name[:-2]: h for h in signals if h._name.endswith("_i")}
        self._outputs = {h._name[:-2]: h for h in signals if h._name.endswith("_o")}
        self._driven: dict[str, int] = {}

    def drive(self, values: Mapping[str, int] | None = None, **more: int) -> None:
        """Give inputs their values from now on."""
        for name, value in (*(values or {}).items(), *more.items()):
            if self._driven.get(name) != value:
                self._driven[name] = value
                self._inputs[name].value = value

    def rest(self) -> None:
        """Zero on all inputs but clock and reset."""
        self.drive({name: 0 for name in self._inputs if name not in ("clk", "rst_n")})

    def __getitem__(self, name: str) -> int:
        """What an output shows."""
        return int(self._outputs[name].value)

    def signed(self, name: str) -> int:
        """An output as a two's complement number."""
        return int(self._outputs[name].value.to_signed())
