"""Faults of the bus, the registers, the counters and the window."""

from __future__ import annotations

from tests.rtl_models.faults.fault import Fault

FAULTS = (
    Fault(
        "axi_lite_slave/ready",
        "assign s_axil_awready = !aw_taken_q;",
        "assign s_axil_awready = 1'b1;",
        "a second write address is taken before the first is answered",
    ),
    Fault(
        "axi_lite_slave/valid-falls",
        "if (b_end) begin",
        "if (b_valid_q) begin",
        "the answer to a write is taken back where the host is not ready",
    ),
    Fault(
        "axi_lite_slave/read-error",
        "assign s_axil_rresp   = r_error_q ? SLVERR : OKAY;",
        "assign s_axil_rresp   = OKAY;",
        "no read is ever refused",
    ),
    Fault(
        "axi_lite_slave/strobe",
        "w_strobe_q <= s_axil_wstrb;",
        "w_strobe_q <= 4'b1111;",
        "partial writes count as whole ones",
    ),
    Fault(
        "axi_lite_slave/both-at-once",
        "wire read        = read_waits && !answer_due && !write;",
        "wire read        = read_waits && !answer_due;",
        "a read is asked in the cycle of a write, with the write's address",
    ),
    Fault(
        "axi_lite_slave/data-changes",
        "if (read_asked_q && !r_valid_q) begin",
        "if (read_asked_q) begin",
        "read data change while the host is not ready",
    ),
    Fault(
        "axi_lite_slave/answer-due",
        "wire answer_due  = (write_asked_q && !b_valid_q) || (read_asked_q && !r_valid_q);",
        "wire answer_due  = read_asked_q && !r_valid_q;",
        "a read is asked while the answer to a write is still due",
    ),
    Fault(
        "axi_lite_slave/reset",
        "      r_valid_q     <= 1'b0;\n      r_error_q ",
        "      r_valid_q     <= 1'b1;\n      r_error_q ",
        "an answer that nobody asked for comes out of reset",
    ),
    Fault(
        "host_interface/irq-unasked",
        "(done_q && mode_q[`F_MODE_IRQ_DONE])",
        "done_q",
        "done interrupts also where MODE does not ask",
    ),
    Fault(
        "host_interface/irq-bit",
        "(failed_q && mode_q[`F_MODE_IRQ_ERROR])",
        "(failed_q && mode_q[`F_MODE_IRQ_DONE])",
        "an error interrupts by the bit for done",
    ),
    Fault(
        "host_interface/several",
        "wire       denied   = several\n",
        "wire       denied   = 1'b0\n",
        "two commands in one write are carried out",
    ),
    Fault(
        "host_interface/start-paused",
        "(data[`F_CONTROL_START] && (busy || discarding_i))",
        "(data[`F_CONTROL_START] && (running_i || discarding_i))",
        "start while paused is not refused",
    ),
    Fault(
        "host_interface/continue",
        "|| (data[`F_CONTROL_CONTINUE] && !paused_i)",
        "",
        "continue while nothing is paused is not refused",
    ),
    Fault(
        "host_interface/discard-busy",
        "(data[`F_CONTROL_DISCARD] && (busy || discarding_i))",
        "(data[`F_CONTROL_DISCARD] && discarding_i)",
        "discard while busy is not refused",
    ),
    Fault(
        "host_interface/strobe",
        "strobe != 4'b1111",
        "strobe == 4'b0000",
        "a write of some bytes changes the whole register",
    ),
    Fault(
        "host_interface/window-running",
        "wire window_open = built && !running_i &&",
        "wire window_open = built &&",
        "memories are open to the host while a layer runs",
    ),
    Fault(
        "host_interface/window-depth",
        "{1'b0, word_q} < depth;",
        "{1'b0, word_q} <= depth;",
        "the word behind a memory's last is not refused",
    ),
    Fault(
        "host_interface/window-unbuilt",
        "built = memory_q >= {4'd0, `MEMORY_BANK} && memory_q < Skip[7:0];",
        "built = memory_q < Skip[7:0];",
        "memories 3 to 7 are taken for banks",
    ),
    Fault(
        "host_interface/next-word",
        "if (chunk_q == last_chunk) word_q <= word_q + 24'd1;",
        "if (chunk_q == 8'd0) word_q <= word_q + 24'd1;",
        "the window goes on behind a word's first chunk, not its last",
    ),
    Fault(
        "host_interface/select-chunk",
        "        memory_q <= data[`F_MEMORY_SELECT_MEMORY];\n        chunk_q  <= 8'd0;",
        "        memory_q <= data[`F_MEMORY_SELECT_MEMORY];",
        "another memory is begun in the middle of a word",
    ),
    Fault(
        "host_interface/address-chunk",
        "        word_q  <= data[`F_MEMORY_ADDRESS_ADDRESS];\n        chunk_q <= 8'd0;",
        "        word_q  <= data[`F_MEMORY_ADDRESS_ADDRESS];",
        "another word is begun in its middle",
    ),
    Fault(
        "host_interface/start-keeps",
        "if (control && (data[`F_CONTROL_START] || data[`F_CONTROL_CLEAR])) begin",
        "if (control && data[`F_CONTROL_CLEAR]) begin",
        "start leaves done and error as they were",
    ),
    Fault(
        "host_interface/clear-error",
        "        failed_q <= 1'b0;\n",
        "",
        "clear leaves the error",
    ),
    Fault(
        "host_interface/clear-at-end",
        "      // An end in the cycle of a clear is kept: the host has not seen it.\n"
        "      if (done_i)",
        "      else if (done_i)",
        "an end in the cycle of a clear is lost",
    ),
    Fault(
        "host_interface/reset",
        "mode_q        <= 4'd0;",
        "mode_q        <= 4'd1;",
        "MODE is not zero out of reset",
    ),
    Fault(
        "host_interface/frames",
        "        done_q   <= 1'b1;\n        frames_q <= frames_q + 32'd1;\n      end\n"
        "      if (error_i) begin\n",
        "        done_q   <= 1'b1;\n      end\n"
        "      if (done_i || error_i) frames_q <= frames_q + 32'd1;\n      if (error_i) begin\n",
        "FRAMES counts programs that failed",
    ),
    Fault(
        "host_interface/counter",
        ".select_i       (address[5:2])",
        ".select_i       (address[6:3])",
        "a counter is read at another's address",
    ),
    Fault(
        "profile_counters/keep",
        "else if (layer_start_i) count_q <= 32'd0;\n",
        "",
        "a layer's counters begin with those of the layer before",
    ),
    Fault(
        "profile_counters/paused",
        "else if (count_i && cause_i == cause)",
        "else if (cause_i == cause)",
        "cycles of a pause are counted",
    ),
    Fault(
        "profile_counters/frame-paused",
        "else if (count_i) frame_q",
        "else frame_q",
        "the frame's cycles go on while nothing runs",
    ),
    Fault(
        "profile_counters/frame-keep",
        "else if (frame_start_i) frame_q <= 64'd0;\n",
        "",
        "the frame's cycles begin with those of the frame before",
    ),
    Fault(
        "profile_counters/last",
        "select_i <= `CAUSE_WAIT ?",
        "select_i < `CAUSE_WAIT ?",
        "the last counter reads zero",
    ),
)
