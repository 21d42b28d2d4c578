// map_walker: every code of a map in the order channel, row, column: its pixel's first word and its
// lane.
`default_nettype none
module map_walker (
  input  wire        clk_i,
  input  wire        start_i,
  input  wire        next_i,
  input  wire [23:0] base_i,
  input  wire [15:0] channels_i,
  input  wire [11:0] height_i,
  input  wire [11:0] width_i,
  input  wire [23:0] words_i,     // of a pixel
  input  wire [5:0]  span_i,      // lanes of a code
  output wire [23:0] pixel_o,
  output wire [23:0] lane_o,      // counted from the pixel's first word
  output wire        last_o
);
  reg [15:0] channels_q;
  reg [11:0] rows_q, columns_q;
  reg [23:0] pixel_q, lane_q;
  wire right_end = columns_q == 12'd1;
  wire map_end   = right_end && rows_q == 12'd1;

  always @(posedge clk_i)
    if (start_i) begin
      channels_q <= channels_i;
      rows_q     <= height_i;
      columns_q  <= width_i;
      pixel_q    <= base_i;
      lane_q     <= 24'd0;
    end else if (next_i) begin
      columns_q <= right_end ? width_i : columns_q - 12'd1;
      if (right_end) rows_q <= map_end ? height_i : rows_q - 12'd1;
      pixel_q <= map_end ? base_i : pixel_q + words_i;
      if (map_end) begin
        channels_q <= channels_q - 16'd1;
        lane_q     <= lane_q + {18'd0, span_i};
      end
    end

  assign pixel_o = pixel_q;
  assign lane_o  = lane_q;
  assign last_o  = map_end && channels_q == 16'd1;
endmodule
`default_nettype wire
