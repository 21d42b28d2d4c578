// product_control: the steps and turns of a product layer.
//
//   FIRST    the first weight tile is fetched                                    weight_load
//   ISSUE    a pixel of the block a cycle                                        compute
//   STALL    the turn of the accumulator banks, or the next tile is not there    stall
//   FLUSH    three cycles: word read, products summed, accumulated               drain
//   WAIT     the drain of the turn before has not ended                          drain
//   FINAL    the last drain                                                      drain
//
// handover_o: the accumulator sets change places; the drain begins with the turn that has ended and
// the array with the next one, both in the next cycle. The pixel that is issued passes on with its
// operands:
//
//   cycle       t          t+1              t+2                 t+3
//               address -> word, decode  -> products, sum    -> accumulator written
//                                           accumulator read
`default_nettype none
`include "codesign.vh"
module product_control (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        start_i,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 origin_i,
  input  wire [23:0]                 column_step_i,
  input  wire [23:0]                 row_step_i,
  // the step that comes next, and its weight tile
  output wire                        advance_o,
  input  wire [8:0]                  next_outputs_i,
  input  wire [8:0]                  next_rotate_i,
  input  wire [8:0]                  next_lanes_i,
  input  wire [3:0]                  next_inputs_log_i,
  input  wire [23:0]                 next_offset_i,
  input  wire [5:0]                  next_tap_row_i,
  input  wire [5:0]                  next_tap_column_i,
  input  wire [1:0]                  next_move_i,
  input  wire [11:0]                 next_rows_i,
  input  wire [11:0]                 next_columns_i,
  input  wire                        next_first_i,
  input  wire                        next_last_i,
  input  wire                        next_tile_end_i,
  input  wire                        next_layer_end_i,
  input  wire                        tile_ready_i,
  // the pixel that is issued
  output wire                        issue_o,
  output wire                        pad_o,
  output wire [23:0]                 address_o,
  output wire [11:0]                 index_o,
  output wire                        first_o,       // the accumulator begins
  output wire [8:0]                  rotate_o,
  output wire [8:0]                  lanes_o,
  output wire [3:0]                  inputs_log_o,
  output wire                        buffer_o,      // weight tile buffer
  output wire                        set_o,         // accumulator set
  // the turn that has ended
  output wire                        handover_o,
  output wire [8:0]                  outputs_o,
  output wire [11:0]                 rows_o,
  output wire [11:0]                 columns_o,
  output wire                        tile_begin_o,
  output wire                        tile_end_o,
  output wire                        layer_end_o,
  input  wire                        drained_i,
  output wire                        finish_o,
  output reg  [3:0]                  cause_o
);
  localparam [2:0] FIRST = 3'd0, ISSUE = 3'd1, STALL = 3'd2, FLUSH = 3'd3, WAIT = 3'd4,
                   FINAL = 3'd5;

  reg [2:0] state_q, state_d;
  reg [1:0] flush_q;
  reg       buffer_q, set_q;

  // the step that is being computed
  reg [8:0]  outputs_q, rotate_q, lanes_q;
  reg [3:0]  inputs_log_q;
  reg [23:0] offset_q;
  reg [5:0]  tap_row_q, tap_column_q;
  reg [11:0] rows_q, columns_q;
  reg        first_q, last_q, tile_begin_q, tile_end_q, layer_end_q;

  wire signed [16:0] y, x;
  wire        last_pixel;
  wire [23:0] pixel;

  wire final_step = last_q && layer_end_q;
  wire ready      = tile_ready_i || final_step;
  wire flushed    = (state_q == FLUSH && flush_q == 2'd2) || state_q == WAIT;
  wire handover   = run_i && flushed && drained_i;
  reg  begin_step;

  always @* begin
    state_d    = state_q;
    begin_step = 1'b0;
    case (state_q)
      FIRST: if (tile_ready_i) begin_step = 1'b1;
      ISSUE:
        if (last_pixel) begin
          if (index_o[0] == 1'b0 || !ready) state_d = STALL;
          else if (last_q) state_d = FLUSH;
          else begin_step = 1'b1;
        end
      STALL:
        if (ready) begin
          if (last_q) state_d = FLUSH;
          else begin_step = 1'b1;
        end
      FLUSH, WAIT:
        if (handover) begin
          if (layer_end_q) state_d = FINAL;
          else begin_step = 1'b1;
        end else if (flushed) state_d = WAIT;
      default: state_d = state_q;
    endcase
    if (begin_step) state_d = ISSUE;
  end

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) state_q <= FIRST;
    else state_q <= run_i ? state_d : FIRST;

  always @(posedge clk_i)
    if (start_i) begin
      buffer_q <= 1'b1;
      set_q    <= 1'b0;
      flush_q  <= 2'd0;
    end else begin
      flush_q <= state_q == FLUSH ? flush_q + 2'd1 : 2'd0;
      if (handover) set_q <= !set_q;
      if (begin_step) begin
        buffer_q     <= !buffer_q;
        outputs_q    <= next_outputs_i;
        rotate_q     <= next_rotate_i;
        lanes_q      <= next_lanes_i;
        inputs_log_q <= next_inputs_log_i;
        offset_q     <= next_offset_i;
        tap_row_q    <= next_tap_row_i;
        tap_column_q <= next_tap_column_i;
        rows_q       <= next_rows_i;
        columns_q    <= next_columns_i;
        first_q      <= next_first_i;
        last_q       <= next_last_i;
        tile_end_q   <= next_tile_end_i;
        layer_end_q  <= next_layer_end_i;
        if (next_first_i) tile_begin_q <= next_move_i == 2'd3;
      end
    end

  pixel_walker pixel_walker_i (
    .clk_i         (clk_i),
    .begin_i       (begin_step && run_i),
    .next_i        (issue_o),
    .move_i        (next_move_i),
    .rows_i        (next_rows_i),
    .columns_i     (next_columns_i),
    .descriptor_i  (descriptor_i),
    .origin_i      (origin_i),
    .column_step_i (column_step_i),
    .row_step_i    (row_step_i),
    .address_o     (pixel),
    .y_o           (y),
    .x_o           (x),
    .index_o       (index_o),
    .last_o        (last_pixel)
  );

  wire signed [16:0] tap_y  = y + $signed({11'd0, tap_row_q});
  wire signed [16:0] tap_x  = x + $signed({11'd0, tap_column_q});
  wire signed [16:0] height = {5'd0, descriptor_i[`D_INPUT_HEIGHT]};
  wire signed [16:0] width  = {5'd0, descriptor_i[`D_INPUT_WIDTH]};

  assign issue_o      = run_i && state_q == ISSUE;
  assign pad_o        = tap_y < 17'sd0 || tap_y >= height || tap_x < 17'sd0 || tap_x >= width;
  assign address_o    = pixel + offset_q;
  assign first_o      = first_q;
  assign rotate_o     = rotate_q;
  assign lanes_o      = lanes_q;
  assign inputs_log_o = inputs_log_q;
  assign buffer_o     = buffer_q;
  assign set_o        = set_q;
  assign advance_o    = run_i && begin_step;
  assign handover_o   = handover;
  assign outputs_o    = outputs_q;
  assign rows_o       = rows_q;
  assign columns_o    = columns_q;
  assign tile_begin_o = tile_begin_q;
  assign tile_end_o   = tile_end_q;
  assign layer_end_o  = layer_end_q;
  assign finish_o     = run_i && state_q == FINAL && drained_i;

  always @*
    case (state_q)
      FIRST:   cause_o = `CAUSE_WEIGHT_LOAD;
      ISSUE:   cause_o = `CAUSE_COMPUTE;
      STALL:   cause_o = `CAUSE_STALL;
      default: cause_o = `CAUSE_DRAIN;
    endcase
endmodule
`default_nettype wire
