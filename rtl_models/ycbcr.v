// ycbcr: a pixel from red, green and blue to Y, Cb and Cr, 8 b each (BT.601, full range; FBNN).
//
//   y_o  = (  77 R + 150 G +  29 B + 128) >> 8
//   cb_o = ((-43 R -  85 G + 128 B + 128) >> 8) + 128     at most 255
//   cr_o = ((128 R - 107 G -  21 B + 128) >> 8) + 128     at most 255
//
// Each row of the matrix adds up to 256 or 0: what is multiplied is the difference of a colour to
// green, d = R - G and e = B - G, by four constants, which share their adders:
//
//   y_o = G + ((77 d + 29 e + 128) >> 8)    cb: 128 e - 43 d    cr: 128 d - 21 e
//
// Of all clips of the formula only the upper one of Cb and Cr is ever met, by 256 alone: the proof
// ycbcr covers every pixel. Three stages: differences, products, sums. Latency 3, a pixel a cycle;
// a pixel that is offered stays until ready_i, ready_o tells that one is taken.
`default_nettype none
module ycbcr (
  input  wire       clk_i,
  input  wire       rst_ni,
  input  wire       valid_i,
  output wire       ready_o,
  input  wire [7:0] red_i,
  input  wire [7:0] green_i,
  input  wire [7:0] blue_i,
  output wire       valid_o,
  input  wire       ready_i,
  output wire [7:0] y_o,
  output wire [7:0] cb_o,
  output wire [7:0] cr_o
);
  reg                first_q, second_q, third_q;
  wire               third_free  = !third_q || ready_i;
  wire               second_free = !second_q || third_free;
  wire               first_free  = !first_q || second_free;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      first_q  <= 1'b0;
      second_q <= 1'b0;
      third_q  <= 1'b0;
    end else begin
      if (first_free) first_q <= valid_i;
      if (second_free) second_q <= first_q;
      if (third_free) third_q <= second_q;
    end

  // products of 9 b differences, and sums of two of them, fit 17 b
  reg  signed [8:0]  d_q, e_q, d_second_q, e_second_q;
  reg         [7:0]  green_q, green_second_q, y_q, cb_q, cr_q;
  reg  signed [16:0] d43_q, d77_q, e21_q, e29_q;
  wire signed [16:0] d        = {{8{d_q[8]}}, d_q};
  wire signed [16:0] e        = {{8{e_q[8]}}, e_q};
  wire signed [16:0] d34      = (d <<< 5) + (d <<< 1);
  wire signed [16:0] d43      = d34 + (d <<< 3) + d;
  wire signed [16:0] e21      = (e <<< 4) + (e <<< 2) + e;
  wire signed [16:0] d_second = {{8{d_second_q[8]}}, d_second_q};
  wire signed [16:0] e_second = {{8{e_second_q[8]}}, e_second_q};
  wire signed [16:0] luma     = d77_q + e29_q + 17'sd128;
  wire signed [16:0] blue     = (e_second <<< 7) - d43_q + 17'sd128;
  wire signed [16:0] red      = (d_second <<< 7) - e21_q + 17'sd128;
  // from 1 to 256
  wire        [8:0]  cb       = blue[16:8] + 9'd128;
  wire        [8:0]  cr       = red[16:8] + 9'd128;
  wire               unused   = &{1'b0, luma[16], luma[7:0], blue[7:0], red[7:0]};

  always @(posedge clk_i) begin
    if (first_free) begin
      d_q     <= {1'b0, red_i} - {1'b0, green_i};
      e_q     <= {1'b0, blue_i} - {1'b0, green_i};
      green_q <= green_i;
    end
    if (second_free) begin
      d_second_q     <= d_q;
      e_second_q     <= e_q;
      d43_q          <= d43;
      d77_q          <= d43 + d34;
      e21_q          <= e21;
      e29_q          <= e21 + (e <<< 3);
      green_second_q <= green_q;
    end
    if (third_free) begin
      y_q  <= green_second_q + luma[15:8];
      cb_q <= cb[8] ? 8'd255 : cb[7:0];
      cr_q <= cr[8] ? 8'd255 : cr[7:0];
    end
  end

  assign ready_o = first_free;
  assign valid_o = third_q;
  assign y_o     = y_q;
  assign cb_o    = cb_q;
  assign cr_o    = cr_q;
endmodule
`default_nettype wire
