// drain_control: the order in which a turn leaves the accumulators.
//
// handover_i starts it on the turn that has ended. It issues a token a cycle, unless the result
// pipe is frozen (advance_i low): the accumulators of a pixel, window by window, row by row in a
// window; for an argmax the same pixel once for each output channel; and behind the last turn of an
// output tile (sum) or of the layer (argmax) a token that hands the reduced result over. Pixels
// that belong to no whole window are not read. drained_o is high in the last cycle of the drain,
// and until the next hand-over.
`default_nettype none
`include "codesign.vh"
module drain_control (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire                        handover_i,
  input  wire [8:0]                  outputs_i,
  input  wire [11:0]                 rows_i,
  input  wire [11:0]                 columns_i,
  input  wire                        tile_begin_i,
  input  wire                        tile_end_i,
  input  wire                        layer_end_i,
  input  wire                        advance_i,
  input  wire                        empty_i,         // nothing is on its way to the memory
  // token
  output wire                        issue_o,
  output wire                        value_o,         // a pixel's accumulators are read
  output wire [11:0]                 index_o,
  output wire                        window_first_o,
  output wire                        window_last_o,
  output wire                        sum_first_o,
  output wire                        compare_o,
  output wire [8:0]                  lane_o,
  output wire                        emit_o,
  output wire                        turn_first_o,    // the turn's first token: its biases are read
  output reg  [8:0]                  outputs_o,
  output wire                        drained_o
);
  localparam [1:0] NONE = 2'd0, PIXELS = 2'd1, EMIT = 2'd2;

  wire [11:0] pool_rows    = {6'd0, descriptor_i[`D_POOL_ROWS]};
  wire [11:0] pool_columns = {6'd0, descriptor_i[`D_POOL_COLUMNS]};
  wire        index_wanted = descriptor_i[`D_REDUCE] == `REDUCE_INDEX;
  wire        sum_wanted   = descriptor_i[`D_REDUCE] == `REDUCE_SUM;

  reg [1:0]  phase_q;
  reg [11:0] block_columns_q;
  reg [11:0] rows_left_q, columns_left_q;    // of the block, this window included
  reg [11:0] tap_rows_q, tap_columns_q;      // of the window, this pixel included
  reg [11:0] index_q, line_q, window_q, band_q;
  reg        left_q;                          // the window is its band's first
  reg [8:0]  lane_q;
  reg        emits_q, fresh_q, sum_fresh_q;

  wire       column_end = tap_columns_q == 12'd1;
  wire       row_end    = tap_rows_q == 12'd1;
  wire       lane_end   = !index_wanted || lane_q + 9'd1 == outputs_o;
  wire       window_end = column_end && row_end && lane_end;
  wire       right_end  = columns_left_q < pool_columns + pool_columns;
  wire       down_end   = rows_left_q < pool_rows + pool_rows;
  wire [11:0] next_line = line_q + block_columns_q;
  wire [11:0] next_band = left_q ? next_line : band_q;
  wire       emits      = (sum_wanted && tile_end_i) || (index_wanted && layer_end_i);
  wire       windows    = rows_i >= pool_rows && columns_i >= pool_columns;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) phase_q <= NONE;
    else if (!run_i) phase_q <= NONE;
    else if (handover_i) phase_q <= windows ? PIXELS : emits ? EMIT : NONE;
    else if (advance_i)
      case (phase_q)
        PIXELS: if (window_end && right_end && down_end) phase_q <= emits_q ? EMIT : NONE;
        default: phase_q <= NONE;
      endcase

  always @(posedge clk_i)
    if (handover_i) begin
      outputs_o       <= outputs_i;
      block_columns_q <= columns_i;
      rows_left_q     <= rows_i;
      columns_left_q  <= columns_i;
      tap_rows_q      <= pool_rows;
      tap_columns_q   <= pool_columns;
      index_q         <= 12'd0;
      line_q          <= 12'd0;
      window_q        <= 12'd0;
      left_q          <= 1'b1;
      lane_q          <= 9'd0;
      emits_q         <= emits;
      fresh_q         <= 1'b1;
      if (tile_begin_i) sum_fresh_q <= 1'b1;
    end else if (advance_i && phase_q == PIXELS) begin
      fresh_q <= 1'b0;
      if (!lane_end) lane_q <= lane_q + 9'd1;
      else if (!column_end) begin
        tap_columns_q <= tap_columns_q - 12'd1;
        index_q       <= index_q + 12'd1;
      end else begin
        tap_columns_q <= pool_columns;
        if (!row_end) begin
          tap_rows_q <= tap_rows_q - 12'd1;
          index_q    <= next_line;
          line_q     <= next_line;
        end else begin
          tap_rows_q  <= pool_rows;
          sum_fresh_q <= 1'b0;
          if (!right_end) begin
            columns_left_q <= columns_left_q - pool_columns;
            index_q        <= window_q + pool_columns;
            line_q         <= window_q + pool_columns;
            window_q       <= window_q + pool_columns;
            band_q         <= next_band;
            left_q         <= 1'b0;
          end else begin
            columns_left_q <= block_columns_q;
            rows_left_q    <= rows_left_q - pool_rows;
            index_q        <= next_band;
            line_q         <= next_band;
            window_q       <= next_band;
            left_q         <= 1'b1;
          end
        end
      end
    end

  assign issue_o        = phase_q != NONE;
  assign value_o        = phase_q == PIXELS;
  assign index_o        = index_q;
  assign window_first_o = tap_rows_q == pool_rows && tap_columns_q == pool_columns;
  assign window_last_o  = column_end && row_end;
  assign sum_first_o    = sum_fresh_q;
  assign compare_o      = phase_q == PIXELS && index_wanted;
  assign lane_o         = lane_q;
  assign emit_o         = phase_q == EMIT;
  assign turn_first_o   = value_o && fresh_q;
  assign drained_o      = phase_q == NONE && empty_i;
endmodule
`default_nettype wire
