"""The exported folder: which files, what is in them, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.ir import IntArray
from codesign.rtl import Image, image, pack, sources
from codesign.rtl.codes import Operation
from codesign.rtl.export import export, need_folder
from codesign.rtl.interpret import frame, maps
from codesign.rtl.parameters import parameters
from codesign.rtl.vectors import hex_text, layer_name
from codesign.rtl.words import lanes_to_words
from tests.rtl.exported import TINY, exported, frames, network

LAYERS = (
    "layer_00_input_image",
    "layer_01_conv1",
    "layer_02_conv2",
    "layer_03_fc",
    "layer_04_class",
    "layer_05_output_scores",
    "layer_06_output_class",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "mini"
    exported(path)
    return path


@pytest.fixture(scope="module")
def made() -> Image:
    return image(network(), TINY)


def words(path: Path) -> list[int]:
    return [int(line, 16) for line in path.read_text().splitlines()]


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


class TestFiles:
    def test_these_and_no_others(self, folder: Path) -> None:
        verilog = {f"rtl/{path.name}" for path in sources.files()} | {"rtl/waivers.vlt"}
        per_frame = {"input", *LAYERS[:5], "output"}  # a store writes no map
        assert set(contents(folder)) == verilog | {
            "README.md", "files.f", "layers.vh", "parameters.hex", "parameters.vh", "program.hex",
            "program.txt", "testbench.v", "testbench.vh", "weights.hex",
            *(f"frame_{number}/{name}.hex" for number in range(2) for name in per_frame),
        }  # fmt: skip

    def test_sources_are_copies(self, folder: Path) -> None:
        for path in sources.files():
            assert (folder / "rtl" / path.name).read_bytes() == path.read_bytes()
        testbench = sources.folder() / "tb" / "testbench.v"
        assert (folder / "testbench.v").read_bytes() == testbench.read_bytes()

    def test_memory_words(self, folder: Path, made: Image) -> None:
        for name, content, bits in (
            ("program", made.program, DESCRIPTOR_BITS),
            ("weights", made.weights, int(TINY.weight_word)),
            ("parameters", made.parameters, TINY.parameter_word),
        ):
            lines = (folder / f"{name}.hex").read_text().splitlines()
            assert [int(line, 16) for line in lines] == list(content)
            assert {len(line) for line in lines} == {-(-bits // 4)}

    def test_frames(self, folder: Path, made: Image) -> None:
        for number, (_, inputs) in enumerate(frames(network())):
            here, sent = folder / f"frame_{number}", []
            assert words(here / "input.hex") == lanes_to_words(frame(made, inputs))
            for name, (entry, values) in zip(LAYERS, maps(made, inputs), strict=True):
                expected = lanes_to_words(pack(entry.map, values))
                if entry.operation is Operation.STORE:
                    sent += expected
                else:
                    assert words(here / f"{name}.hex") == expected, name
            assert words(here / "output.hex") == sent

    def test_parameters(self, folder: Path) -> None:
        text = (folder / "parameters.vh").read_text()
        found = re.findall(r"^localparam (\w+) = (\d+);$", text, re.M)
        assert {name: int(value) for name, value in found} == parameters(TINY)

    def test_file_list(self, folder: Path) -> None:
        lines = (folder / "files.f").read_text().splitlines()
        assert lines[:2] == ["+incdir+.", "+incdir+rtl"]
        assert lines[2:] == sorted(f"rtl/{path.name}" for path in (folder / "rtl").glob("*.v"))

    def test_sizes(self, folder: Path) -> None:
        text = (folder / "testbench.vh").read_text()
        assert re.findall(r"(\w+) = (\S+);", text) == [
            ("Frames", "2"), ("Layers", "7"), ("ProgramWords", "7"), ("WeightWords", "64"),
            ("ParameterWords", "7"), ("InputWords", "16"), ("OutputWords", "11"),
            ("MapWords", "16"), ("FrameCycles", "64'd555"),
        ]  # fmt: skip

    def test_layers(self, folder: Path, made: Image) -> None:
        """Each row as the testbench's task takes it; conv1 fills 2 lanes of a pixel's last word."""
        rows = []
        for line in (folder / "layers.vh").read_text().splitlines():
            if not line.startswith("//"):
                number, name, rest = re.fullmatch(
                    r'(\d+): expect_layer\("(.*)",(.*)\);', line
                ).groups()  # type: ignore[union-attr]
                rows.append((int(number), name, *(cell.strip() for cell in rest.split(","))))
        assert [row[:2] for row in rows] == list(enumerate(LAYERS))
        assert rows[1][2:8] == ("1'b1", "4'd9", "0", "8", "2", "2")
        assert rows[5][2:8] == ("1'b0", "4'd9", "0", "10", "10", "4")
        for row, entry in zip(rows, made.entries, strict=True):
            assert row[8:] == tuple(str(count) for _, count in entry.cycles)

    def test_descriptors(self, folder: Path, made: Image) -> None:
        parts = (folder / "program.txt").read_text().split("\n\n")
        assert len(parts) == len(made.entries)
        for part, entry in zip(parts, made.entries, strict=True):
            fields = dict(line.split() for line in part.strip().splitlines()[1:])
            assert fields == {name: str(value) for name, value in entry.fields.items() if value}
        assert parts[1].startswith("1 conv1 (conv 3x3)\n  operation            3\n")

    def test_readme(self, folder: Path, made: Image) -> None:
        text = (folder / "README.md").read_text()
        assert text.startswith("# mini on tiny\n")
        for name, entry in zip(LAYERS, made.entries, strict=True):
            counts = " | ".join(f"{count:,}" for _, count in entry.cycles)
            assert f"| `{name}` | {counts} | {entry.cycles.total:,} |\n" in text
        assert (
            "| `layer_01_conv1` | conv 3x3 | 6x2x2 | unsigned, 2 b | 9 | 0 | 8 | at 0, 3 b |"
            in text
        )
        assert "| 1 | random 1 |\n" in text
        assert "| weights | 768 b | 48,000 b | 1.6 % | conv2 |\n" in text
        assert "| latency | 11.100 us | 5.000 ms | ok |\n" in text
        assert all(len(line) <= 100 for line in text.splitlines() if not line.startswith("|"))

    def test_the_same_bytes_again(self, folder: Path, tmp_path: Path) -> None:
        exported(tmp_path / "again")
        assert contents(tmp_path / "again") == contents(folder)

    def test_hex(self) -> None:
        assert hex_text([1, 0x2AB], 10) == "001\n2ab\n"
        assert hex_text([], 10) == ""

    def test_names_need_no_quotes(self, made: Image) -> None:
        entry = made.entries[1]
        for name, plain in (
            ("input ../x", "layer_03_input_.._x"),
            ('a"b\n`c', "layer_03_a_b_c"),
            ("Ünit/7.norm", "layer_03_nit_7.norm"),
            ("x" * 99, "layer_03_" + "x" * 32),
        ):
            assert layer_name(3, replace(entry, name=name)) == plain


class TestRefused:
    def refused(self, path: Path, *, force: bool = False) -> str:
        with pytest.raises(CodesignError) as caught:
            need_folder(path, force=force)
        return str(caught.value)

    def test_a_folder_with_something_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").touch()
        assert self.refused(tmp_path) == (
            f"{tmp_path}: is not empty; give a new folder, or --force to replace what an earlier "
            "codesign rtl wrote"
        )
        assert self.refused(tmp_path, force=True) == (
            f"{tmp_path}: is not empty and not written by codesign rtl, which --force would "
            "replace; give a new folder"
        )

    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert self.refused(tmp_path / "file") == (
            f"{tmp_path / 'file'}: is a file; give the path of a folder"
        )

    def test_the_folder_one_is_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "in").mkdir()
        monkeypatch.chdir(tmp_path / "in")
        for path in (Path(), Path(".."), tmp_path):
            assert self.refused(path, force=True) == (
                f"{path}: is the folder you are in, or around it; give another one"
            )

    def test_an_empty_folder_and_an_earlier_export_are_replaced(self, tmp_path: Path) -> None:
        target = tmp_path / "out"
        target.mkdir()
        exported(target, 2)
        with pytest.raises(CodesignError):
            exported(target, 1)
        (target / "testbench.vvp").touch()
        graph = network()
        export(graph, image(graph, TINY), frames(graph, 1), target, force=True)
        assert not (target / "frame_1").exists()
        assert not (target / "testbench.vvp").exists()
        assert list(tmp_path.iterdir()) == [target]

    def test_nothing_is_left_half_written(self, tmp_path: Path) -> None:
        graph = network()

        def interrupted() -> Iterator[tuple[str, Mapping[str, IntArray]]]:
            yield from frames(graph, 1)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export(graph, image(graph, TINY), interrupted(), tmp_path / "out")
        with pytest.raises(CodesignError) as caught:
            export(graph, image(graph, TINY), [], tmp_path / "out")
        assert str(caught.value) == "mini: no frames to export; give at least one"
        assert list(tmp_path.iterdir()) == []
