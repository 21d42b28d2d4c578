// drain_control on one turn, whatever pauses: token number t reads the pixel that the order of windows
// says, so that none is beyond the block and each is read once; after the last one it hands the sum or
// the index over, if one is due, and ends. Bounded: blocks of up to 3 x 3 pixels, any windows, and for an
// argmax up to 7 channels of one pixel (the map of an argmax has no more, as descriptor_check sees to).
`default_nettype none
`include "codesign.vh"
module drain_bounds_formal (
  input wire        clk_i,
  input wire        advance,
  input wire [11:0] later
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  (* anyconst *) reg [1:0] rows;
  (* anyconst *) reg [1:0] columns;
  (* anyconst *) reg [2:0] outputs;
  (* anyconst *) reg       tile_end, layer_end;
  wire        issue, value, first, last, compare, emit, turn_first, drained;
  wire [11:0] index;
  wire [8:0]  lane, held;
  reg         started = 1'b0;
  reg         emitted;
  reg [3:0]   count;
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!started) begin
      count   <= 4'd0;
      emitted <= 1'b0;
    end else if (advance && value) count <= count + 4'd1;
    else if (advance && emit) emitted <= 1'b1;
  end

  // behind the hand-over the array has the next turn already
  drain_control dut (
    .clk_i (clk_i), .rst_ni (1'b1), .run_i (1'b1), .descriptor_i (descriptor),
    .handover_i (!started), .outputs_i (started ? later[8:0] : {6'd0, outputs}),
    .rows_i (started ? later : {10'd0, rows}), .columns_i (started ? later : {10'd0, columns}),
    .tile_begin_i (1'b1), .tile_end_i (started ? later[0] : tile_end),
    .layer_end_i (started ? later[1] : layer_end), .advance_i (advance), .empty_i (1'b1),
    .issue_o (issue), .value_o (value), .index_o (index), .window_first_o (first),
    .window_last_o (last), .sum_first_o (), .compare_o (compare), .lane_o (lane), .emit_o (emit),
    .turn_first_o (turn_first), .outputs_o (held), .drained_o (drained)
  );

  wire [5:0] pool_rows    = descriptor[`D_POOL_ROWS];
  wire [5:0] pool_columns = descriptor[`D_POOL_COLUMNS];
  wire       argmax       = descriptor[`D_REDUCE] == `REDUCE_INDEX;
  wire       due          = argmax ? layer_end : descriptor[`D_REDUCE] == `REDUCE_SUM && tile_end;
  wire [3:0] height  = pool_rows;
  wire [3:0] width   = pool_columns;
  wire [3:0] across  = columns / width;
  wire [3:0] pixels  = height * width;
  wire [3:0] total   = argmax ? {1'b0, outputs} : (rows / height) * across * pixels;
  wire [3:0] window  = count / pixels;
  wire [3:0] tap     = count % pixels;
  wire [3:0] row     = (window / across) * height + tap / width;
  wire [3:0] column  = (window % across) * width + tap % width;

  always @* begin
    assume (rows != 2'd0 && columns != 2'd0 && outputs != 3'd0);
    assume (pool_rows >= 6'd1 && pool_rows <= 6'd3 && pool_columns >= 6'd1 && pool_columns <= 6'd3);
    if (argmax) assume (rows == 2'd1 && columns == 2'd1 && pool_rows == 6'd1 && pool_columns == 6'd1);
    if (started) begin
      assert (value == (count < total));
      assert (held == {6'd0, outputs});
      if (value && !argmax) begin
        assert (row < {2'd0, rows} && column < {2'd0, columns});
        assert (index == row * columns + column);
        assert (first == (tap == 4'd0) && last == (tap + 4'd1 == pixels));
        assert (!compare);
      end
      if (value && argmax) assert (index == 12'd0 && compare && lane == {5'd0, count});
      if (value) assert (turn_first == (count == 4'd0));
      assert (emit == (count == total && due && !emitted));
      assert (issue == (value || emit) && drained == !issue);
    end
  end
endmodule
