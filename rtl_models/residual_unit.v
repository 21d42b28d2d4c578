// residual_unit: merges the code of a branch, a, and the code of a skip, b.
//
//   mode_i   code                            as
//   000      a                               no residual
//   001      the greater                     OR, maximum
//   010      the lesser                      AND
//   011      (a + b) >> 1, floor             shift-add (MOGNET)
//   100      select ? a : b                  MUX
//   101      select ? the greater : a        MUX-OR
//   110      select ? the lesser : a         MUX-AND
//   111      select ? (a + b) >> 1 : a       MUX of the average
//
// Codes are unsigned, two's complement or bipolar, as form_i says; of a bipolar code bit 0 counts.
// Of one-bit codes the greater is their OR and the lesser their AND; a bitwise OR of wider codes
// would not be monotone in them. The average of bipolar codes is -1, 0 or 1: modes 011 and 111 then
// give two's complement, which takes CodeBits of 2; all else leaves in the form it came in.
//
// Combinational, a lane a unit.
`default_nettype none
`include "codesign.vh"
module residual_unit #(
  parameter CodeBits = 2
) (
  input  wire [2:0]          mode_i,
  input  wire [1:0]          form_i,
  input  wire                select_i,
  input  wire [CodeBits-1:0] a_i,
  input  wire [CodeBits-1:0] b_i,
  output reg  [CodeBits-1:0] code_o
);
  localparam [1:0] PLAIN = 2'd0, GREATER = 2'd1, LESSER = 2'd2, AVERAGE = 2'd3;

  // two's complement of one bit more: of a bipolar code 2 * bit - 1
  reg signed [CodeBits:0] a, b;
  always @*
    case (form_i)
      `FORM_SIGNED: begin
        a = {a_i[CodeBits-1], a_i};
        b = {b_i[CodeBits-1], b_i};
      end
      `FORM_BIPOLAR: begin
        a = {{CodeBits{!a_i[0]}}, 1'b1};
        b = {{CodeBits{!b_i[0]}}, 1'b1};
      end
      default: begin
        a = {1'b0, a_i};
        b = {1'b0, b_i};
      end
    endcase

  wire a_less = a < b;
  // the average is all but its lowest bit: it fits CodeBits, whatever a higher bit would be
  wire signed [CodeBits:0] sum = a + b;

  always @*
    if (mode_i[2] && mode_i[1:0] == PLAIN) code_o = select_i ? a_i : b_i;
    else if (mode_i[2] && !select_i)
      code_o = mode_i[1:0] == AVERAGE ? a[CodeBits-1:0] : a_i;
    else
      case (mode_i[1:0])
        PLAIN:   code_o = a_i;
        GREATER: code_o = a_less ? b_i : a_i;
        LESSER:  code_o = a_less ? a_i : b_i;
        default: code_o = sum[CodeBits:1];
      endcase
endmodule
`default_nettype wire
