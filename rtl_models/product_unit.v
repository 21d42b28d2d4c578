// product_unit: the array and all that feeds it: steps, weight tiles, operands, accumulators.
//
//   cycle   t                t+1                  t+2                           t+3
//           pixel, address   word, turn, decode   weights x operands, sum       accumulator written
//                                                 accumulator read
//
// A turn that has ended goes to the drain with handover_o; docs/hardware/schedule.md counts the
// cycles.
`default_nettype none
`include "codesign.vh"
module product_unit #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4,
  parameter WeightBits  = 3,
  parameter WeightWord  = 12,
  parameter AccBits     = 20,
  parameter Pixels      = 16
) (
  input  wire                           clk_i,
  input  wire                           rst_ni,
  input  wire                           start_i,
  input  wire                           run_i,
  input  wire [`DESCRIPTOR_BITS-1:0]    descriptor_i,
  input  wire [23:0]                    words_in_i,
  input  wire [23:0]                    row_i,
  input  wire [23:0]                    column_step_i,
  input  wire [23:0]                    row_step_i,
  input  wire [23:0]                    origin_i,
  // weights
  output wire                           weight_read_o,
  output wire [23:0]                    weight_address_o,
  input  wire [WeightWord-1:0]          weight_word_i,
  // activations
  output wire                           read_o,
  output wire [23:0]                    address_o,
  output wire [8:0]                     rotate_o,
  input  wire [2*InputLanes-1:0]        word_i,          // turned by rotate_o
  // drain
  output wire                           handover_o,
  output wire [8:0]                     outputs_o,
  output wire [11:0]                    rows_o,
  output wire [11:0]                    columns_o,
  output wire                           tile_begin_o,
  output wire                           tile_end_o,
  output wire                           layer_end_o,
  input  wire                           drained_i,
  input  wire                           drain_read_i,
  input  wire [11:0]                    drain_index_i,
  output wire [OutputLanes*AccBits-1:0] sums_o,
  output wire                           finish_o,
  output wire [3:0]                     cause_o
);
  localparam Codes = InputLanes * OutputLanes;

  wire        advance, tile_ready;
  wire [8:0]  next_outputs, next_rotate, next_lanes;
  wire [3:0]  next_inputs_log;
  wire [23:0] next_offset;
  wire [5:0]  next_tap_row, next_tap_column;
  wire [1:0]  next_move;
  wire [11:0] next_rows, next_columns;
  wire        next_first, next_last, next_tile_end, next_layer_end;

  step_walker #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes)
  ) step_walker_i (
    .clk_i           (clk_i),
    .start_i         (start_i),
    .advance_i       (advance),
    .descriptor_i    (descriptor_i),
    .words_in_i      (words_in_i),
    .row_i           (row_i),
    .outputs_o       (next_outputs),
    .rotate_o        (next_rotate),
    .lanes_o         (next_lanes),
    .inputs_log_o    (next_inputs_log),
    .offset_o        (next_offset),
    .tap_row_o       (next_tap_row),
    .tap_column_o    (next_tap_column),
    .move_o          (next_move),
    .block_rows_o    (next_rows),
    .block_columns_o (next_columns),
    .first_step_o    (next_first),
    .last_step_o     (next_last),
    .tile_end_o      (next_tile_end),
    .layer_end_o     (next_layer_end)
  );

  wire        issue, pad, first, buffer, set;
  wire [11:0] index;
  wire [8:0]  rotate, lanes;
  wire [3:0]  inputs_log;
  product_control product_control_i (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .start_i           (start_i),
    .run_i             (run_i),
    .descriptor_i      (descriptor_i),
    .origin_i          (origin_i),
    .column_step_i     (column_step_i),
    .row_step_i        (row_step_i),
    .advance_o         (advance),
    .next_outputs_i    (next_outputs),
    .next_rotate_i     (next_rotate),
    .next_lanes_i      (next_lanes),
    .next_inputs_log_i (next_inputs_log),
    .next_offset_i     (next_offset),
    .next_tap_row_i    (next_tap_row),
    .next_tap_column_i (next_tap_column),
    .next_move_i       (next_move),
    .next_rows_i       (next_rows),
    .next_columns_i    (next_columns),
    .next_first_i      (next_first),
    .next_last_i       (next_last),
    .next_tile_end_i   (next_tile_end),
    .next_layer_end_i  (next_layer_end),
    .tile_ready_i      (tile_ready),
    .issue_o           (issue),
    .pad_o             (pad),
    .address_o         (address_o),
    .index_o           (index),
    .first_o           (first),
    .rotate_o          (rotate),
    .lanes_o           (lanes),
    .inputs_log_o      (inputs_log),
    .buffer_o          (buffer),
    .set_o             (set),
    .handover_o        (handover_o),
    .outputs_o         (outputs_o),
    .rows_o            (rows_o),
    .columns_o         (columns_o),
    .tile_begin_o      (tile_begin_o),
    .tile_end_o        (tile_end_o),
    .layer_end_o       (layer_end_o),
    .drained_i         (drained_i),
    .finish_o          (finish_o),
    .cause_o           (cause_o)
  );

  wire        load, load_buffer;
  wire [16:0] load_number;
  weight_fetch #(
    .WeightBits (WeightBits),
    .WeightWord (WeightWord)
  ) weight_fetch_i (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .start_i      (start_i),
    .begin_i      (advance),
    .none_i       (next_last && next_layer_end),
    .run_i        (run_i),
    .base_i       (descriptor_i[`D_WEIGHT_BASE]),
    .bits_i       (descriptor_i[`D_WEIGHT_BITS]),
    .outputs_i    (next_outputs),
    .inputs_log_i (next_inputs_log),
    .first_step_i (next_first),
    .move_i       (next_move),
    .en_o         (weight_read_o),
    .address_o    (weight_address_o),
    .load_o       (load),
    .number_o     (load_number),
    .buffer_o     (load_buffer),
    .ready_o      (tile_ready)
  );

  wire [2*Codes*WeightBits-1:0] tiles;
  genvar number;
  generate
    for (number = 0; number < 2; number = number + 1) begin : g_tile
      localparam [0:0] Number = number;
      weight_decoder #(
        .WeightBits (WeightBits),
        .WeightWord (WeightWord),
        .Codes      (Codes)
      ) weight_decoder_i (
        .clk_i    (clk_i),
        .load_i   (load && load_buffer == Number),
        .word_i   (weight_word_i),
        .number_i (load_number),
        .bits_i   (descriptor_i[`D_WEIGHT_BITS]),
        .codes_o  (tiles[number*Codes*WeightBits +: Codes*WeightBits])
      );
    end
  endgenerate

  // t+1: word and decode
  reg        s1_valid_q, s1_pad_q, s1_first_q, s1_buffer_q, s1_set_q;
  reg [8:0]  s1_rotate_q, s1_lanes_q;
  reg [3:0]  s1_inputs_log_q;
  reg [11:0] s1_index_q;
  // t+2: products
  reg        s2_valid_q, s2_first_q, s2_buffer_q, s2_set_q;
  reg [3:0]  s2_inputs_log_q;
  reg [11:0] s2_index_q;
  // t+3: accumulate
  reg        s3_valid_q;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      s3_valid_q <= 1'b0;
    end else begin
      s1_valid_q <= run_i && issue;
      s2_valid_q <= run_i && s1_valid_q;
      s3_valid_q <= run_i && s2_valid_q;
    end

  always @(posedge clk_i) begin
    if (issue) begin
      s1_pad_q        <= pad;
      s1_first_q      <= first;
      s1_buffer_q     <= buffer;
      s1_set_q        <= set;
      s1_rotate_q     <= rotate;
      s1_lanes_q      <= lanes;
      s1_inputs_log_q <= inputs_log;
      s1_index_q      <= index;
    end
    if (s1_valid_q) begin
      s2_first_q      <= s1_first_q;
      s2_buffer_q     <= s1_buffer_q;
      s2_set_q        <= s1_set_q;
      s2_inputs_log_q <= s1_inputs_log_q;
      s2_index_q      <= s1_index_q;
    end
  end

  wire [3*InputLanes-1:0] operands;
  lane_decoder #(.InputLanes(InputLanes)) lane_decoder_i (
    .clk_i       (clk_i),
    .en_i        (s1_valid_q),
    .word_i      (word_i),
    .pad_i       (s1_pad_q),
    .pad_code_i  (descriptor_i[`D_PAD_CODE]),
    .lanes_i     (s1_lanes_q),
    .form_i      (descriptor_i[`D_INPUT_FORM]),
    .lanes_log_i (descriptor_i[`D_INPUT_LANES]),
    .operands_o  (operands)
  );

  wire [OutputLanes*AccBits-1:0] sums;
  mac_array #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .WeightBits  (WeightBits),
    .AccBits     (AccBits)
  ) mac_array_i (
    .clk_i        (clk_i),
    .en_i         (s2_valid_q),
    .operands_i   (operands),
    .codes_i      (s2_buffer_q ? tiles[Codes*WeightBits +: Codes*WeightBits]
                               : tiles[0 +: Codes*WeightBits]),
    .inputs_log_i (s2_inputs_log_q),
    .lanes_log_i  (descriptor_i[`D_INPUT_LANES]),
    .low_i        (descriptor_i[`D_WEIGHT_LOW]),
    .double_i     (descriptor_i[`D_WEIGHT_STEP] == 2'd2),
    .sums_o       (sums)
  );

  accumulators #(
    .OutputLanes (OutputLanes),
    .AccBits     (AccBits),
    .Pixels      (Pixels)
  ) accumulators_i (
    .clk_i         (clk_i),
    .add_read_i    (s2_valid_q),
    .add_set_i     (s2_set_q),
    .add_index_i   (s2_index_q),
    .add_first_i   (s2_first_q),
    .sums_i        (sums),
    .add_write_i   (s3_valid_q),
    .drain_read_i  (drain_read_i),
    .drain_set_i   (!set),            // the set that was handed over
    .drain_index_i (drain_index_i),
    .drain_o       (sums_o)
  );

  assign read_o   = issue && !pad;
  assign rotate_o = s1_rotate_q;
endmodule
`default_nettype wire
