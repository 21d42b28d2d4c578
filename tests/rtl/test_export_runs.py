"""The exported folder's own commands: lint, Icarus, Verilator; and what a wrong file ends in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rtl.exported import PASS, exported
from tests.rtl_models.tools import environment, missing_icarus, missing_verilator, need

#: The README's commands are run as they are; the C++ compiler hurries.
_FAST = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment(), "MAKEFLAGS": _FAST}
    return subprocess.run(
        command, shell=True, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def commands(folder: Path) -> list[str]:
    """The three commands of the README, without their line breaks."""
    block = (folder / "README.md").read_text().split("## Run\n")[1].split("## Files")[0]
    joined = "".join(re.findall(r"^    (.*\n)", block, re.M)).replace("\\\n", " ")
    return joined.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    exported(tmp_path / "mini")
    return tmp_path / "mini"


def test_three_commands(folder: Path) -> None:
    first, second, third = commands(folder)
    assert first.startswith("verilator --lint-only -Wall ")
    assert second.startswith("iverilog ")
    assert third.startswith("verilator --binary ")


def test_lint(folder: Path) -> None:
    need(missing_verilator())
    done = shell(commands(folder)[0], folder)
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stderr


def edit(file: Path, line: int, old: str, new: str) -> None:
    """Put `new` in the place of `old` in one line of a file."""
    lines = file.read_text().splitlines(keepends=True)
    assert old in lines[line], lines[line]
    lines[line] = lines[line].replace(old, new, 1)
    file.write_text("".join(lines))


def replace(file: Path, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which is there once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name}: {text.count(old)} times {old}"
    file.write_text(text.replace(old, new))


class TestIcarus:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        need(missing_icarus(), optional=True)

    def run(self, folder: Path) -> subprocess.CompletedProcess[str]:
        return shell(commands(folder)[1], folder)

    def failure(self, folder: Path) -> str:
        """The line FAIL of a run that ends with 1, and never with PASS."""
        done = self.run(folder)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "PASS" not in done.stdout
        lines = done.stdout.splitlines()
        assert re.fullmatch(r"FATAL: testbench.v:\d+: stopped at the first difference", lines[1])
        return lines[0]

    def test_pass(self, folder: Path) -> None:
        done = self.run(folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{PASS}\n", "")

    def test_idle_lanes_are_not_compared(self, folder: Path) -> None:
        """The last word of each pixel of conv1's map has two lanes in use, of four."""
        for line in (1, 3, 5, 7):
            edit(folder / "frame_0" / "layer_01_conv1.hex", line, "0", "f")
        assert self.run(folder).stdout == f"{PASS}\n"

    def test_a_wrong_word_of_a_map(self, folder: Path) -> None:
        file = folder / "frame_1" / "layer_01_conv1.hex"
        word = file.read_text().splitlines()[2]
        wrong = f"{int(word, 16) ^ 0x40:02x}"
        edit(file, 2, word, wrong)
        assert self.failure(folder) == (
            f"FAIL: frame 1, layer_01_conv1 (descriptor 1): word 2 of the map (memory 9, address "
            f"2) is {word}, expected {wrong}, mask ff"
        )

    def test_a_wrong_word_of_the_result(self, folder: Path) -> None:
        file = folder / "frame_0" / "output.hex"
        word = file.read_text().splitlines()[7]
        wrong = f"{int(word, 16) ^ 1:02x}"
        edit(file, 7, word, wrong)
        assert self.failure(folder) == (
            "FAIL: frame 0, layer_05_output_scores (descriptor 5): word 7 of the result is "
            f"{word}, expected {wrong}"
        )

    def test_a_wrong_count_of_cycles(self, folder: Path) -> None:
        edit(folder / "layers.vh", 6, " 108,", " 107,")
        assert self.failure(folder) == (
            "FAIL: frame 0, layer_02_conv2 (descriptor 2): cause compute has 108 cycles, "
            "expected 107"
        )

    def test_wrong_cycles_of_a_frame(self, folder: Path) -> None:
        edit(folder / "testbench.vh", 10, "555", "556")
        assert self.failure(folder) == (
            "FAIL: frame 0: register 0x64 is 0000022b, expected 0000022c"
        )

    def test_a_wrong_weight(self, folder: Path) -> None:
        """The words that are loaded matter: the map that comes of them differs."""
        words = (folder / "weights.hex").read_text().splitlines()
        edit(folder / "weights.hex", 9, words[9], f"{int(words[9], 16) ^ 0x7:03x}")
        assert self.failure(folder).startswith("FAIL: frame 0, layer_01_conv1 (descriptor 1): word")

    def test_a_stream_that_is_too_short(self, folder: Path) -> None:
        """TLAST comes a word early: the machine stops, the testbench says why."""
        replace(
            folder / "testbench.v", "tlast <= offered == InputWords - 1", "tlast <= offered == 14"
        )
        assert self.failure(folder) == (
            "FAIL: frame 0, layer_00_input_image (descriptor 0): the machine stopped with error "
            "code 9"
        )

    def test_a_machine_that_hangs(self, folder: Path) -> None:
        sequencer = folder / "rtl" / "sequencer.v"
        replace(sequencer, "else if (step_i) state_d = PAUSED;", "else if (step_i) ;")
        assert re.fullmatch(
            r"FAIL: frame 0, layer_00_input_image \(descriptor 0\): no interrupt for \d+ cycles",
            self.failure(folder),
        )

    def test_a_signal_that_is_unknown(self, folder: Path) -> None:
        replace(folder / "rtl" / "host_interface.v", "irq_q <= (", "irq_q <= 1'bx | (")
        assert self.failure(folder) == "FAIL: a handshake signal or the interrupt is X"


def test_verilator(folder: Path) -> None:
    """Built once: it passes, a wrong word ends it with a code that is not 0."""
    need(missing_verilator())
    done = shell(commands(folder)[2], folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert PASS in done.stdout.splitlines()
    wrong = folder / "frame_1" / "layer_03_fc.hex"
    word = wrong.read_text().splitlines()[9]
    shutil.copy(wrong, folder / "right.hex")
    edit(wrong, 9, word, f"{int(word, 16) ^ 0x80:02x}")
    done = shell("obj_dir/Vtestbench", folder)
    assert done.returncode != 0
    assert done.stdout.startswith(
        "FAIL: frame 1, layer_03_fc (descriptor 3): word 9 of the map (memory 9, address 9) is "
        f"{word}, expected "
    )
    shutil.copy(folder / "right.hex", wrong)
    assert shell("obj_dir/Vtestbench", folder).returncode == 0
