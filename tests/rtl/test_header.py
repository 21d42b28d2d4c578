"""The Verilog header is the one that the declarations give."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from codesign.hw.descriptor import FIELDS, pack_descriptor
from codesign.rtl import header
from codesign.rtl.registers import ERRORS, REGISTERS, Access, register


def macros() -> dict[str, str]:
    return dict(re.findall(r"^`define (\w+) +(\S+)$", header.render(), re.M))


def test_the_file_is_fresh() -> None:
    assert header.PATH.read_text(encoding="utf-8") == header.render(), (
        f"{header.PATH.name} is stale; write it again: python -m codesign.rtl.header"
    )


def test_the_command_writes_it(tmp_path: Path) -> None:
    target = tmp_path / "codesign.vh"
    command = [sys.executable, "-m", "codesign.rtl.header", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{target}\n"
    assert target.read_text(encoding="utf-8") == header.render()


def test_no_macro_is_defined_twice() -> None:
    names = re.findall(r"^`define (\w+)", header.render(), re.M)
    assert len(names) == len(set(names))


def test_the_fields_are_where_the_encoder_puts_them() -> None:
    found = macros()
    for field in FIELDS:
        word = pack_descriptor({other.name: 0 for other in FIELDS} | {field.name: field.most})
        high, _, low = found[f"D_{field.name.upper()}"].partition(":")
        low = low or high
        assert word == ((1 << (int(high) + 1)) - (1 << int(low))), field.name


def test_registers_are_distinct_words_without_overlap() -> None:
    addresses = [entry.address for entry in REGISTERS]
    assert addresses == sorted(set(addresses))
    assert all(address % 4 == 0 and address < 256 for address in addresses)
    for entry in REGISTERS:
        taken = [place for field in entry.fields for place in range(field.low, field.high + 1)]
        assert len(taken) == len(set(taken)), entry.name
        assert all(place < 32 for place in taken), entry.name
    assert [error.code for error in ERRORS] == list(range(len(ERRORS)))


def test_a_field_is_cut_out_of_a_word() -> None:
    status = register("status")
    assert status.access is Access.READ
    assert status.field("error_code").of(0x0C09) == 12
    assert status.field("paused").of(0x0C09) == 0
