// codesign_accelerator: a small mixed-precision accelerator that runs a network from one program.
//
//   AXI4-Lite     registers, counters, and a window on every memory (docs/hardware/registers.md)
//   AXI4-Stream   a frame comes in and its results go out, an activation word a beat
//   irq_o         done, error or pause, as MODE asks
//
// What it computes is in docs/hardware/program.md, in which cycle in docs/hardware/schedule.md. All
// parameters come from a hardware configuration; the defaults are hw_configs/tiny.yaml. Reset is
// asserted asynchronously and must be released synchronously to clk_i.
`default_nettype none
`include "codesign.vh"
module codesign_accelerator #(
  parameter InputLanes     = 4,
  parameter OutputLanes    = 4,
  parameter WeightBits     = 3,
  parameter WeightWord     = 12,
  parameter BiasBits       = 16,
  parameter Pixels         = 16,
  parameter AccBits        = 20,
  parameter WeightDepth    = 4000,
  parameter ParameterDepth = 62,
  parameter ProgramDepth   = 17,
  parameter BankDepth      = 1024,
  parameter Banks          = 2,
  parameter SkipDepth      = 0,
  parameter HasThreshold   = 1,
  parameter HasPool        = 1,
  parameter HasArgmax      = 1
) (
  input  wire                                clk_i,
  input  wire                                rst_ni,
  output wire                                irq_o,
  input  wire [7:0]                          s_axil_awaddr,
  input  wire [2:0]                          s_axil_awprot,
  input  wire                                s_axil_awvalid,
  output wire                                s_axil_awready,
  input  wire [31:0]                         s_axil_wdata,
  input  wire [3:0]                          s_axil_wstrb,
  input  wire                                s_axil_wvalid,
  output wire                                s_axil_wready,
  output wire [1:0]                          s_axil_bresp,
  output wire                                s_axil_bvalid,
  input  wire                                s_axil_bready,
  input  wire [7:0]                          s_axil_araddr,
  input  wire [2:0]                          s_axil_arprot,
  input  wire                                s_axil_arvalid,
  output wire                                s_axil_arready,
  output wire [31:0]                         s_axil_rdata,
  output wire [1:0]                          s_axil_rresp,
  output wire                                s_axil_rvalid,
  input  wire                                s_axil_rready,
  input  wire [(2*InputLanes+7)/8*8-1:0]     s_axis_tdata,
  input  wire                                s_axis_tvalid,
  output wire                                s_axis_tready,
  input  wire                                s_axis_tlast,
  output wire [(2*InputLanes+7)/8*8-1:0]     m_axis_tdata,
  output wire                                m_axis_tvalid,
  input  wire                                m_axis_tready,
  output wire                                m_axis_tlast
);
  localparam WordBits = 2 * InputLanes;
  localparam AllBanks = Banks + (SkipDepth > 0 ? 1 : 0);

  // ---- host ------------------------------------------------------------------------------------
  wire        start, resume, abort, discard, step, running, paused, discarding, done, error;
  wire        layer_start, window_en, window_we;
  wire [15:0] program_first, layer;
  wire [3:0]  error_code, cause, window_memory;
  wire [7:0]  window_chunk;
  wire [23:0] window_address;
  wire [31:0] window_wdata;
  wire [31:0] window_rdata;

  host_interface #(
    .InputLanes     (InputLanes),
    .OutputLanes    (OutputLanes),
    .WeightWord     (WeightWord),
    .BiasBits       (BiasBits),
    .WeightDepth    (WeightDepth),
    .ParameterDepth (ParameterDepth),
    .ProgramDepth   (ProgramDepth),
    .BankDepth      (BankDepth),
    .Banks          (Banks),
    .SkipDepth      (SkipDepth)
  ) host_interface_i (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .irq_o            (irq_o),
    .s_axil_awaddr    (s_axil_awaddr),
    .s_axil_awprot    (s_axil_awprot),
    .s_axil_awvalid   (s_axil_awvalid),
    .s_axil_awready   (s_axil_awready),
    .s_axil_wdata     (s_axil_wdata),
    .s_axil_wstrb     (s_axil_wstrb),
    .s_axil_wvalid    (s_axil_wvalid),
    .s_axil_wready    (s_axil_wready),
    .s_axil_bresp     (s_axil_bresp),
    .s_axil_bvalid    (s_axil_bvalid),
    .s_axil_bready    (s_axil_bready),
    .s_axil_araddr    (s_axil_araddr),
    .s_axil_arprot    (s_axil_arprot),
    .s_axil_arvalid   (s_axil_arvalid),
    .s_axil_arready   (s_axil_arready),
    .s_axil_rdata     (s_axil_rdata),
    .s_axil_rresp     (s_axil_rresp),
    .s_axil_rvalid    (s_axil_rvalid),
    .s_axil_rready    (s_axil_rready),
    .start_o          (start),
    .continue_o       (resume),
    .abort_o          (abort),
    .discard_o        (discard),
    .step_o           (step),
    .program_o        (program_first),
    .running_i        (running),
    .paused_i         (paused),
    .discarding_i     (discarding),
    .done_i           (done),
    .error_i          (error),
    .error_code_i     (error_code),
    .layer_i          (layer),
    .layer_start_i    (layer_start),
    .cause_i          (cause),
    .window_en_o      (window_en),
    .window_we_o      (window_we),
    .window_memory_o  (window_memory),
    .window_address_o (window_address),
    .window_chunk_o   (window_chunk),
    .window_wdata_o   (window_wdata),
    .window_rdata_i   (window_rdata)
  );

  // ---- program ---------------------------------------------------------------------------------
  wire [`DESCRIPTOR_BITS-1:0] descriptor;
  wire        fetch, read_state, decode_state, start_state, run, finish, fail, beat_held, discarded;
  wire [15:0] fetch_address;
  wire [3:0]  check, fail_code, unit_cause;
  wire [31:0] program_rdata;
  wire        program_beyond;

  sequencer #(.ProgramDepth(ProgramDepth)) sequencer_i (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .start_i         (start),
    .continue_i      (resume),
    .abort_i         (abort),
    .discard_i       (discard),
    .step_i          (step),
    .program_i       (program_first),
    .running_o       (running),
    .paused_o        (paused),
    .discarding_o    (discarding),
    .done_o          (done),
    .error_o         (error),
    .error_code_o    (error_code),
    .layer_o         (layer),
    .layer_start_o   (layer_start),
    .cause_o         (cause),
    .fetch_o         (fetch),
    .fetch_address_o (fetch_address),
    .last_i          (descriptor[`D_LAST]),
    .check_i         (check),
    .read_o          (read_state),
    .decode_o        (decode_state),
    .start_o         (start_state),
    .run_o           (run),
    .finish_i        (finish),
    .fail_i          (fail),
    .fail_code_i     (fail_code),
    .cause_i         (unit_cause),
    .beat_held_i     (beat_held),
    .discarded_i     (discarded)
  );

  word_memory #(
    .Width (`DESCRIPTOR_BITS),
    .Depth (ProgramDepth)
  ) program_memory_i (
    .clk_i            (clk_i),
    .read_i           (fetch),
    .address_i        ({8'd0, fetch_address}),
    .word_o           (descriptor),
    .beyond_o         (program_beyond),
    .window_en_i      (window_en && window_memory == `MEMORY_PROGRAM),
    .window_we_i      (window_we),
    .window_address_i (window_address),
    .window_chunk_i   (window_chunk),
    .window_wdata_i   (window_wdata),
    .window_rdata_o   (program_rdata)
  );

  descriptor_check #(
    .InputLanes   (InputLanes),
    .WeightBits   (WeightBits),
    .Pixels       (Pixels),
    .AllBanks     (AllBanks),
    .HasThreshold (HasThreshold),
    .HasPool      (HasPool),
    .HasArgmax    (HasArgmax)
  ) descriptor_check_i (
    .descriptor_i (descriptor),
    .error_o      (check)
  );

  wire [23:0] words_in, words_out, row, column_step, row_step, origin;
  geometry #(.InputLanes(InputLanes)) geometry_i (
    .clk_i         (clk_i),
    .read_i        (read_state),
    .decode_i      (decode_state),
    .start_i       (start_state),
    .descriptor_i  (descriptor),
    .words_in_o    (words_in),
    .words_out_o   (words_out),
    .row_o         (row),
    .column_step_o (column_step),
    .row_step_o    (row_step),
    .origin_o      (origin)
  );

  // one unit runs at a time
  wire [2:0] operation = descriptor[`D_OPERATION];
  wire run_load    = run && operation == `OP_LOAD;
  wire run_store   = run && operation == `OP_STORE;
  wire run_product = run && operation == `OP_PRODUCT;
  wire run_vector  = run && operation == `OP_VECTOR;
  wire run_reorder = run && operation == `OP_REORDER;

  // ---- memories --------------------------------------------------------------------------------
  wire                            weight_read, weight_beyond;
  wire [23:0]                     weight_address;
  wire [WeightWord-1:0]           weight_word;
  wire [31:0]                     weight_rdata;
  word_memory #(
    .Width (WeightWord),
    .Depth (WeightDepth)
  ) weight_memory_i (
    .clk_i            (clk_i),
    .read_i           (weight_read),
    .address_i        (weight_address),
    .word_o           (weight_word),
    .beyond_o         (weight_beyond),
    .window_en_i      (window_en && window_memory == `MEMORY_WEIGHTS),
    .window_we_i      (window_we),
    .window_address_i (window_address),
    .window_chunk_i   (window_chunk),
    .window_wdata_i   (window_wdata),
    .window_rdata_o   (weight_rdata)
  );

  wire                            bias_read, bias_beyond;
  wire [15:0]                     bias_address;
  wire [OutputLanes*BiasBits-1:0] biases;
  wire [31:0]                     bias_rdata;
  word_memory #(
    .Width (OutputLanes * BiasBits),
    .Depth (ParameterDepth)
  ) parameter_memory_i (
    .clk_i            (clk_i),
    .read_i           (bias_read),
    .address_i        ({8'd0, bias_address}),
    .word_o           (biases),
    .beyond_o         (bias_beyond),
    .window_en_i      (window_en && window_memory == `MEMORY_PARAMETERS),
    .window_we_i      (window_we),
    .window_address_i (window_address),
    .window_chunk_i   (window_chunk),
    .window_wdata_i   (window_wdata),
    .window_rdata_o   (bias_rdata)
  );

  wire                  product_read, map_read, reorder_read, store_read;
  wire [23:0]           product_address, map_address, reorder_read_address, store_address;
  wire                  result_write, reorder_write, load_write;
  wire [23:0]           result_address, reorder_write_address, load_address;
  wire [WordBits-1:0]   result_data, reorder_data, load_data;
  wire [InputLanes-1:0] result_mask, reorder_mask;
  wire [WordBits-1:0]   word;
  wire                  bank_beyond;
  wire [31:0]           bank_rdata;
  wire                  window_bank = window_memory[3];

  bank_switch #(
    .InputLanes (InputLanes),
    .Banks      (Banks),
    .BankDepth  (BankDepth),
    .SkipDepth  (SkipDepth)
  ) bank_switch_i (
    .clk_i            (clk_i),
    .read_i           (product_read || map_read || reorder_read || store_read),
    .read_bank_i      (descriptor[`D_SOURCE_BANK]),
    .read_address_i   (run_product ? product_address : run_vector ? map_address
                       : run_reorder ? reorder_read_address : store_address),
    .word_o           (word),
    .write_i          (result_write || reorder_write || load_write),
    .write_bank_i     (descriptor[`D_TARGET_BANK]),
    .write_address_i  (run_load ? load_address
                       : run_reorder ? reorder_write_address : result_address),
    .data_i           (run_load ? load_data : run_reorder ? reorder_data : result_data),
    .mask_i           (run_load ? {InputLanes{1'b1}} : run_reorder ? reorder_mask : result_mask),
    .beyond_o         (bank_beyond),
    .window_en_i      (window_en && window_bank),
    .window_we_i      (window_we),
    .window_bank_i    ({1'b0, window_memory[2:0]}),
    .window_address_i (window_address),
    .window_chunk_i   (window_chunk),
    .window_wdata_i   (window_wdata),
    .window_rdata_o   (bank_rdata)
  );

  assign window_rdata = window_bank ? bank_rdata
                      : window_memory == `MEMORY_PROGRAM ? program_rdata
                      : window_memory == `MEMORY_WEIGHTS ? weight_rdata : bias_rdata;

  // ---- products --------------------------------------------------------------------------------
  wire        handover, tile_begin, tile_end, layer_end, drained, product_finish;
  wire [8:0]  turn_outputs, product_rotate, map_rotate;
  wire [11:0] turn_rows, turn_columns;
  wire        drain_issue, drain_value, drain_window_first, drain_window_last, drain_sum_first;
  wire        drain_compare, drain_emit, drain_turn_first;
  wire [11:0] drain_index;
  wire [8:0]  drain_lane, drain_outputs;
  wire        advance, empty;
  wire [3:0]  product_cause;
  wire [OutputLanes*AccBits-1:0] sums;
  wire [WordBits-1:0] turned;

  lane_rotate #(.InputLanes(InputLanes)) lane_rotate_i (
    .word_i   (word),
    .rotate_i (run_product ? product_rotate : map_rotate),
    .word_o   (turned)
  );

  product_unit #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .WeightBits  (WeightBits),
    .WeightWord  (WeightWord),
    .AccBits     (AccBits),
    .Pixels      (Pixels)
  ) product_unit_i (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .start_i          (start_state),
    .run_i            (run_product),
    .descriptor_i     (descriptor),
    .words_in_i       (words_in),
    .row_i            (row),
    .column_step_i    (column_step),
    .row_step_i       (row_step),
    .origin_i         (origin),
    .weight_read_o    (weight_read),
    .weight_address_o (weight_address),
    .weight_word_i    (weight_word),
    .read_o           (product_read),
    .address_o        (product_address),
    .rotate_o         (product_rotate),
    .word_i           (turned),
    .handover_o       (handover),
    .outputs_o        (turn_outputs),
    .rows_o           (turn_rows),
    .columns_o        (turn_columns),
    .tile_begin_o     (tile_begin),
    .tile_end_o       (tile_end),
    .layer_end_o      (layer_end),
    .drained_i        (drained),
    .drain_read_i     (drain_issue && drain_value && advance),
    .drain_index_i    (drain_index),
    .sums_o           (sums),
    .finish_o         (product_finish),
    .cause_o          (product_cause)
  );

  drain_control drain_control_i (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .run_i          (run_product),
    .descriptor_i   (descriptor),
    .handover_i     (handover),
    .outputs_i      (turn_outputs),
    .rows_i         (turn_rows),
    .columns_i      (turn_columns),
    .tile_begin_i   (tile_begin),
    .tile_end_i     (tile_end),
    .layer_end_i    (layer_end),
    .advance_i      (advance),
    .empty_i        (empty),
    .issue_o        (drain_issue),
    .value_o        (drain_value),
    .index_o        (drain_index),
    .window_first_o (drain_window_first),
    .window_last_o  (drain_window_last),
    .sum_first_o    (drain_sum_first),
    .compare_o      (drain_compare),
    .lane_o         (drain_lane),
    .emit_o         (drain_emit),
    .turn_first_o   (drain_turn_first),
    .outputs_o      (drain_outputs),
    .drained_o      (drained)
  );

  // ---- maps without products -------------------------------------------------------------------
  wire        map_issue, map_read_token, map_value, map_window_first, map_window_last;
  wire        map_sum_first, map_compare, map_emit, map_tile_first, map_tile_last, vector_finish;
  wire [15:0] map_number;
  wire [8:0]  map_issue_rotate, map_lane, map_outputs;

  vector_control #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes)
  ) vector_control_i (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .start_i        (start_state),
    .run_i          (run_vector),
    .descriptor_i   (descriptor),
    .words_in_i     (words_in),
    .row_i          (row),
    .column_step_i  (column_step),
    .row_step_i     (row_step),
    .advance_i      (advance),
    .empty_i        (empty),
    .issue_o        (map_issue),
    .read_o         (map_read_token),
    .address_o      (map_address),
    .number_o       (map_number),
    .rotate_o       (map_issue_rotate),
    .value_o        (map_value),
    .window_first_o (map_window_first),
    .window_last_o  (map_window_last),
    .sum_first_o    (map_sum_first),
    .compare_o      (map_compare),
    .lane_o         (map_lane),
    .emit_o         (map_emit),
    .tile_first_o   (map_tile_first),
    .tile_last_o    (map_tile_last),
    .outputs_o      (map_outputs),
    .finish_o       (vector_finish)
  );
  assign map_read = run_vector && map_read_token && advance;

  // ---- results ---------------------------------------------------------------------------------
  // a token holds the channels less one, 8 b
  wire [8:0] drain_channels = drain_outputs - 9'd1;
  wire [8:0] map_channels   = map_outputs - 9'd1;

  result_unit #(
    .InputLanes   (InputLanes),
    .OutputLanes  (OutputLanes),
    .AccBits      (AccBits),
    .BiasBits     (BiasBits),
    .HasThreshold (HasThreshold),
    .HasPool      (HasPool),
    .HasArgmax    (HasArgmax)
  ) result_unit_i (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .start_i        (start_state),
    .run_i          (run_product || run_vector),
    .descriptor_i   (descriptor),
    .words_out_i    (words_out),
    .drain_issue_i  (drain_issue),
    .drain_token_i  ({drain_value, drain_window_first, drain_window_last, drain_sum_first,
                      drain_compare, drain_lane, drain_emit, 1'b0, drain_channels[7:0]}),
    .drain_first_i  (drain_turn_first),
    .map_issue_i    (map_issue),
    .map_token_i    ({map_value, map_window_first, map_window_last, map_sum_first,
                      map_compare, map_lane, map_emit, map_tile_last, map_channels[7:0]}),
    .map_first_i    (map_tile_first),
    .map_read_i     (map_read_token),
    .map_number_i   (map_number),
    .map_rotate_i   (map_issue_rotate),
    .handover_i     (handover),
    .tile_begin_i   (tile_begin),
    .tile_outputs_i (drain_outputs),
    .sums_i         (sums),
    .word_i         (turned),
    .bias_read_o    (bias_read),
    .bias_address_o (bias_address),
    .biases_i       (biases),
    .rotate_o       (map_rotate),
    .write_o        (result_write),
    .address_o      (result_address),
    .data_o         (result_data),
    .mask_o         (result_mask),
    .advance_o      (advance),
    .empty_o        (empty)
  );

  // ---- reorder, load, store --------------------------------------------------------------------
  wire reorder_finish;
  reorder_unit #(.InputLanes(InputLanes)) reorder_unit_i (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .start_i         (start_state),
    .run_i           (run_reorder),
    .descriptor_i    (descriptor),
    .words_in_i      (words_in),
    .words_out_i     (words_out),
    .read_o          (reorder_read),
    .read_address_o  (reorder_read_address),
    .word_i          (word),
    .write_o         (reorder_write),
    .write_address_o (reorder_write_address),
    .data_o          (reorder_data),
    .mask_o          (reorder_mask),
    .finish_o        (reorder_finish)
  );

  wire       load_finish, load_fail, load_wait;
  wire [3:0] load_fail_code;
  stream_in #(.InputLanes(InputLanes)) stream_in_i (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .start_i      (start_state),
    .run_i        (run_load),
    .descriptor_i (descriptor),
    .row_i        (row),
    .discard_i    (discarding),
    .discarded_o  (discarded),
    .tdata_i      (s_axis_tdata[WordBits-1:0]),
    .tvalid_i     (s_axis_tvalid),
    .tlast_i      (s_axis_tlast),
    .tready_o     (s_axis_tready),
    .write_o      (load_write),
    .address_o    (load_address),
    .data_o       (load_data),
    .finish_o     (load_finish),
    .fail_o       (load_fail),
    .fail_code_o  (load_fail_code),
    .wait_o       (load_wait)
  );

  wire store_finish, store_wait;
  wire [WordBits-1:0] tdata;
  stream_out #(.InputLanes(InputLanes)) stream_out_i (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .start_i      (start_state),
    .run_i        (run_store),
    .descriptor_i (descriptor),
    .words_in_i   (words_in),
    .read_o       (store_read),
    .address_o    (store_address),
    .beyond_i     (bank_beyond),
    .word_i       (word),
    .tdata_o      (tdata),
    .tvalid_o     (m_axis_tvalid),
    .tlast_o      (m_axis_tlast),
    .tready_i     (m_axis_tready),
    .held_o       (beat_held),
    .finish_o     (store_finish),
    .wait_o       (store_wait)
  );
  generate
    if (WordBits % 8 != 0) begin : g_pad
      assign m_axis_tdata = {{(8-WordBits%8){1'b0}}, tdata};
      wire unused_tdata = &{1'b0, s_axis_tdata[(WordBits+7)/8*8-1:WordBits]};
    end else begin : g_whole
      assign m_axis_tdata = tdata;
    end
  endgenerate

  // ---- the layer's end and the cause of its cycles ---------------------------------------------
  wire beyond = weight_beyond || bias_beyond || bank_beyond;
  assign finish = (run_load && load_finish) || (run_store && store_finish)
                  || (run_product && product_finish) || (run_vector && vector_finish)
                  || (run_reorder && reorder_finish);
  assign fail       = beyond || load_fail;
  assign fail_code  = beyond ? `E_ADDRESS : load_fail_code;
  assign unit_cause = run_load    ? (load_wait ? `CAUSE_WAIT : `CAUSE_INPUT)
                    : run_store   ? (store_wait ? `CAUSE_WAIT : `CAUSE_OUTPUT)
                    : run_product ? product_cause : `CAUSE_VECTOR;
  wire unused = &{1'b0, program_beyond};
endmodule
`default_nettype wire
