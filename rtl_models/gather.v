// gather: words of a map become the values of a tile's channels, one for each output lane.
//
// A tile's codes lie side by side from lane rotate_i of its first word on; word number_i of them
// arrives turned by rotate_i. Each digit takes its lane when its word comes by. Values are there a
// cycle after the last word, sign- or zero-extended.
`default_nettype none
`include "codesign.vh"
module gather #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4,
  parameter ValueBits   = 22
) (
  input  wire                             clk_i,
  input  wire                             en_i,
  input  wire [2*InputLanes-1:0]          word_i,
  input  wire [15:0]                      number_i,
  input  wire [8:0]                       rotate_i,
  input  wire [1:0]                       form_i,
  input  wire [2:0]                       lanes_log_i,
  output wire [OutputLanes*ValueBits-1:0] values_o
);
  localparam PiLog  = $clog2(InputLanes);
  localparam Digits = (ValueBits + 1) / 2;
  localparam RawBits = 2 * Digits;

  reg [OutputLanes*RawBits-1:0] digits_q;
  integer lane, digit;
  always @(posedge clk_i)
    if (en_i)
      for (lane = 0; lane < OutputLanes; lane = lane + 1)
        for (digit = 0; digit < Digits; digit = digit + 1)
          if (digit < (1 << lanes_log_i)
              && ((lane << lanes_log_i) + digit + {23'd0, rotate_i}) >> PiLog == {16'd0, number_i})
            digits_q[lane*RawBits + 2*digit +: 2]
              <= word_i[2*(((lane << lanes_log_i) + digit) % InputLanes) +: 2];

  // bits that the code fills; all of them where it is wider than a value
  wire [7:0] width = 8'd2 << lanes_log_i;
  wire [ValueBits-1:0] fill = {ValueBits{1'b1}} << width;

  genvar value;
  generate
    for (value = 0; value < OutputLanes; value = value + 1) begin : g_value
      wire [RawBits-1:0]   raw  = digits_q[value*RawBits +: RawBits];
      wire [ValueBits-1:0] code = raw[ValueBits-1:0] & ~fill;
      wire                 sign = |(code & (fill >> 1) & ~fill);
      assign values_o[value*ValueBits +: ValueBits] =
          form_i == `FORM_BIPOLAR ? {{(ValueBits-1){!code[0]}}, 1'b1}
        : form_i == `FORM_SIGNED && sign ? code | fill : code;
    end
  endgenerate
endmodule
`default_nettype wire
