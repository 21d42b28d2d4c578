// geometry: what a layer's address counters step by, from its descriptor, ready when it runs.
//
//   words_in      words of a pixel that is read        ceil(channels * lanes / InputLanes)
//   words_out     words of a pixel that is written
//   row           words of a row that is read          width * words_in
//   column_step   from one window to the next          stride_columns * words_in
//   row_step      from one row of windows to the next  stride_rows * row
//   origin        the first window's first tap         base less the padding's rows and columns
//
// One level of products a cycle: READ, DECODE, START. Addresses wrap at 24 b; a tap in the padding
// has an address that is never used.
`default_nettype none
`include "codesign.vh"
module geometry #(
  parameter InputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        read_i,
  input  wire                        decode_i,
  input  wire                        start_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  output reg  [23:0]                 words_in_o,
  output reg  [23:0]                 words_out_o,
  output reg  [23:0]                 row_o,
  output reg  [23:0]                 column_step_o,
  output reg  [23:0]                 row_step_o,
  output reg  [23:0]                 origin_o
);
  localparam PiLog = $clog2(InputLanes);
  localparam [23:0] ROUND = InputLanes[23:0] - 24'd1;

  wire [15:0] channels_in  = descriptor_i[`D_INPUT_CHANNELS];
  wire [15:0] channels_out = descriptor_i[`D_OUTPUT_CHANNELS];
  wire [2:0]  lanes_in     = descriptor_i[`D_INPUT_LANES];
  wire [2:0]  lanes_out    = descriptor_i[`D_OUTPUT_LANES];
  wire [11:0] width        = descriptor_i[`D_INPUT_WIDTH];
  wire        product      = descriptor_i[`D_OPERATION] == `OP_PRODUCT;
  wire [5:0]  step_columns = product ? {2'd0, descriptor_i[`D_STRIDE_COLUMNS]}
                                     : descriptor_i[`D_POOL_STRIDE_COLUMNS];
  wire [5:0]  step_rows    = product ? {2'd0, descriptor_i[`D_STRIDE_ROWS]}
                                     : descriptor_i[`D_POOL_STRIDE_ROWS];
  wire [5:0]  pad_columns  = product ? descriptor_i[`D_PADDING_COLUMNS] : 6'd0;
  wire [5:0]  pad_rows     = product ? descriptor_i[`D_PADDING_ROWS] : 6'd0;

  wire [23:0] lanes_of_input  = {8'd0, channels_in} << lanes_in;
  wire [23:0] lanes_of_output = {8'd0, channels_out} << lanes_out;

  always @(posedge clk_i) begin
    if (read_i) begin
      words_in_o  <= (lanes_of_input + ROUND) >> PiLog;
      words_out_o <= (lanes_of_output + ROUND) >> PiLog;
    end
    if (decode_i) row_o <= {12'd0, width} * words_in_o;
    if (start_i) begin
      column_step_o <= {18'd0, step_columns} * words_in_o;
      row_step_o    <= {18'd0, step_rows} * row_o;
      origin_o      <= descriptor_i[`D_SOURCE_BASE] - {18'd0, pad_rows} * row_o
                       - {18'd0, pad_columns} * words_in_o;
    end
  end
endmodule
`default_nettype wire
