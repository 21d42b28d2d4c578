"""A layer of lstm_unit and gate_unit, step after step: LAYER_DATA goes in, LAYER_STATES comes out.

The data (.npz) are the layer's constants, the state before and the features of every step; the
states and hidden codes of every step (.npz) are left for the test that made the data to compare.
"""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from tests.rtl_models.bench import reset, start_clock
from tests.rtl_models.cocotb_gate_unit import code_words, weight_word
from tests.rtl_models.units import join, split


def _rows(data: Any, lanes: int, sum_bits: int) -> list[int]:
    """Memory rows: units by words. A GRU's last gate has two rows, features and hidden codes."""
    weight, recurrent, bias = data["weight"], data["recurrent"], data["bias"]
    units, features = recurrent.shape[1], weight.shape[1]
    together = np.concatenate([weight, recurrent], axis=1).reshape(-1, units, features + units)
    biases = bias.reshape(-1, units)
    if len(together) == 3:
        together, biases = together[[0, 1, 2, 2]], np.concatenate([biases, 0 * biases[:1]])
        together[2, :, features:] = 0
        together[3, :, :features] = 0
    words = -(-together.shape[2] // lanes)
    padded = np.zeros((4, units, words * lanes), np.int64)
    padded[:, :, : together.shape[2]] = together
    return [
        weight_word(padded[:, unit, word * lanes : (word + 1) * lanes])
        | join(biases[:, unit], sum_bits) << 8 * lanes
        for unit in range(units)
        for word in range(words)
    ]


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def whole_sequence(dut: Any) -> None:
    data = np.load(os.environ["LAYER_DATA"])
    lanes, sum_bits, bits = (int(dut[name].value) for name in ("Lanes", "SumBits", "CellBits"))
    state, x = data["state"], data["x"]
    start_clock(dut)
    for port in ("row_load_i", "state_load_i", "start_i"):
        dut[port].value = 0
    dut.gru_i.value = len(data["bias"]) == 3 * len(state)
    dut.ternary_i.value, dut.limit_i.value = int(data["ternary"]), (1 << int(data["bits"]) - 1) - 1
    await reset(dut)
    dut.row_load_i.value = 1
    for number, row in enumerate(_rows(data, lanes, sum_bits)):
        dut.row_i.value, dut.weights_i.value = number, row
        await FallingEdge(dut.clk_i)
    dut.row_load_i.value, dut.state_load_i.value = 0, 1
    for unit, value in enumerate(state.tolist()):
        dut.unit_i.value, dut.state_i.value = unit, value & ((2 << bits) - 1)
        await FallingEdge(dut.clk_i)
    dut.state_load_i.value = 0
    states, hidden = [], []
    for features in x:
        dut.codes_i.value, dut.nonzero_i.value = code_words(features)
        dut.start_i.value = 1
        await FallingEdge(dut.clk_i)
        assert not int(dut.ready_o.value)
        dut.start_i.value = 0
        await RisingEdge(dut.done_o)
        states.append(int(dut.states_o.value))
        hidden.append(int(dut.hidden_o.value))
        await FallingEdge(dut.clk_i)
        assert int(dut.ready_o.value)
    np.savez(
        os.environ["LAYER_STATES"],
        states=[split(word, bits + 1, len(state)) for word in states],
        hidden=[split(word, 2, len(state)) for word in hidden],
    )
