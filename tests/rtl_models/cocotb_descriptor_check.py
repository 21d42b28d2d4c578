"""descriptor_check: random legal descriptors pass, and each reason alone gives its error."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import Timer

from codesign.hw.descriptor import pack_descriptor
from codesign.rtl.codes import Operation
from tests.rtl_models import layers
from tests.rtl_models.bench import seeded
from tests.rtl_models.coverage import Coverage
from tests.rtl_models.layers import Lanes
from tests.rtl_models.legality import CODE, REASONS, corrupt, error_of, legalize, reasons
from tests.rtl_models.ports import Ports

PARAMETERS = (
    *("InputLanes", "WeightBits", "Pixels", "AllBanks"),
    *("HasThreshold", "HasPool", "HasArgmax"),
)
UNITS = {"threshold unit": "HasThreshold", "pool unit": "HasPool", "argmax": "HasArgmax"}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reasons_alone_and_together(dut: Any) -> None:
    rng, ports = seeded("descriptors"), Ports(dut)
    built = {name: int(getattr(dut, name).value) for name in PARAMETERS}
    lanes = Lanes.of(dut)
    never = {reason for reason, unit in UNITS.items() if built[unit]}
    if not built["HasPool"]:
        never |= {"no window to pool", "window beyond the map"}
    never |= set() if built["HasArgmax"] else {"index of a map"}
    kinds = [operation.name for operation in Operation if operation]
    met = [reason for reason in REASONS if reason not in never]
    coverage = Coverage("descriptor_check", [*met, *kinds, "several reasons", "several errors"])

    async def ask(fields: dict[str, int]) -> None:
        ports.drive(descriptor=pack_descriptor(fields))
        await Timer(1, "ns")
        expected = error_of(fields, built)
        assert ports["error"] == CODE[expected], reasons(fields, built)

    for _ in coverage.rounds(600):
        draw = rng.choice((layers.product, layers.product, layers.vector, layers.reorder, None))
        streamed = rng.choice((Operation.LOAD, Operation.STORE))
        layer = draw(rng, lanes) if draw else layers.stream(rng, lanes, streamed)
        fields = legalize(rng, layer.fields, built)
        assert not reasons(fields, built)
        await ask(fields)
        coverage.hit(layer.operation.name)
        for _ in range(12):
            wrong = corrupt(rng, fields, names=rng.choice(((), (), ("reduce", "activation"))))
            await ask(wrong)
            found = reasons(wrong, built)
            if len({REASONS[reason] for reason in found}) == 1:  # no other error hides it
                coverage.hit(*found & coverage.counts.keys())
            worse = corrupt(rng, corrupt(rng, wrong))
            await ask(worse)
            found = reasons(worse, built)
            coverage.hit(*(["several reasons"] if len(found) > 1 else []))
            errors = {REASONS[reason] for reason in found}
            coverage.hit(*(["several errors"] if len(errors) > 1 else []))
    coverage.require(1)
