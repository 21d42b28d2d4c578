"""Faults of the streams."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault

FAULTS = (
    Fault(
        "stream_in/due",
        "wire due     = map_end && descriptor_i[`D_FRAME_END];",
        "wire due     = map_end;",
        "TLAST is demanded with every map's last word",
    ),
    Fault(
        "stream_in/short",
        "short_q <= accept && tlast_i && !due;",
        "short_q <= accept && tlast_i && !map_end;",
        "a frame that ends with a map in its middle is no error",
    ),
    Fault(
        "stream_in/long",
        "long_q  <= accept && due && !tlast_i;",
        "long_q  <= 1'b0;",
        "a frame without TLAST is no error",
    ),
    Fault(
        "stream_in/wrong-beat",
        "assign write_o     = run_i && valid_q && !fail_o;",
        "assign write_o     = run_i && valid_q;",
        "the word of an error is written",
    ),
    Fault(
        "stream_in/ready",
        "assign tready_o    = (run_i && expect_q && !(short_q || long_q)) || discard_i;",
        "assign tready_o    = run_i || discard_i;",
        "a word behind the map's last is taken",
    ),
    Fault(
        "stream_in/no-discard",
        "assign tready_o    = (run_i && expect_q && !(short_q || long_q)) || discard_i;",
        "assign tready_o    = run_i && expect_q && !(short_q || long_q);",
        "nothing is dropped by discard",
    ),
    Fault(
        "stream_in/discard-end",
        "assign discarded_o = discard_i && tvalid_i && tlast_i;",
        "assign discarded_o = discard_i && tvalid_i;",
        "discard ends behind one word",
    ),
    Fault(
        "stream_in/address",
        "address_q <= descriptor_i[`D_TARGET_BASE] - 24'd1;",
        "address_q <= descriptor_i[`D_TARGET_BASE];",
        "the map is written one word too far",
    ),
    Fault(
        "stream_in/wait",
        "assign wait_o      = expect_q && !tvalid_i;",
        "assign wait_o      = !tvalid_i;",
        "the cycle behind the last word counts as waiting",
    ),
    Fault(
        "stream_in/rows",
        "if (words_q == 24'd1) rows_q <= rows_q - 12'd1;",
        "if (accept) rows_q <= rows_q - 12'd1;",
        "the map ends behind as many words as it has rows",
    ),
    Fault(
        "stream_in/stuck",
        "valid_q <= accept;",
        "valid_q <= run_i;",
        "words are written also while none has come",
    ),
    Fault(
        "stream_out/no-last",
        "assign tlast_o   = valid_q && last_q && descriptor_i[`D_FRAME_END];",
        "assign tlast_o   = 1'b0;",
        "TLAST is missing",
    ),
    Fault(
        "stream_out/last-of-map",
        "assign tlast_o   = valid_q && last_q && descriptor_i[`D_FRAME_END];",
        "assign tlast_o   = valid_q && last_q;",
        "TLAST comes with every map's last word",
    ),
    Fault(
        "stream_out/idle-lanes",
        "(!partial_q || Lane < filled);",
        "1'b1;",
        "lanes without a channel are sent as they are",
    ),
    Fault(
        "stream_out/all-partial",
        "(!partial_q || Lane < filled);",
        "Lane < filled;",
        "all words of a pixel are cut as its last",
    ),
    Fault(
        "stream_out/taken-back",
        "else if (tready_i) valid_q <= 1'b0;",
        "else if (tready_i || !run_i) valid_q <= 1'b0;",
        "an abort takes back the word that is offered",
    ),
    Fault(
        "stream_out/overrun",
        "assign read_o    = run_i && reading_q && (!valid_q || tready_i);",
        "assign read_o    = run_i && reading_q;",
        "words are read that the receiver has not room for",
    ),
    Fault(
        "stream_out/held",
        "assign held_o    = valid_q && !tready_i;",
        "assign held_o    = 1'b0;",
        "a word that waits is not reported to the sequencer",
    ),
    Fault(
        "stream_out/beyond",
        "if (read_o && !beyond_i) valid_q <= 1'b1;",
        "if (read_o) valid_q <= 1'b1;",
        "a word from beyond the bank is offered",
    ),
    Fault(
        "stream_out/finish",
        "assign finish_o  = run_i && !reading_q && valid_q && tready_i;",
        "assign finish_o  = run_i && !reading_q && valid_q;",
        "the layer ends before its last word is taken",
    ),
    Fault(
        "stream_out/wait",
        "assign wait_o    = valid_q && !tready_i;",
        "assign wait_o    = 1'b0;",
        "a receiver that blocks counts as output",
    ),
    Fault(
        "stream_out/rows",
        "if (row_end) rows_q <= rows_q - 12'd1;",
        "if (pixel_end) rows_q <= rows_q - 12'd1;",
        "the map ends behind as many pixels as it has rows",
    ),
)
