// step_walker with one step a turn: where a block lies follows from the moves, as pixel_walker takes
// them. Blocks follow each other from left to right, then down, none beyond the map; the last of an
// output tile ends at the map's corner, and the next tile begins at the first. Bounded: 10 turns, maps of
// up to 7 x 7 pixels.
`default_nettype none
`include "codesign.vh"
module block_cover_formal (
  input wire clk_i
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  wire [8:0]  outputs;
  wire [11:0] rows, columns;
  wire [1:0]  move;
  wire        first_step, last_step, tile_end, layer_end;
  reg         started = 1'b0;
  reg         ended = 1'b0;

  step_walker #(.InputLanes(4), .OutputLanes(5)) dut (
    .clk_i (clk_i), .start_i (!started), .advance_i (started), .descriptor_i (descriptor),
    .words_in_i (24'd1), .row_i (24'd1), .outputs_o (outputs), .rotate_o (), .lanes_o (),
    .inputs_log_o (), .offset_o (), .tap_row_o (), .tap_column_o (), .move_o (move),
    .block_rows_o (rows), .block_columns_o (columns), .first_step_o (first_step),
    .last_step_o (last_step), .tile_end_o (tile_end), .layer_end_o (layer_end)
  );

  wire [11:0] height       = descriptor[`D_OUTPUT_HEIGHT];
  wire [11:0] width        = descriptor[`D_OUTPUT_WIDTH];
  wire [11:0] block_height = descriptor[`D_BLOCK_ROWS];
  wire [11:0] block_width  = descriptor[`D_BLOCK_COLUMNS];

  // the turn before: its block, and the channels of the tiles before
  reg [11:0] top_q, left_q, rows_q, columns_q;
  reg        corner_q;
  reg [15:0] channel, channel_q;
  wire [11:0] top  = move == 2'd3 ? 12'd0 : move == 2'd2 ? top_q + rows_q : top_q;
  wire [11:0] left = move == 2'd1 ? left_q + columns_q : 12'd0;
  wire        right  = left + columns == width;
  wire        corner = right && top + rows == height;
  always @(posedge clk_i) begin
    started <= 1'b1;
    corner_q <= !started || corner;
    {top_q, left_q, rows_q, columns_q} <= {top, left, rows, columns};
    if (!started) channel <= 16'd0;
    else if (corner) channel <= channel + outputs;
    if (started && layer_end) ended <= 1'b1;
  end

  always @* begin
    // a tap, an input tile
    assume (descriptor[`D_KERNEL_ROWS] == 6'd1 && descriptor[`D_KERNEL_COLUMNS] == 6'd1);
    assume (descriptor[`D_GROUP_INPUTS] == 16'd1 && descriptor[`D_INPUT_LANES] == 3'd0);
    assume (height != 12'd0 && width != 12'd0 && block_height != 12'd0 && block_width != 12'd0);
    assume (block_height <= height && block_width <= width && height < 12'd8 && width < 12'd8);
    assume (descriptor[`D_GROUP_OUTPUTS] != 16'd0);
    assume (descriptor[`D_OUTPUT_CHANNELS] == descriptor[`D_GROUP_OUTPUTS]
            || descriptor[`D_OUTPUT_CHANNELS] == descriptor[`D_GROUP_OUTPUTS] << 1);
    assume (descriptor[`D_OUTPUT_CHANNELS] >= descriptor[`D_GROUP_OUTPUTS]);
    if (started && !ended) begin
      assert (first_step && last_step);
      assert (rows == (height - top < block_height ? height - top : block_height));
      assert (columns == (width - left < block_width ? width - left : block_width));
      assert (top < height && left < width);
      // the move is the one to the next free place
      assert ((move == 2'd3) == corner_q);
      if (!corner_q) assert ((move == 2'd2) == (left_q + columns_q == width) && move != 2'd0);
      assert (tile_end == corner);
      assert (channel + outputs <= descriptor[`D_OUTPUT_CHANNELS]);
      assert (layer_end == (corner && channel + outputs == descriptor[`D_OUTPUT_CHANNELS]));
    end
  end
endmodule
