// lane_decoder: an activation word as operands of the array, 3 b two's complement a lane.
//
//   unsigned, and all but the top digit of a wide signed code   0 .. 3
//   the top digit of a signed code                             -2 .. 1
//   bipolar (bit 0 of the lane)                                -1, 1
//
// Lanes from lanes_i on are idle: they give 0 whatever the memory holds there. pad_i puts the pad
// code, digit by digit, in place of the word. Operands are registered: one cycle.
`default_nettype none
`include "codesign.vh"
module lane_decoder #(
  parameter InputLanes = 4
) (
  input  wire                    clk_i,
  input  wire                    en_i,
  input  wire [2*InputLanes-1:0] word_i,       // turned: the tile's first channel in lane 0
  input  wire                    pad_i,
  input  wire [7:0]              pad_code_i,
  input  wire [8:0]              lanes_i,
  input  wire [1:0]              form_i,
  input  wire [2:0]              lanes_log_i,
  output reg  [3*InputLanes-1:0] operands_o
);
  wire [3:0] top = (4'd1 << lanes_log_i) - 4'd1;  // number of a code's top digit

  genvar lane;
  generate
    for (lane = 0; lane < InputLanes; lane = lane + 1) begin : g_lane
      localparam [31:0] LANE = lane;
      wire [3:0] place = LANE[3:0];
      wire [3:0] number = place & top;              // which digit of its code the lane holds
      wire [7:0] padded = pad_code_i >> {number[1:0], 1'b0};
      wire [1:0] digit  = pad_i ? padded[1:0] : word_i[2*lane +: 2];
      reg  [2:0] operand;
      always @*
        case (form_i)
          `FORM_BIPOLAR: operand = digit[0] ? 3'b001 : 3'b111;
          `FORM_SIGNED:  operand = {digit[1] && number == top, digit};
          default:       operand = {1'b0, digit};
        endcase
      always @(posedge clk_i)
        if (en_i) operands_o[3*lane +: 3] <= LANE[8:0] < lanes_i ? operand : 3'b000;
    end
  endgenerate
endmodule
`default_nettype wire
