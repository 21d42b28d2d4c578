// bit_shift_norm: bit-shift normalization of one accumulator (NQE).
//
//   value_o = (value_i + bias_i) >>> shift_i
//
// Combinational. The shift is arithmetic: it floors. ValueBits is one more than what value_i fills,
// so that the sum cannot wrap; the compiler proves the interval of value_i.
`default_nettype none
module bit_shift_norm #(
  parameter ValueBits = 22,
  parameter BiasBits  = 16
) (
  input  wire signed [ValueBits-1:0] value_i,
  input  wire signed [BiasBits-1:0]  bias_i,
  input  wire                        bias_en_i,
  input  wire [5:0]                  shift_i,
  output wire signed [ValueBits-1:0] value_o
);
  wire signed [ValueBits-1:0] extended = {{(ValueBits-BiasBits){bias_i[BiasBits-1]}}, bias_i};
  wire signed [ValueBits-1:0] bias     = bias_en_i ? extended : {ValueBits{1'b0}};
  wire signed [ValueBits-1:0] sum = value_i + bias;
  assign value_o = sum >>> shift_i;
endmodule
`default_nettype wire
