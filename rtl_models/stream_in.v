// stream_in: a map of the frame comes in, a word a beat, written to its bank a cycle later.
//
// The frame's last word must have TLAST and no other (frame_end_i: this map is the frame's last). A
// TLAST too early ends with STREAM_SHORT, one that is missing with STREAM_LONG, in the cycle after
// the beat; the beat of an error is not written. discard_i takes and drops beats up to one with
// TLAST.
//
//   cycle        1      2      3      4          3 words, the stream keeps up
//   tready     /~~~~~~~~~~~~~~~~~~~~\______
//   write_o    ________/~~~~~~~~~~~~~~~~~~~\
//   finish_o   ____________________/~~~~~~~\
`default_nettype none
`include "codesign.vh"
module stream_in #(
  parameter InputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        start_i,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 row_i,         // words of a row
  input  wire                        discard_i,
  output wire                        discarded_o,
  input  wire [2*InputLanes-1:0]     tdata_i,
  input  wire                        tvalid_i,
  input  wire                        tlast_i,
  output wire                        tready_o,
  output wire                        write_o,
  output wire [23:0]                 address_o,
  output wire [2*InputLanes-1:0]     data_o,
  output wire                        finish_o,
  output wire                        fail_o,
  output wire [3:0]                  fail_code_o,
  output wire                        wait_o
);
  reg                    expect_q;               // words of the map are still to come
  reg [23:0]             words_q;                // of the row, the one to come included
  reg [11:0]             rows_q;
  reg                    valid_q, last_q, short_q, long_q;
  reg [23:0]             address_q;
  reg [2*InputLanes-1:0] data_q;

  wire map_end = words_q == 24'd1 && rows_q == 12'd1;
  wire accept  = run_i && expect_q && !(short_q || long_q) && tvalid_i;
  wire due     = map_end && descriptor_i[`D_FRAME_END];

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      expect_q <= 1'b0;
      valid_q  <= 1'b0;
      short_q  <= 1'b0;
      long_q   <= 1'b0;
    end else begin
      if (start_i) expect_q <= descriptor_i[`D_OPERATION] == `OP_LOAD;
      else if (!run_i || (accept && (map_end || tlast_i))) expect_q <= 1'b0;
      valid_q <= accept;
      short_q <= accept && tlast_i && !due;
      long_q  <= accept && due && !tlast_i;
    end

  always @(posedge clk_i) begin
    if (start_i) begin
      words_q   <= row_i;
      rows_q    <= descriptor_i[`D_INPUT_HEIGHT];
      address_q <= descriptor_i[`D_TARGET_BASE] - 24'd1;
    end else if (accept) begin
      words_q   <= words_q == 24'd1 ? row_i : words_q - 24'd1;
      if (words_q == 24'd1) rows_q <= rows_q - 12'd1;
      address_q <= address_q + 24'd1;
      data_q    <= tdata_i;
      last_q    <= map_end;
    end
  end

  assign tready_o    = (run_i && expect_q && !(short_q || long_q)) || discard_i;
  assign discarded_o = discard_i && tvalid_i && tlast_i;
  assign write_o     = run_i && valid_q && !fail_o;
  assign address_o   = address_q;
  assign data_o      = data_q;
  assign finish_o    = write_o && last_q;
  assign fail_o      = run_i && (short_q || long_q);
  assign fail_code_o = short_q ? `E_STREAM_SHORT : `E_STREAM_LONG;
  assign wait_o      = expect_q && !tvalid_i;
endmodule
`default_nettype wire
