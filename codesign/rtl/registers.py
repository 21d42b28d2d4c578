"""The accelerator's registers, error codes and causes of a cycle, declared once.

The Verilog header (codesign/rtl/header.py), docs/hardware/registers.md and the drivers look them
up here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from codesign.hw.plan import Cycles


class Access(StrEnum):
    """Who may do what with a register; the other access answers SLVERR or reads zero."""

    READ = "RO"
    WRITE = "WO"
    BOTH = "RW"


@dataclass(frozen=True, slots=True)
class Bits:
    """Neighbouring bits of a register: name, lowest bit, how many, meaning."""

    name: str
    low: int
    width: int
    doc: str

    @property
    def high(self) -> int:
        """The highest bit."""
        return self.low + self.width - 1

    def of(self, word: int) -> int:
        """The field's value in a register's word."""
        return (word >> self.low) & ((1 << self.width) - 1)


@dataclass(frozen=True, slots=True)
class Register:
    """One register of 32 b: name, byte address, access, meaning, and its fields where it has any.

    Bits outside the fields read zero; what is written there is ignored.
    """

    name: str
    address: int
    access: Access
    doc: str
    fields: tuple[Bits, ...] = ()

    def field(self, name: str) -> Bits:
        """The field of this name."""
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True, slots=True)
class Error:
    """Why the machine stopped: code in STATUS, name, meaning."""

    code: int
    name: str
    doc: str


#: What ID reads: "COD1".
IDENTITY = 0x434F4431

#: MEMORY_SELECT: the memories by number; activation banks follow from `FIRST_BANK` on, then skip.
MEMORIES: dict[str, int] = {"program": 0, "weights": 1, "parameters": 2}
FIRST_BANK = 8

#: Causes of a cycle, by code: those of the model, and `wait`, of which the model predicts none.
CAUSES: tuple[str, ...] = (*(cause for cause, _ in Cycles()), "wait")

_CAUSE_ADDRESS = 0x40


def _bit(place: int, name: str, doc: str) -> Bits:
    return Bits(name, place, 1, doc)


REGISTERS: tuple[Register, ...] = (
    Register("id", 0x00, Access.READ, f"0x{IDENTITY:08X}: this machine, version 1 of this map"),
    Register(
        "control",
        0x04,
        Access.WRITE,
        "commands; each is carried out once, zeros do nothing",
        (
            _bit(0, "start", "run the program from PROGRAM on; clears done and error"),
            _bit(1, "continue", "go on behind a pause"),
            _bit(2, "abort", "stop at the next cycle with error ABORT"),
            _bit(3, "clear", "clear done, error, the error code and the interrupt"),
            _bit(4, "discard", "drop the input stream up to and with the next TLAST"),
        ),
    ),
    Register(
        "status",
        0x08,
        Access.READ,
        "what the machine does",
        (
            _bit(0, "busy", "a program runs or is paused"),
            _bit(1, "paused", "it waits for continue"),
            _bit(2, "done", "the last program ended well"),
            _bit(3, "error", "the last program was stopped, see the code"),
            _bit(4, "discarding", "the input stream is dropped"),
            Bits("error_code", 8, 8, "why it was stopped; 0 where it was not"),
        ),
    ),
    Register(
        "mode",
        0x0C,
        Access.BOTH,
        "when to interrupt and when to pause",
        (
            _bit(0, "irq_done", "interrupt while done"),
            _bit(1, "irq_error", "interrupt while error"),
            _bit(2, "irq_pause", "interrupt while paused"),
            _bit(3, "step", "pause behind each layer but the last"),
        ),
    ),
    Register(
        "program",
        0x10,
        Access.BOTH,
        "where start begins",
        (Bits("address", 0, 16, "word address of the first descriptor"),),
    ),
    Register(
        "layer",
        0x14,
        Access.READ,
        "the descriptor that runs, ran last or failed",
        (Bits("address", 0, 16, "its word address"),),
    ),
    Register("frames", 0x18, Access.READ, "programs that ended well since reset"),
    Register(
        "lanes",
        0x1C,
        Access.READ,
        "size of the multiplier array",
        (
            Bits("input", 0, 16, "input lanes"),
            Bits("output", 16, 16, "output lanes"),
        ),
    ),
    *(
        Register(
            f"cycles_{cause}",
            _CAUSE_ADDRESS + 4 * code,
            Access.READ,
            f"cycles of the layer that runs or ran last, cause {cause}",
        )
        for code, cause in enumerate(CAUSES)
    ),
    Register(
        "frame_cycles_low",
        0x64,
        Access.READ,
        "cycles since start, bits 31..0; pauses are not counted",
    ),
    Register("frame_cycles_high", 0x68, Access.READ, "the same, bits 63..32"),
    Register(
        "memory_select",
        0x80,
        Access.BOTH,
        "the memory that MEMORY_DATA moves; writing it goes to chunk 0",
        (
            Bits(
                "memory",
                0,
                8,
                "0 program, 1 weights, 2 parameters, 8 + b activation bank b; skip behind the last",
            ),
        ),
    ),
    Register(
        "memory_address",
        0x84,
        Access.BOTH,
        "the word that MEMORY_DATA moves; writing it goes to chunk 0",
        (Bits("address", 0, 24, "word address; one more behind a word's last chunk"),),
    ),
    Register(
        "memory_data",
        0x88,
        Access.BOTH,
        "the word's next 32 b, lowest first; bits beyond the word read zero",
    ),
)

ERRORS: tuple[Error, ...] = (
    Error(0, "none", "no error"),
    Error(1, "operation", "the descriptor's operation is unknown"),
    Error(2, "bank", "a bank is not built, or is read and written at once"),
    Error(3, "size", "a size is zero or does not agree with the others"),
    Error(4, "weights", "the width or step of the weight codes is not built"),
    Error(5, "form", "a form of codes, or the lanes of a code, cannot be read or written"),
    Error(6, "block", "a block is larger than the accumulators or smaller than a pooling window"),
    Error(7, "unit", "a unit is unknown or not built"),
    Error(8, "address", "an access beyond the end of a memory"),
    Error(9, "stream_short", "TLAST came before the frame's last word"),
    Error(10, "stream_long", "the frame's last word came without TLAST"),
    Error(11, "program_end", "the program ran beyond the end of its memory"),
    Error(12, "abort", "the host wrote abort"),
)

_BY_NAME = {register.name: register for register in REGISTERS}


def register(name: str) -> Register:
    """The register of this name."""
    return _BY_NAME[name]


def register_table() -> str:
    """The registers as a Markdown table (docs/hardware/registers.md)."""
    return _table(
        ("address", "register", "access", "meaning"),
        (
            (f"0x{entry.address:02X}", f"`{entry.name.upper()}`", entry.access, entry.doc)
            for entry in REGISTERS
        ),
    )


def field_table() -> str:
    """The registers' fields as a Markdown table; a register without fields is one number."""
    return _table(
        ("register", "bits", "field", "meaning"),
        (
            (
                f"`{entry.name.upper()}`",
                f"{field.high}:{field.low}" if field.width > 1 else str(field.low),
                f"`{field.name}`",
                field.doc,
            )
            for entry in REGISTERS
            for field in entry.fields
        ),
    )


def error_table() -> str:
    """The errors as a Markdown table."""
    return _table(
        ("code", "error", "meaning"),
        ((str(error.code), f"`{error.name.upper()}`", error.doc) for error in ERRORS),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
