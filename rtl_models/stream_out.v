// stream_out: a map goes out, a word a beat, zeros in the lanes that no channel has.
//
// The bank's output register is the beat: a word is read where none is waiting or the one that
// waits is taken. A beat that is offered stays, also where the program ends by an abort (held_o),
// until it is taken. A word beyond the bank is not offered. TLAST comes with the last word of the
// frame's last map.
//
//   cycle      1      2      3      4          3 words, the receiver keeps up
//   read_o   /~~~~~~~~~~~~~~~~~~~\_______
//   tvalid   _______/~~~~~~~~~~~~~~~~~~~~\
//   finish_o ____________________/~~~~~~~\
`default_nettype none
`include "codesign.vh"
module stream_out #(
  parameter InputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        start_i,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 words_in_i,    // of a pixel
  output wire                        read_o,
  output wire [23:0]                 address_o,
  input  wire                        beyond_i,      // this read's address is behind the bank's end
  input  wire [2*InputLanes-1:0]     word_i,
  output wire [2*InputLanes-1:0]     tdata_o,
  output wire                        tvalid_o,
  output wire                        tlast_o,
  input  wire                        tready_i,
  output wire                        held_o,
  output wire                        finish_o,
  output wire                        wait_o
);
  localparam [23:0] PI = InputLanes[23:0];

  reg        reading_q, valid_q, last_q, partial_q;
  reg [23:0] address_q, words_q;
  reg [11:0] rows_q, columns_q;
  wire [23:0] lanes  = {8'd0, descriptor_i[`D_INPUT_CHANNELS]} << descriptor_i[`D_INPUT_LANES];
  wire [23:0] filled = ((lanes - 24'd1) & (PI - 24'd1)) + 24'd1;  // lanes of a pixel's last word
  wire        pixel_end = words_q == 24'd1;
  wire        row_end   = pixel_end && columns_q == 12'd1;
  wire        map_end   = row_end && rows_q == 12'd1;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      reading_q <= 1'b0;
      valid_q   <= 1'b0;
    end else begin
      if (start_i) reading_q <= descriptor_i[`D_OPERATION] == `OP_STORE;
      else if (!run_i || (read_o && map_end)) reading_q <= 1'b0;
      if (read_o && !beyond_i) valid_q <= 1'b1;
      else if (tready_i) valid_q <= 1'b0;
    end

  always @(posedge clk_i)
    if (start_i) begin
      address_q <= descriptor_i[`D_SOURCE_BASE];
      words_q   <= words_in_i;
      columns_q <= descriptor_i[`D_INPUT_WIDTH];
      rows_q    <= descriptor_i[`D_INPUT_HEIGHT];
      last_q    <= 1'b0;
    end else if (read_o) begin
      address_q <= address_q + 24'd1;
      words_q   <= pixel_end ? words_in_i : words_q - 24'd1;
      if (pixel_end) columns_q <= row_end ? descriptor_i[`D_INPUT_WIDTH] : columns_q - 12'd1;
      if (row_end) rows_q <= rows_q - 12'd1;
      last_q    <= map_end;
      partial_q <= pixel_end;
    end

  genvar lane;
  generate
    for (lane = 0; lane < InputLanes; lane = lane + 1) begin : g_lane
      localparam [23:0] Lane = lane;
      wire used = valid_q && (!partial_q || Lane < filled);
      assign tdata_o[2*lane +: 2] = used ? word_i[2*lane +: 2] : 2'd0;
    end
  endgenerate

  assign read_o    = run_i && reading_q && (!valid_q || tready_i);
  assign address_o = address_q;
  assign tvalid_o  = valid_q;
  assign tlast_o   = valid_q && last_q && descriptor_i[`D_FRAME_END];
  assign held_o    = valid_q && !tready_i;
  assign finish_o  = run_i && !reading_q && valid_q && tready_i;
  assign wait_o    = valid_q && !tready_i;
endmodule
`default_nettype wire
