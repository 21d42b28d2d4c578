// step_walker under descriptor_check, any descriptor: an input tile fills at least one lane
// and none beyond its word, an output tile has 1 to OutputLanes channels, a block at least one pixel
// and no more rows and columns than the block of the descriptor, which fits the accumulators. Bounded:
// the first 13 steps of a layer, 4 x 5 lanes.
`default_nettype none
`include "codesign.vh"
module step_bounds_formal (
  input wire clk_i,
  input wire advance
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  wire [3:0]  error;
  wire [8:0]  outputs, rotate, lanes;
  wire [3:0]  inputs_log;
  wire [11:0] rows, columns;
  wire        first_step, last_step, tile_end, layer_end;
  reg         started = 1'b0;
  reg         ended = 1'b0;

  descriptor_check #(
    .InputLanes (4), .WeightBits (3), .Pixels (16), .AllBanks (2),
    .HasThreshold (1), .HasPool (1), .HasArgmax (1)
  ) check (.descriptor_i (descriptor), .error_o (error));

  step_walker #(.InputLanes(4), .OutputLanes(5)) dut (
    .clk_i (clk_i), .start_i (!started), .advance_i (advance), .descriptor_i (descriptor),
    .words_in_i (24'd1), .row_i (24'd1), .outputs_o (outputs), .rotate_o (rotate),
    .lanes_o (lanes), .inputs_log_o (inputs_log), .offset_o (), .tap_row_o (), .tap_column_o (),
    .move_o (), .block_rows_o (rows), .block_columns_o (columns), .first_step_o (first_step),
    .last_step_o (last_step), .tile_end_o (tile_end), .layer_end_o (layer_end)
  );

  wire [2:0] lanes_log = descriptor[`D_INPUT_LANES];
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (started && advance && last_step && layer_end) ended <= 1'b1;
  end

  always @* begin
    assume (error == `E_NONE && descriptor[`D_OPERATION] == `OP_PRODUCT);
    // a code's lanes divide the word, and a group begins at a code
    if (started && !ended) begin
      assert (lanes >= 9'd1);
      assert (rotate + lanes <= 9'd4);
      assert (((lanes - 9'd1) >> lanes_log) < (9'd1 << inputs_log));
      assert (outputs >= 9'd1 && outputs <= 9'd5);
      assert (rows >= 12'd1 && rows <= descriptor[`D_BLOCK_ROWS]);
      assert (columns >= 12'd1 && columns <= descriptor[`D_BLOCK_COLUMNS]);
    end
  end
endmodule
