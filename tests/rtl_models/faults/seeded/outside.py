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
)
