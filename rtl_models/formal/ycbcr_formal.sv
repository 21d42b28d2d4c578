// ycbcr is the op's formula with its constants, offsets and clips, for all 2^24 pixels, with any gaps
// and back-pressure. By induction over the pixels that are on their way.
//
// The unit adds multiples of the differences d = R - G and e = B - G, the formula multiples of colours.
// Proved in steps that a solver can do: d and e are these differences, whatever comes and waits; the
// products are 77 d, 43 d, 29 e and 21 e; the codes are the clips of G + ((77 d + 29 e + 128) >> 8),
// ((128 e - 43 d + 128) >> 8) + 128 and ((128 d - 21 e + 128) >> 8) + 128. These are the formula's:
// 150 = 256 - 77 - 29, 85 = 128 - 43, 107 = 128 - 21.
`default_nettype none
module ycbcr_formal (
  input wire       clk_i,
  input wire       rst_ni,
  input wire       valid, ready,
  input wire [7:0] red, green, blue
);
  wire       taken, shown;
  wire [7:0] y, cb, cr;

  ycbcr dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .valid_i (valid), .ready_o (taken), .red_i (red),
    .green_i (green), .blue_i (blue), .valid_o (shown), .ready_i (ready), .y_o (y), .cb_o (cb),
    .cr_o (cr)
  );
  (* hierconn *) wire        \dut.first_q , \dut.second_q ;
  (* hierconn *) wire [7:0]  \dut.green_q , \dut.green_second_q ;
  (* hierconn *) wire signed [16:0] \dut.d , \dut.e , \dut.d_second , \dut.e_second ;
  (* hierconn *) wire signed [16:0] \dut.d43_q , \dut.d77_q , \dut.e21_q , \dut.e29_q ;
  (* hierconn *) wire signed [16:0] \dut.luma , \dut.blue , \dut.red ;

  function signed [16:0] wide(input [7:0] colour);
    wide = {9'd0, colour};
  endfunction
  function [7:0] clip(input signed [16:0] value);
    clip = value < 17'sd0 ? 8'd0 : value > 17'sd255 ? 8'd255 : value[7:0];
  endfunction

  // the colours of the pixels on their way, and their differences
  reg               started = 1'b0, first = 1'b0, second = 1'b0, third = 1'b0;
  reg [23:0]        pixel_1, pixel_2, pixel_3;
  reg signed [16:0] d_1, e_1, d_2, e_2, d_3, e_3;
  wire              third_free  = !third || ready;
  wire              second_free = !second || third_free;
  wire              first_free  = !first || second_free;
  // what a pixel's codes were made of, in the clock after
  reg               moved = 1'b0;
  reg signed [16:0] luma, to_blue, to_red, d43, d77, e21, e29;
  // a pixel that is not taken
  reg               waits = 1'b0;
  reg [23:0]        held;

  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!rst_ni) {first, second, third} <= 3'b000;
    else begin
      if (first_free) first <= valid;
      if (second_free) second <= first;
      if (third_free) third <= second;
    end
    if (first_free) begin
      pixel_1 <= {red, green, blue};
      d_1     <= wide(red) - wide(green);
      e_1     <= wide(blue) - wide(green);
    end
    if (second_free) {pixel_2, d_2, e_2} <= {pixel_1, d_1, e_1};
    if (third_free) {pixel_3, d_3, e_3} <= {pixel_2, d_2, e_2};
    waits <= rst_ni && shown && !ready;
    held  <= {y, cb, cr};
    moved <= rst_ni && second && third_free;
    {luma, to_blue, to_red}   <= {\dut.luma , \dut.blue , \dut.red };
    {d43, d77}                <= {\dut.d43_q , \dut.d77_q };
    {e21, e29}                <= {\dut.e21_q , \dut.e29_q };
  end

  always @* begin
    if (!started) assume (!rst_ni);
    if (started && rst_ni) begin
      assert (shown == third);
      assert (taken == first_free);
      assert (\dut.first_q == first && \dut.second_q == second);
      if (waits) assert (shown && held == {y, cb, cr});
      if (first) begin
        assert (\dut.green_q == pixel_1[15:8]);
        assert (\dut.d == d_1 && \dut.e == e_1);
        assert (d_1 == wide(pixel_1[23:16]) - wide(pixel_1[15:8]));
        assert (e_1 == wide(pixel_1[7:0]) - wide(pixel_1[15:8]));
      end
      if (second) begin
        assert (\dut.green_second_q == pixel_2[15:8]);
        assert (\dut.d_second == d_2 && \dut.e_second == e_2);
        assert (d_2 == wide(pixel_2[23:16]) - wide(pixel_2[15:8]));
        assert (e_2 == wide(pixel_2[7:0]) - wide(pixel_2[15:8]));
        assert (\dut.d43_q == 17'sd43 * \dut.d_second );
        assert (\dut.d77_q == 17'sd77 * \dut.d_second );
        assert (\dut.e21_q == 17'sd21 * \dut.e_second );
        assert (\dut.e29_q == 17'sd29 * \dut.e_second );
      end
      if (third) begin
        assert (d_3 == wide(pixel_3[23:16]) - wide(pixel_3[15:8]));
        assert (e_3 == wide(pixel_3[7:0]) - wide(pixel_3[15:8]));
      end
      if (moved) begin
        assert (shown);
        assert (d43 == 17'sd43 * d_3 && d77 == 17'sd77 * d_3);
        assert (e21 == 17'sd21 * e_3 && e29 == 17'sd29 * e_3);
        assert (luma == d77 + e29 + 17'sd128);
        assert (to_blue == (e_3 <<< 7) - d43 + 17'sd128);
        assert (to_red == (d_3 <<< 7) - e21 + 17'sd128);
        assert (y == pixel_3[15:8] + luma[15:8]);
        assert (cb == clip((to_blue >>> 8) + 17'sd128));
        assert (cr == clip((to_red >>> 8) + 17'sd128));
      end
    end
  end
endmodule
