// argmax_unit: index of the greatest of a sequence of scores, the first where several tie.
//
// start_i begins a sequence; en_i compares one score a cycle. index_o follows a cycle later.
`default_nettype none
module argmax_unit #(
  parameter ValueBits = 22
) (
  input  wire                        clk_i,
  input  wire                        start_i,
  input  wire                        en_i,
  input  wire signed [ValueBits-1:0] score_i,
  output reg  [15:0]                 index_o
);
  reg signed [ValueBits-1:0] best_q;
  reg [15:0] count_q;

  always @(posedge clk_i)
    if (start_i) count_q <= 16'd0;
    else if (en_i) begin
      count_q <= count_q + 16'd1;
      if (count_q == 16'd0 || score_i > best_q) begin
        best_q  <= score_i;
        index_o <= count_q;
      end
    end
endmodule
`default_nettype wire
