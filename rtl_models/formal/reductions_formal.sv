// argmax_unit gives the first of the greatest scores; pool_unit the greatest code of each window and the
// sum of these. Bounded: the first 8 cycles, gaps included; values of 7 b.
`default_nettype none
module reductions_formal (
  input wire              clk_i,
  input wire              en,
  input wire signed [6:0] value,
  input wire              first, last, sum_first
);
  reg  started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;
  wire go = started && en;

  // two scores of the sequence that the solver may choose, the earlier one first
  wire [15:0] index;
  argmax_unit #(.ValueBits(7)) argmax (
    .clk_i (clk_i), .start_i (!started), .en_i (go), .score_i (value), .index_o (index)
  );
  (* anyconst *) reg [3:0] one;
  (* anyconst *) reg [3:0] two;
  reg [3:0] count;
  reg signed [6:0] score_one, score_two;
  always @(posedge clk_i)
    if (!started) count <= 4'd0;
    else if (go) begin
      count <= count + 4'd1;
      if (count == one) score_one <= value;
      if (count == two) score_two <= value;
    end

  // the window so far and the map so far
  wire signed [6:0] maximum, sum;
  pool_unit #(.ValueBits(7), .HasPool(1)) pool (
    .clk_i (clk_i), .en_i (go), .first_i (first), .last_i (last), .sum_first_i (sum_first),
    .code_i (value), .maximum_o (maximum), .sum_o (sum)
  );
  reg signed [6:0] most, total;
  reg  inside = 1'b0, summed = 1'b0;   // a window has begun, a map has begun
  wire signed [6:0] greatest = first || value > most ? value : most;
  always @(posedge clk_i)
    if (go) begin
      inside <= !last;
      most   <= greatest;
      if (last) total <= sum_first ? greatest : total + greatest;
      if (last) summed <= 1'b1;
    end

  always @* begin
    assume (one < two);
    if (started && count != 4'd0) begin
      assert (index < count);
      if (index == one && count > two) assert (score_one >= score_two);
      if (index == two) assert (score_two > score_one);
    end
    // a window begins with its first code, a map with its first window
    assume (first == !inside);
    if (!summed) assume (sum_first);
    if (go) assert (maximum == greatest);
    if (summed) assert (sum == total);
  end
endmodule
