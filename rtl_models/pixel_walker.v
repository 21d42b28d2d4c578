// pixel_walker: the pixels of a block, one a cycle: window origin, its coordinates, accumulator
// index.
//
// begin_i starts a step's walk in the next cycle; move_i says where the block lies (see
// step_walker). Where the next block begins is noted in passing: the end of the first row is the
// block to the right, the end of the last row of a band's first block is the band below. So no
// address is multiplied.
`default_nettype none
`include "codesign.vh"
module pixel_walker (
  input  wire                        clk_i,
  input  wire                        begin_i,
  input  wire                        next_i,
  input  wire [1:0]                  move_i,
  input  wire [11:0]                 rows_i,
  input  wire [11:0]                 columns_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 origin_i,
  input  wire [23:0]                 column_step_i,
  input  wire [23:0]                 row_step_i,
  output wire [23:0]                 address_o,
  output wire signed [16:0]          y_o,
  output wire signed [16:0]          x_o,
  output wire [11:0]                 index_o,
  output wire                        last_o
);
  wire signed [16:0] stride_rows    = {13'd0, descriptor_i[`D_STRIDE_ROWS]};
  wire signed [16:0] stride_columns = {13'd0, descriptor_i[`D_STRIDE_COLUMNS]};
  wire signed [16:0] top            = -{11'd0, descriptor_i[`D_PADDING_ROWS]};
  wire signed [16:0] left           = -{11'd0, descriptor_i[`D_PADDING_COLUMNS]};

  // the block's first pixel, the pixel after it to the right, the pixel below its band
  reg [23:0]        block_q, right_q, down_q;
  reg signed [16:0] block_y_q, block_x_q, right_x_q, down_y_q;
  reg               band_q;  // the block is its band's first
  // the walk
  reg [23:0]        pixel_q, line_q;
  reg signed [16:0] y_q, x_q;
  reg [11:0]        index_q, rows_left_q, columns_left_q;
  reg [11:0]        columns_q;  // of this block: columns_i is the next one's by now
  reg               top_q;   // in the block's first row

  wire row_end = columns_left_q == 12'd1;
  wire bottom  = rows_left_q == 12'd1;

  reg [23:0]        from;
  reg signed [16:0] from_y, from_x;
  always @*
    case (move_i)
      2'd0:    {from, from_y, from_x} = {block_q, block_y_q, block_x_q};
      2'd1:    {from, from_y, from_x} = {right_q, block_y_q, right_x_q};
      2'd2:    {from, from_y, from_x} = {down_q, down_y_q, left};
      default: {from, from_y, from_x} = {origin_i, top, left};
    endcase

  always @(posedge clk_i)
    if (begin_i) begin
      {block_q, block_y_q, block_x_q} <= {from, from_y, from_x};
      {pixel_q, y_q, x_q}             <= {from, from_y, from_x};
      line_q         <= from;
      index_q        <= 12'd0;
      rows_left_q    <= rows_i;
      columns_left_q <= columns_i;
      columns_q      <= columns_i;
      top_q          <= 1'b1;
      if (move_i != 2'd0) band_q <= move_i != 2'd1;
    end else if (next_i) begin
      index_q <= index_q + 12'd1;
      if (!row_end) begin
        columns_left_q <= columns_left_q - 12'd1;
        pixel_q        <= pixel_q + column_step_i;
        x_q            <= x_q + stride_columns;
      end else begin
        columns_left_q <= columns_q;
        rows_left_q    <= rows_left_q - 12'd1;
        pixel_q        <= line_q + row_step_i;
        line_q         <= line_q + row_step_i;
        x_q            <= block_x_q;
        y_q            <= y_q + stride_rows;
        top_q          <= 1'b0;
        if (top_q) begin
          right_q   <= pixel_q + column_step_i;
          right_x_q <= x_q + stride_columns;
        end
        if (bottom && band_q) begin
          down_q   <= line_q + row_step_i;
          down_y_q <= y_q + stride_rows;
        end
      end
    end

  assign address_o = pixel_q;
  assign y_o       = y_q;
  assign x_o       = x_q;
  assign index_o   = index_q;
  assign last_o    = row_end && bottom;
endmodule
`default_nettype wire
