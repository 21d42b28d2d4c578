"""The Verilog header `rtl_models/codesign.vh`: the numbers that Verilog and Python share.

`python -m codesign.rtl.header [FILE]` writes it again from the descriptor's fields, their codes and
the registers; a test compares the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

from codesign.files import write_atomic
from codesign.hw.descriptor import DESCRIPTOR_BITS, FIELDS
from codesign.rtl.codes import Activation, Form, Operation, Reduce
from codesign.rtl.registers import (
    CAUSES,
    ERRORS,
    FIRST_BANK,
    IDENTITY,
    MEMORIES,
    REGISTERS,
)

#: Where the header lies in a checkout.
PATH = Path(__file__).parents[2] / "rtl_models" / "codesign.vh"

_WIDTHS = {field.name: field.bits for field in FIELDS}
#: Prefix of the macros, codes, and the field whose width they have.
_ENCODINGS: tuple[tuple[str, type[IntEnum], str], ...] = (
    ("OP", Operation, "operation"),
    ("FORM", Form, "input_form"),
    ("ACT", Activation, "activation"),
    ("REDUCE", Reduce, "reduce"),
)


def render() -> str:
    """The text of the header."""
    lines = [
        "// codesign.vh: descriptor fields, codes, registers, errors and causes of a cycle.",
        "//",
        "// Generated, do not edit: python -m codesign.rtl.header",
        "`ifndef CODESIGN_VH",
        "`define CODESIGN_VH",
    ]
    for title, macros in _sections():
        lines += ["", f"// {title}"]
        lines += [f"`define {name:<24} {value}" for name, value in macros]
    return "\n".join([*lines, "", "`endif", ""])


def _sections() -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
    yield "Descriptor: width of a word, bits of each field.", _descriptor()
    for prefix, codes, field in _ENCODINGS:
        yield (
            f"Codes of `{field}`." if prefix != "FORM" else "Codes of `input_form`, `output_form`.",
            ((f"{prefix}_{code.name}", f"{_WIDTHS[field]}'d{code.value}") for code in codes),
        )
    yield (
        "Causes of a cycle.",
        ((f"CAUSE_{cause.upper()}", f"4'd{code}") for code, cause in enumerate(CAUSES)),
    )
    yield "Errors.", ((f"E_{error.name.upper()}", f"4'd{error.code}") for error in ERRORS)
    yield (
        "Registers: byte addresses.",
        ((f"R_{register.name.upper()}", f"8'h{register.address:02X}") for register in REGISTERS),
    )
    yield (
        "Registers: bits of their fields.",
        (
            (f"F_{register.name}_{field.name}".upper(), _range(field.high, field.low))
            for register in REGISTERS
            for field in register.fields
        ),
    )
    yield (
        "Memories as MEMORY_SELECT numbers them; bank b is MEMORY_BANK + b.",
        (
            *((f"MEMORY_{name.upper()}", f"4'd{number}") for name, number in MEMORIES.items()),
            ("MEMORY_BANK", f"4'd{FIRST_BANK}"),
        ),
    )
    yield "What ID reads.", (("IDENTITY", f"32'h{IDENTITY:08X}"),)


def _descriptor() -> Iterator[tuple[str, str]]:
    yield "DESCRIPTOR_BITS", str(DESCRIPTOR_BITS)
    low = 0
    for field in FIELDS:
        yield f"D_{field.name.upper()}", _range(low + field.bits - 1, low)
        low += field.bits


def _range(high: int, low: int) -> str:
    return f"{high}:{low}" if high > low else f"{low}"


def main(arguments: list[str]) -> None:
    """Write the header to the file that is given, or to the checkout's."""
    print(write_atomic(Path(arguments[0]) if arguments else PATH, render()))


if __name__ == "__main__":
    main(sys.argv[1:])
