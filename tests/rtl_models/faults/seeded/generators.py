"""Faults of what generates weights and draws, and of what codes the input."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault

FAULTS = (
    Fault(
        "ca_step/order",
        "rule[{left, ring_i[i], right}]",
        "rule[{right, ring_i[i], left}]",
        "rules work mirrored",
    ),
    Fault(
        "ca_step/closes",
        "last[i] ? ring_i[0] :",
        "",
        "a ring smaller than it could be is not closed on the right",
    ),
    Fault(
        "ca_step/first",
        "i == 0 ? first_left :",
        "i == 0 ? ring_i[Cells-1] :",
        "a ring smaller than it could be is not closed on the left",
    ),
    Fault(
        "ca_step/rule",
        "Rule < 256 ? RULE[7:0] : rule_i;",
        "Rule < 256 ? RULE[7:0] : 8'd30;",
        "every rule is rule 30",
    ),
    Fault(
        "ca_ring/warm-up",
        "left_q <= warm_up_i + more;",
        "left_q <= warm_up_i;",
        "the first row is shown before its own steps",
    ),
    Fault(
        "ca_ring/steps",
        "else if (take) left_q <= more - 21'd1;",
        "else if (take) left_q <= more;",
        "rows behind the first take a step too many",
    ),
    Fault(
        "ca_ring/waits",
        "run_q && (!valid_q || (take_i && !last_i));",
        "run_q && (!valid_q || !last_i);",
        "the ring goes on while its row is not taken",
    ),
    Fault(
        "ca_ring/rests",
        "(!valid_q || (take_i && !last_i));",
        "(!valid_q || take_i);",
        "the state behind the last row is one step too far",
    ),
    Fault(
        "ca_ring/seed",
        "{{Cells{1'b0}}, seed_i};",
        "{{Cells{1'b0}}, seed_i[30:0], 1'b1};",
        "the seed is shifted by a cell",
    ),
    Fault(
        "ca_ring/saved",
        "if (save_i) saved_q <= ring_q;",
        "if (save_i) saved_q <= next;",
        "what comes back is the state behind the one saved",
    ),
    Fault(
        "ca_ring/reset",
        "      run_q   <= 1'b0;\n      valid_q <= 1'b0;\n    end else if (start_i",
        "      run_q   <= 1'b0;\n    end else if (start_i",
        "a row is still shown behind a reset",
    ),
    Fault(
        "ca_generator/difference",
        "{near && !far[column], near == far[column]};",
        "{!near && far[column], near == far[column]};",
        "ternary weights have the other sign",
    ),
    Fault(
        "ca_generator/bits",
        "{ring[3*column], ring[3*column + 1], ring[3*column + 2]};",
        "{ring[3*column + 2], ring[3*column + 1], ring[3*column]};",
        "the three bits of a balanced weight are read backwards",
    ),
    Fault(
        "ca_generator/balance",
        "bits < 3'd5 ?",
        "bits < 3'd6 ?",
        "pattern 5 is a balanced weight of 0",
    ),
    Fault(
        "ca_generator/distance",
        "AnySize != 0 ? row_i : COLUMNS[15:0];",
        "COLUMNS[15:0];",
        "the second bit of a ternary weight is the longest row's length away",
    ),
    Fault(
        "bernoulli_generator/equal",
        "{1'b0, number} < mean_i;",
        "{1'b0, number} <= mean_i;",
        "a number that equals the mean gives 1",
    ),
    Fault(
        "bernoulli_generator/width",
        "ring_o[Bits-1:0] & ~({Bits{1'b1}} << bits_i);",
        "ring_o[Bits-1:0];",
        "cells beyond the number's are read",
    ),
    Fault(
        "bernoulli_generator/full",
        "wire            free   = !valid_q || bit_ready_i;",
        "wire            free   = 1'b1;",
        "a bit that waits is overwritten",
    ),
    Fault(
        "bernoulli_generator/last",
        ".last_i    (mean_last_i),",
        ".last_i    (1'b0),",
        "the state behind the draws is not the one of the last draw",
    ),
    Fault(
        "ycbcr/constant",
        "d43 + d34;",
        "d43 + d34 + d;",
        "luma takes 78 of red",
    ),
    Fault(
        "ycbcr/rounding",
        "d77_q + e29_q + 17'sd128;",
        "d77_q + e29_q;",
        "luma is not rounded",
    ),
    Fault(
        "ycbcr/clip",
        "cr[8] ? 8'd255 : cr[7:0];",
        "cr[7:0];",
        "the reddest Cr wraps to 0",
    ),
    Fault(
        "ycbcr/stall",
        "    if (third_free) begin\n      y_q ",
        "    begin\n      y_q ",
        "a pixel that waits is overwritten",
    ),
    Fault(
        "ycbcr/green",
        "      green_q <= green_i;\n    end",
        "    end\n    green_q <= green_i;",
        "the luma of a pixel that waits takes the next one's green",
    ),
    Fault(
        "thermometer/equal",
        "&& value > level;",
        "&& value >= level;",
        "a bit is set at its level",
    ),
    Fault(
        "thermometer/component",
        "tag == COMPONENT[TagBits-1:0] && value",
        "value",
        "a level is compared with every component",
    ),
    Fault(
        "thermometer/next-pixel",
        "rest_q ? values_q : values_i;",
        "values_i;",
        "words behind a pixel's first see whatever comes in",
    ),
    Fault(
        "thermometer/last",
        "index + 16'd1 == words_i;",
        "index == words_i;",
        "a pixel has a word too many",
    ),
    Fault(
        "thermometer/stall",
        "wire        levels_free = !levels_q || word_free;",
        "wire        levels_free = 1'b1;",
        "levels are read while a word waits",
    ),
)
