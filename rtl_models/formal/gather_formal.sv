// Any map, any tile in it, its words in any order and as often as they like: once the words of a lane's
// code have come by, its value is the code, extended as its form says. 4 input and 3 output lanes, codes
// of 1 to 8 lanes, values of 11 b: wider and narrower than a code. Proved by induction.
`default_nettype none
`include "codesign.vh"
module gather_formal (
  input wire       clk_i,
  input wire       en,
  input wire [2:0] number
);
  (* anyconst *) reg [63:0] map;       // of a pixel, from the tile's first word on
  (* anyconst *) reg [1:0]  rotate, log, form, lane;
  wire [7:0]  turned;
  wire [32:0] values;

  lane_rotate #(.InputLanes(4)) rotate_i (
    .word_i (map[8*number +: 8]), .rotate_i ({7'd0, rotate}), .word_o (turned)
  );
  gather #(.InputLanes(4), .OutputLanes(3), .ValueBits(11)) dut (
    .clk_i (clk_i), .en_i (en), .word_i (turned), .number_i ({13'd0, number}),
    .rotate_i ({7'd0, rotate}), .form_i (form), .lanes_log_i ({1'b0, log}), .values_o (values)
  );

  reg [7:0] seen = 8'd0;
  always @(posedge clk_i) if (en) seen[number] <= 1'b1;

  wire [10:0] value = values[11*lane +: 11];
  wire [4:0]  width = 5'd2 << log;
  integer digit;
  reg [4:0] place;
  reg        whole;
  reg [15:0] code;
  reg signed [15:0] extended;
  always @* begin
    assume (lane < 2'd3 && form != 2'd3);
    if (form == `FORM_BIPOLAR) assume (log == 2'd0);
    whole = 1'b1;
    code  = 16'd0;
    for (digit = 0; digit < 8; digit = digit + 1)
      if (digit < (1 << log)) begin
        place = (lane << log) + digit + rotate;
        code[2*digit +: 2] = map[2*place +: 2];
        if (!seen[place >> 2]) whole = 1'b0;
        // a part of a code, what makes the induction close
        else if (form != `FORM_BIPOLAR && digit < 5)
          assert (value[2*digit +: 2] == map[2*place +: 2]);
        else if (form != `FORM_BIPOLAR && digit == 5) assert (value[10] == map[2*place]);
      end
    extended = $signed(code << (5'd16 - width)) >>> (5'd16 - width);
    if (whole)
      case (form)
        `FORM_UNSIGNED: assert (value == code[10:0]);
        `FORM_SIGNED:   assert (value == extended[10:0]);
        default:        assert (value == (code[0] ? 11'd1 : 11'h7FF));
      endcase
  end
endmodule
