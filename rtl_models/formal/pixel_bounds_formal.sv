// pixel_walker on one block: indices count from 0 to rows * columns - 1, the last one is marked, and the
// coordinates stay inside the block. Bounded: blocks of up to 3 x 3 pixels, any stride, any gaps in time.
`default_nettype none
`include "codesign.vh"
module pixel_bounds_formal (
  input wire        clk_i,
  input wire        next,
  input wire [11:0] later
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  (* anyconst *) reg [1:0] rows;
  (* anyconst *) reg [1:0] columns;
  (* anyconst *) reg [23:0] origin;
  wire signed [16:0] y, x;
  wire [11:0] index;
  wire [23:0] address;
  wire        last;
  reg         started = 1'b0;
  reg         ended = 1'b0;
  reg [11:0]  count, column;
  // the walk by sums, as the descriptor means it
  reg [23:0]        line, place;
  reg signed [16:0] down, right;
  wire signed [16:0] top  = -{11'd0, descriptor[`D_PADDING_ROWS]};
  wire signed [16:0] left = -{11'd0, descriptor[`D_PADDING_COLUMNS]};
  wire        walks = started && !ended && next;

  // behind the begin the walker's inputs are already those of the next block
  pixel_walker dut (
    .clk_i (clk_i), .begin_i (!started), .next_i (walks), .move_i (2'd3),
    .rows_i (started ? later : {10'd0, rows}), .columns_i (started ? later : {10'd0, columns}),
    .descriptor_i (descriptor), .origin_i (origin), .column_step_i (24'd3), .row_step_i (24'd50),
    .address_o (address), .y_o (y), .x_o (x), .index_o (index), .last_o (last)
  );

  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!started) begin
      {count, column} <= 24'd0;
      {line, place}   <= {origin, origin};
      {down, right}   <= {top, left};
    end else if (walks) begin
      count <= count + 12'd1;
      if (last) ended <= 1'b1;
      if (column + 12'd1 == columns) begin
        column <= 12'd0;
        line   <= line + 24'd50;
        place  <= line + 24'd50;
        right  <= left;
        down   <= down + $signed({13'd0, descriptor[`D_STRIDE_ROWS]});
      end else begin
        column <= column + 12'd1;
        place  <= place + 24'd3;
        right  <= right + $signed({13'd0, descriptor[`D_STRIDE_COLUMNS]});
      end
    end
  end

  wire [3:0] pixels = {2'd0, rows} * {2'd0, columns};
  always @* begin
    assume (rows != 2'd0 && columns != 2'd0);
    if (started && !ended) begin
      assert (index == count && index < pixels);
      assert (last == (count + 12'd1 == pixels));
      assert (address == place && y == down && x == right);
    end
  end
endmodule
