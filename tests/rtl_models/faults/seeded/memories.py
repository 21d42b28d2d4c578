"""Faults of the memories and of who reads and writes them."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault

FAULTS = (
    Fault(
        "sram_1rw/mask",
        "        if (wmask_i[part])\n",
        "        if (1'b1)\n",
        "a write takes all parts of a word",
    ),
    Fault(
        "sram_1rw/last-part",
        "if (LastBits != 0 && wmask_i[(Width-1) / MaskBits])",
        "if (LastBits != 0 && wmask_i[0])",
        "the narrow last part is written with the first",
    ),
    Fault(
        "sram_1rw/write-reads",
        "if (en_i && !we_i) rdata_q <= memory[address_i];",
        "if (en_i) rdata_q <= memory[address_i];",
        "a write changes what the memory shows",
    ),
    Fault(
        "sram_1rw/idle-reads",
        "if (en_i && !we_i) rdata_q <= memory[address_i];",
        "if (!we_i) rdata_q <= memory[address_i];",
        "the last word is not kept while the memory is idle",
    ),
    Fault(
        "sram_1rw/write-enable",
        "    if (en_i && we_i) begin",
        "    if (we_i) begin",
        "writes happen that are not enabled",
    ),
    Fault(
        "word_memory/beyond",
        "{1'b0, address_i} >= DEPTH;",
        "{1'b0, address_i} > DEPTH;",
        "the word behind the last is read",
    ),
    Fault(
        "word_memory/mask",
        "wire [Chunks-1:0] mask = ONE << window_chunk_i;",
        "wire [Chunks-1:0] mask = {Chunks{1'b1}};",
        "32 b from the host fill a whole word",
    ),
    Fault(
        "word_memory/chunk",
        "assign window_rdata_o = padded[window_chunk_i*32 +: 32];",
        "assign window_rdata_o = padded[31:0];",
        "the host reads a word's first 32 b only",
    ),
    Fault(
        "word_memory/address",
        "window_en_i ? window_address_i : address_i;",
        "window_we_i ? window_address_i : address_i;",
        "the host reads where the layer before did",
    ),
    Fault(
        "bank_switch/read-beyond",
        "{1'b0, read_address_i} < DEPTH;",
        "{1'b0, read_address_i} <= DEPTH;",
        "the word behind a bank's last is read",
    ),
    Fault(
        "bank_switch/write-beyond",
        "{1'b0, write_address_i} < DEPTH;",
        "{1'b0, write_address_i} <= DEPTH;",
        "the word behind a bank's last is written",
    ),
    Fault(
        "bank_switch/lane-mask",
        ".wmask_i   (window ? window_mask : mask_i)",
        ".wmask_i   (window ? window_mask : {InputLanes{1'b1}})",
        "a result overwrites the other lanes of its word",
    ),
    Fault(
        "bank_switch/swapped",
        "write_i && write_bank_i == Number;",
        "write_i && read_bank_i == Number;",
        "results go to the bank that is read",
    ),
    Fault(
        "bank_switch/window-mask",
        "assign window_mask[lane] = window_chunk_i == Chunk;",
        "assign window_mask[lane] = 1'b1;",
        "32 b from the host fill a whole word of a bank",
    ),
    Fault(
        "bank_switch/skip-depth",
        "bank < Banks ? BankDepth : SkipDepth;",
        "BankDepth;",
        "skip is taken to be as deep as a bank",
    ),
    Fault(
        "bank_switch/beyond-target",
        "(write_i && write_good == {All{1'b0}});",
        "1'b0;",
        "a write beyond the banks is no error",
    ),
    Fault(
        "bank_switch/window-word",
        "if (window_bank_i == number[3:0])",
        "if (read_bank_i == number[3:0])",
        "the host sees the bank that the last layer read",
    ),
    Fault(
        "accumulators/begin",
        "(write_first_q ? {AccBits{1'b0}} : old[lane*AccBits +: AccBits])",
        "old[lane*AccBits +: AccBits]",
        "sums begin with what was there",
    ),
    Fault(
        "accumulators/parity",
        "drain_odd_q <= drain_index_i[0];",
        "drain_odd_q <= drain_index_i[1];",
        "the drain takes a pixel of the other parity",
    ),
    Fault(
        "accumulators/old-set",
        "words[{write_set_q, write_index_q[0]}*Width +: Width]",
        "words[{!write_set_q, write_index_q[0]}*Width +: Width]",
        "sums go on from those of the other set",
    ),
    Fault(
        "accumulators/address",
        "wire [11:0] address = index >> 1;",
        "wire [11:0] address = index;",
        "two pixels share an accumulator",
    ),
    Fault(
        "accumulators/drain-set",
        "drain_set_q <= drain_set_i;",
        "drain_set_q <= 1'b0;",
        "the first set is drained always",
    ),
    Fault(
        "accumulators/drain-kept",
        "    if (drain_read_i) begin\n      drain_set_q",
        "    begin\n      drain_set_q",
        "the drained sums are not kept while the result pipe is frozen",
    ),
)
