// pool_unit: the maximum of a window and the sum of a map, for one channel.
//
// en_i: a code of the window is here. maximum_o is the greatest of the window so far, this code
// included (combinational); with the window's last code (last_i) it is added to the sum, which
// sum_first_i begins anew. sum_o follows a cycle later. Built without HasPool it passes the code
// on.
`default_nettype none
module pool_unit #(
  parameter ValueBits = 22,
  parameter HasPool   = 1
) (
  input  wire                        clk_i,
  input  wire                        en_i,
  input  wire                        first_i,
  input  wire                        last_i,
  input  wire                        sum_first_i,
  input  wire signed [ValueBits-1:0] code_i,
  output wire signed [ValueBits-1:0] maximum_o,
  output wire signed [ValueBits-1:0] sum_o
);
  generate
    if (HasPool != 0) begin : g_pool
      reg signed [ValueBits-1:0] maximum_q, sum_q;
      assign maximum_o = first_i || code_i > maximum_q ? code_i : maximum_q;
      assign sum_o     = sum_q;
      always @(posedge clk_i)
        if (en_i) begin
          maximum_q <= maximum_o;
          if (last_i) sum_q <= (sum_first_i ? {ValueBits{1'b0}} : sum_q) + maximum_o;
        end
    end else begin : g_none
      wire unused = &{1'b0, clk_i, en_i, first_i, last_i, sum_first_i};
      assign maximum_o = code_i;
      assign sum_o     = {ValueBits{unused}};
    end
  endgenerate
endmodule
`default_nettype wire
