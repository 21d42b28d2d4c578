"""The units outside the top, each against the operations that it is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codesign.engine import ENGINES, create
from codesign.ir import GraphBuilder, IntType
from tests.rtl_models import tools
from tests.rtl_models.cocotb_run import run

WRAPPER = Path(__file__).with_name("recurrent_layer.v")

#: Each simulator has its own sizes; together they meet the least, common and widest codes.
RESIDUAL = [("verilator", 2), ("verilator", 8), ("icarus", 1), ("icarus", 3)]
THRESHOLD = [
    ("verilator", {"ValueBits": 22, "ThresholdBits": 16, "CodeBits": 2}),
    ("verilator", {"ValueBits": 9, "ThresholdBits": 9, "CodeBits": 4}),
    ("icarus", {"ValueBits": 17, "ThresholdBits": 17, "CodeBits": 1}),
    ("icarus", {"ValueBits": 12, "ThresholdBits": 8, "CodeBits": 3}),
]
TGAP = [
    ("verilator", {"Channels": 4, "CodeBits": 2, "SumBits": 6, "Delays": 1}),
    ("icarus", {"Channels": 3, "CodeBits": 1, "SumBits": 4, "Delays": 3}),
    ("icarus", {"Channels": 1, "CodeBits": 3, "SumBits": 7, "Delays": 2}),
]
GATES = [("verilator", {"Lanes": 16, "SumBits": 9}), ("icarus", {"Lanes": 5, "SumBits": 6})]
LSTM = [
    ("verilator", {"Units": 4, "CellBits": 4, "SumBits": 12}),
    ("icarus", {"Units": 1, "CellBits": 2, "SumBits": 3}),
    ("icarus", {"Units": 5, "CellBits": 8, "SumBits": 8}),
]
#: Kind of layer, bits of the cell, whether hidden codes are ternary; steps; simulator; lanes.
LAYERS = [
    ("lstm", 4, 0, 10_000, "verilator", 16),
    ("lstm", 3, 1, 300, "icarus", 4),
    ("gru", 4, 0, 1_000, "verilator", 16),
    ("gru", 4, 0, 300, "icarus", 4),
]
FEATURES, UNITS = 9, 6


@pytest.mark.parametrize(("simulator", "bits"), RESIDUAL)
def test_residual_unit(simulator: str, bits: int) -> None:
    _run("residual_unit", simulator, {"CodeBits": bits})


@pytest.mark.parametrize(("simulator", "sizes"), THRESHOLD)
def test_threshold_unit(simulator: str, sizes: dict[str, int]) -> None:
    _run("threshold_unit", simulator, sizes)


@pytest.mark.parametrize(("simulator", "sizes"), TGAP)
def test_tgap_counter(simulator: str, sizes: dict[str, int]) -> None:
    _run("tgap_counter", simulator, sizes)


@pytest.mark.parametrize(("simulator", "sizes"), GATES)
def test_gate_unit(simulator: str, sizes: dict[str, int]) -> None:
    _run("gate_unit", simulator, sizes)


@pytest.mark.parametrize(("simulator", "sizes"), LSTM)
def test_lstm_unit(simulator: str, sizes: dict[str, int]) -> None:
    _run("lstm_unit", simulator, sizes)


def _run(module: str, simulator: str, sizes: dict[str, int]) -> None:
    run(
        module,
        test_module=f"tests.rtl_models.cocotb_{module}",
        parameters=sizes,
        simulator=simulator,
    )


@pytest.mark.parametrize(("kind", "bits", "ternary", "steps", "simulator", "lanes"), LAYERS)
def test_steps_of_a_layer_by_lstm_unit_and_gate_unit(
    kind: str, bits: int, ternary: int, steps: int, simulator: str, lanes: int, tmp_path: Path
) -> None:
    """Steps of one random sequence: equal states and hidden codes in all engines and in Verilog."""
    tools.need_simulator(simulator)
    rng = np.random.default_rng(steps + lanes)
    rows = (3 if kind == "gru" else 4) * UNITS
    bipolar, packed = IntType(-1, 1, 2), IntType(2 - (1 << bits), (1 << bits) - 1)
    weight = rng.integers(-1, 2, (rows, FEATURES))
    recurrent = rng.integers(-1, 2, (rows, UNITS))
    bias = rng.integers(-2, 3, rows)
    bias[: 2 * UNITS] = 2  # gates that are open often: cells count up to their bounds
    x = 2 * rng.integers(0, 2, (steps, FEATURES)) - 1
    state = 2 * rng.integers(0, 2, UNITS) - 1
    if kind == "lstm":
        state = rng.integers(packed.lo, packed.hi + 1, UNITS)

    builder = GraphBuilder("layer")
    features = builder.input("x", x.shape, bipolar)
    before = builder.input("state", state.shape, bipolar if kind == "gru" else packed)
    constants = [
        builder.constant(name, values, kinds)
        for name, values, kinds in (
            ("weight", weight, IntType(-1, 1)),
            ("recurrent", recurrent, IntType(-1, 1)),
            ("bias", bias, IntType(-2, 2)),
        )
    ]
    attrs = {"bits": bits, "ternary": ternary} if kind == "lstm" else {}
    states = builder.node("states", kind, [features, before, *constants], **attrs)
    builder.output(states)
    if kind == "lstm":
        builder.output(builder.node("hidden", "lstm_hidden", [states], ternary=ternary))
    graph, inputs = builder.build(), {"x": x[None], "state": state[None]}
    found = {name: create(name, graph).run(inputs) for name in ENGINES}
    given, left = tmp_path / "data.npz", tmp_path / "states.npz"
    np.savez(
        given, weight=weight, recurrent=recurrent, bias=bias, x=x, state=state, bits=bits,
        ternary=ternary,
    )  # fmt: skip
    run(
        WRAPPER.stem,
        test_module="tests.rtl_models.cocotb_recurrent_layer",
        parameters={
            **{"Features": FEATURES, "Units": UNITS, "CellBits": 4, "Lanes": lanes, "SumBits": 7}
        },
        simulator=simulator,
        sources=(WRAPPER,),
        environment={"LAYER_DATA": str(given), "LAYER_STATES": str(left)},
    )
    verilog = np.load(left)
    for name, values in found.items():
        expected = values["states"][0]
        assert np.array_equal(expected, verilog["states"]), name
        # the state of a GRU is its hidden code
        assert np.array_equal(values.get("hidden", values["states"])[0], verilog["hidden"]), name
    assert np.unique(verilog["states"]).size == (2 if kind == "gru" else (1 << bits + 1) - 2)
