"""The AXI4-Lite slave alone; rtl_models/formal/axi_lite_slave.sby proves its handshakes."""

from __future__ import annotations

import pytest

from tests.rtl_models.cocotb_run import SIMULATORS, run


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_axi_lite_slave(simulator: str) -> None:
    outcome = run(
        "axi_lite_slave",
        test_module="tests.rtl_models.cocotb_axi_lite_slave",
        simulator=simulator,
    )
    assert len(outcome.passed) == 4
