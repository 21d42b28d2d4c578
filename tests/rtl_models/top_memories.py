"""The words in the machine's memories, seen from outside."""

from __future__ import annotations

import random
from typing import Any

from codesign.hw import Hardware
from tests.rtl_models.top_machines import built


class Memories:
    """The words of all memories, seen from outside: what a program must not touch."""

    def __init__(self, dut: Any, hardware: Hardware) -> None:
        inside = {
            "program": dut.program_memory_i.sram_i,
            "weights": dut.weight_memory_i.sram_i,
            "parameters": dut.parameter_memory_i.sram_i,
        }
        for bank in range(built(hardware)["AllBanks"]):
            inside[f"bank {bank}"] = dut.bank_switch_i.g_bank[bank].sram_i
        self._words = {
            name: [memory.memory[word] for word in range(int(memory.Depth.value))]
            for name, memory in inside.items()
        }

    def fill(self, rng: random.Random) -> None:
        """Random words everywhere but in the program: what was never written is unknown."""
        for name, words in self._words.items():
            for word in words if name != "program" else []:
                word.value = rng.getrandbits(len(word))

    def words(self, name: str) -> list[str]:
        """The words of a memory, as bits."""
        return [str(word.value) for word in self._words[name]]

    def all(self) -> dict[str, list[str]]:
        """The words of all memories."""
        return {name: self.words(name) for name in self._words}
