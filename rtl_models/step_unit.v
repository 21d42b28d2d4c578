// step_unit: from a normalized value to a code.
//
//   none        value
//   heaviside   1 if value > 0 else 0
//   sign        1 if value >= 0 else -1
//   clip        clip(value, low, high); hwmsb is a clip to 0 .. 2^bits - 1
//
// Combinational. Built without HasThreshold it saturates only: none, and clip from 0 on.
`default_nettype none
`include "codesign.vh"
module step_unit #(
  parameter ValueBits    = 22,
  parameter HasThreshold = 1
) (
  input  wire signed [ValueBits-1:0] value_i,
  input  wire [1:0]                  activation_i,
  input  wire signed [ValueBits-1:0] low_i,
  input  wire signed [ValueBits-1:0] high_i,
  output reg  signed [ValueBits-1:0] code_o
);
  localparam signed [ValueBits-1:0] ZERO = 0, ONE = 1;
  wire signed [ValueBits-1:0] low = HasThreshold != 0 ? low_i : ZERO;

  always @* begin
    code_o = value_i;
    if (activation_i == `ACT_CLIP)
      code_o = value_i < low ? low : value_i > high_i ? high_i : value_i;
    if (HasThreshold != 0 && activation_i == `ACT_HEAVISIDE) code_o = value_i > ZERO ? ONE : ZERO;
    if (HasThreshold != 0 && activation_i == `ACT_SIGN) code_o = value_i >= ZERO ? ONE : -ONE;
  end
endmodule
`default_nettype wire
