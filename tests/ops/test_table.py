"""The op table: an operation without its declarations, kernel or tests cannot land."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from codesign.engine._numba.engine import KERNELS
from codesign.errors import CodesignError, UnsupportedError
from codesign.ir import OpSpec, lookup, register, specs, table
from tests.ops.contract import OpContract

for _path in sorted(Path(__file__).parent.glob("test_*.py")):
    importlib.import_module(f"tests.ops.{_path.stem}")

CONTRACTS = {contract.op: contract for contract in OpContract.__subclasses__()}
#: The units of the machine (docs/hardware), what costs nothing there, and what it has not; then
#: the units that stand alone: the machine has none of them yet, their operations run on the host.
UNITS = {
    "mac_array", "bit_shift_norm", "threshold_unit", "pool_unit", "argmax", "wiring", "host",
    "residual_unit", "tgap_counter", "ca_generator", "lstm_unit", "thermometer", "ycbcr",
    "bernoulli_generator",
}  # fmt: skip
FAMILIES = {
    "linear", "rescale", "residual", "pooling", "shape", "generated", "input", "recurrent",
    "decision",
}  # fmt: skip


@pytest.mark.parametrize("spec", list(specs()), ids=lambda spec: spec.name)
class TestEachOperation:
    def test_declares_everything(self, spec: OpSpec) -> None:
        for method in ("infer", "reference", "onnx", "cost"):
            assert callable(getattr(type(spec), method, None)), method
        assert spec.family in FAMILIES
        assert spec.unit in UNITS
        assert spec.version >= 1
        assert spec.inputs or spec.family == "generated"
        assert set(spec.constant_inputs) <= set(spec.inputs)

    def test_is_documented_formula_first(self, spec: OpSpec) -> None:
        assert spec.doc.startswith("`y")
        for attribute in spec.attributes:
            assert attribute.doc
            assert attribute.kind in ("int", "ints")

    def test_has_a_kernel(self, spec: OpSpec) -> None:
        assert spec.name in KERNELS

    def test_has_a_contract(self, spec: OpSpec) -> None:
        contract = CONTRACTS[spec.name]
        assert contract.cases
        assert any(case.tight for case in contract.cases)
        assert contract.refusals
        assert contract.cost
        assert callable(getattr(contract, "plain", None))

    def test_every_attribute_varies(self, spec: OpSpec) -> None:
        cases = CONTRACTS[spec.name].cases
        for attribute in spec.attributes:
            given = {case.attrs.get(attribute.name, attribute.default) for case in cases}
            assert len(given) > 1, attribute.name


def test_no_kernel_and_no_contract_without_an_operation() -> None:
    assert set(KERNELS) == set(table())
    assert set(CONTRACTS) == set(table())


def test_each_contract_names_an_operation_of_its_own() -> None:
    assert len(CONTRACTS) == len(OpContract.__subclasses__())


def test_an_operation_is_declared_once() -> None:
    class Again(OpSpec):
        """`y = x`."""

        name = "sign"

    with pytest.raises(CodesignError, match=r"^operation sign is declared twice; rename one$"):
        register(Again)


def test_an_unknown_operation_names_the_known_ones() -> None:
    with pytest.raises(UnsupportedError) as caught:
        lookup("relu")
    known = ", ".join(sorted(table()))
    assert str(caught.value) == f"operation 'relu' is not in the vocabulary; known are {known}"
    assert caught.value.exit_code == 4
