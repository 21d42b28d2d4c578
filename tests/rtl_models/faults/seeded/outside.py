"""Faults of the units that are no part of the machine."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault

FAULTS = (
    Fault(
        "residual_unit/unsigned",
        "a = {a_i[CodeBits-1], a_i};",
        "a = {1'b0, a_i};",
        "a negative code of the branch is taken to be positive",
    ),
    Fault(
        "residual_unit/select",
        "code_o = select_i ? a_i : b_i;",
        "code_o = select_i ? b_i : a_i;",
        "a MUX chooses the other map",
    ),
    Fault(
        "residual_unit/gate",
        "else if (mode_i[2] && !select_i)",
        "else if (mode_i[2] && select_i)",
        "a MUX-OR merges where it is not selected",
    ),
    Fault(
        "residual_unit/carry",
        "code_o = sum[CodeBits:1];",
        "code_o = {sum[CodeBits-1], sum[CodeBits-1:1]};",
        "the average loses the carry of its sum",
    ),
    Fault(
        "residual_unit/lesser",
        "code_o = a_less ? a_i : b_i;",
        "code_o = a_i & b_i;",
        "AND works bit by bit, which of signed codes is not the lesser",
    ),
    Fault(
        "threshold_unit/strict",
        "value >= threshold;",
        "value > threshold;",
        "a value at a threshold has not passed it",
    ),
    Fault(
        "threshold_unit/flip",
        "threshold_q <= threshold_i ^ {ThresholdBits{flip_i}};",
        "threshold_q <= threshold_i;",
        "where a channel flips only its values are inverted",
    ),
    Fault(
        "threshold_unit/levels",
        "LEVEL < levels_i && value",
        "value",
        "levels that the channel does not have count",
    ),
    Fault(
        "threshold_unit/load",
        "if (load_i && index_i == LEVEL)",
        "if (index_i == LEVEL)",
        "a threshold changes where none is loaded",
    ),
    Fault(
        "tgap_counter/tie",
        "$signed({1'b0, sum}) > theta_i;",
        "$signed({1'b0, sum}) >= theta_i;",
        "a tie selects",
    ),
    Fault(
        "tgap_counter/wrap",
        "exact[SumBits] ? {SumBits{1'b1}} : exact[SumBits-1:0];",
        "exact[SumBits-1:0];",
        "long sums wrap",
    ),
    Fault(
        "tgap_counter/clip",
        "clip_first_i ? {Delays{1'b0}} :",
        "1'b0 ? {Delays{1'b0}} :",
        "the first frames of a clip are selected by the clip before",
    ),
    Fault(
        "tgap_counter/delay",
        "select_o  <= bits[delay_i];",
        "select_o  <= bits[0];",
        "a bit comes with its own frame",
    ),
    Fault(
        "tgap_counter/channel",
        "if (last_i) line_q",
        "if (first_i) line_q",
        "frames are remembered by their first code",
    ),
    Fault(
        "gate_unit/zero",
        "weights_i[(2*gate+1)*Lanes +: Lanes] & nonzero_i;",
        "weights_i[(2*gate+1)*Lanes +: Lanes];",
        "codes of 0 count as -1 or +1",
    ),
    Fault(
        "gate_unit/product",
        "counts & ~(signs ^ codes_i);",
        "counts & signs & codes_i;",
        "minus times minus is minus",
    ),
    Fault(
        "gate_unit/bias",
        "first_i ? biases_i[gate*SumBits +: SumBits] : sum_q;",
        "first_i ? {SumBits{1'b0}} : sum_q;",
        "biases are left out",
    ),
    Fault(
        "gate_unit/valid",
        "else valid_o <= en_i && last_i;",
        "else valid_o <= last_i;",
        "a sum is told where no word is",
    ),
    Fault(
        "lstm_unit/tie",
        "sums_i[gate*SumBits +: SumBits] != {SumBits{1'b0}};",
        "1'b1;",
        "a gate whose sum is 0 is open",
    ),
    Fault(
        "lstm_unit/bound",
        "base == (below[2] ? ZERO - limit : limit);",
        "base == limit;",
        "cells count on below their least value",
    ),
    Fault(
        "lstm_unit/early",
        "if (load_i ? here : en_i && last_i) begin",
        "if (load_i || en_i) begin",
        "hidden codes change within a step",
    ),
    Fault(
        "lstm_unit/sum",
        "above[0] ? added[SumBits] : below[2];",
        "above[0] ? added[SumBits-1] : below[2];",
        "the sum of a GRU's last gate wraps",
    ),
    Fault(
        "lstm_unit/ternary",
        "nonzero_q <= state[0] || !ternary_i;",
        "nonzero_q <= state[0];",
        "a closed gate of a bipolar layer gives 0",
    ),
)
