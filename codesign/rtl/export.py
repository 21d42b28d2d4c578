"""`export(...)`: a folder that holds all that running a network elsewhere needs, without Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from codesign import __version__
from codesign.errors import CodesignError
from codesign.files import folder_atomic
from codesign.hw.descriptor import DESCRIPTOR_BITS
from codesign.ir import Graph, IntArray
from codesign.rtl import sources
from codesign.rtl.image import Image
from codesign.rtl.parameters import parameters
from codesign.rtl.readme import descriptors_text, readme_text
from codesign.rtl.testbench import WRITTEN, layers_text, parameters_text, sizes_text
from codesign.rtl.vectors import frame_texts, hex_text

#: A file of ours by which a folder is known as an earlier export.
_MARK = "parameters.vh"


def need_folder(path: Path, *, force: bool) -> None:
    """Refuse a folder that is not to be replaced, before the work that fills another one.

    Raises CodesignError for a file, the folder one is in, and a folder that is not empty: with
    `force` only where `export` did not write it.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise CodesignError(f"{path}: is a file; give the path of a folder")
    if Path.cwd().is_relative_to(path.resolve()):
        raise CodesignError(f"{path}: is the folder you are in, or around it; give another one")
    if not any(path.iterdir()):
        return
    if not force:
        raise CodesignError(
            f"{path}: is not empty; give a new folder, or --force to replace what an earlier "
            "codesign rtl wrote"
        )
    mark = path / _MARK
    if not mark.is_file() or not mark.read_bytes().startswith(WRITTEN.encode()):
        raise CodesignError(
            f"{path}: is not empty and not written by codesign rtl, which --force would replace; "
            "give a new folder"
        )


def export(
    graph: Graph,
    image: Image,
    frames: Iterable[tuple[str, Mapping[str, IntArray]]],
    path: Path,
    *,
    force: bool = False,
) -> int:
    """Write `graph`, whose words are `image`, with these frames into the folder `path`.

    A frame is its name and an array without a batch axis for each graph input. The folder appears
    whole or not at all, the same bytes for the same network, machine and frames. Gives the number
    of frames. Raises CodesignError where the folder cannot be written or is not to be replaced, or
    where there is no frame.
    """
    need_folder(path, force=force)
    waivers = sorted(sources.folder().glob("*.vlt"))
    verilog = {file.name: file.read_text(encoding="utf-8") for file in (*sources.files(), *waivers)}
    with folder_atomic(path) as folder:
        names: list[str] = []
        for name, inputs in frames:
            _write(folder / f"frame_{len(names)}", frame_texts(image, inputs))
            names.append(name)
        if not names:
            raise CodesignError(f"{graph.name}: no frames to export; give at least one")
        _write(folder / "rtl", verilog.items())
        _write(folder, _texts(graph, image, names).items())
        _write(folder, [("files.f", _file_list(verilog))])
    return len(names)


def _texts(graph: Graph, image: Image, names: list[str]) -> dict[str, str]:
    """The files about the network, and the testbench."""
    hardware = image.hardware
    values = parameters(hardware)
    testbench = sources.folder() / "tb" / "testbench.v"
    return {
        "README.md": readme_text(image, graph.hash, values, names, __version__),
        "program.hex": hex_text(image.program, DESCRIPTOR_BITS),
        "program.txt": descriptors_text(image),
        "weights.hex": hex_text(image.weights, int(hardware.weight_word)),
        "parameters.hex": hex_text(image.parameters, hardware.parameter_word),
        "parameters.vh": parameters_text(hardware.name, values),
        "testbench.v": testbench.read_text(encoding="utf-8"),
        "testbench.vh": sizes_text(image, len(names)),
        "layers.vh": layers_text(image),
    }


def _file_list(verilog: Iterable[str]) -> str:
    """For `-f` of Icarus and Verilator: where the headers are, and every module's file."""
    modules = [name for name in verilog if name.endswith(".v")]
    lines = ["+incdir+.", "+incdir+rtl", *(f"rtl/{name}" for name in modules)]
    return "".join(f"{line}\n" for line in lines)


def _write(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """Every (name, text) as a file of `folder`, which is made where it is missing."""
    folder.mkdir(exist_ok=True)
    for name, text in texts:
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
