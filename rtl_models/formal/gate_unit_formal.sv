// gate_unit adds the products of -1, 0 and +1, lane by lane, to the bias, for every gate, however many
// words come and with any pauses. Proved by induction, without a bound on time: sums as in the unit,
// modulo 2^SumBits, which the compiler proves to hold them. 3 lanes, sums of 5 b.
`default_nettype none
module gate_unit_formal (
  input wire        clk_i,
  input wire        rst_n,
  input wire        en, first, last,
  input wire [2:0]  codes, nonzero,
  input wire [23:0] weights,
  input wire [19:0] biases
);
  wire valid;
  wire [19:0] sums;
  gate_unit #(.Lanes(3), .SumBits(5)) unit (
    .clk_i (clk_i), .rst_ni (rst_n), .en_i (en), .first_i (first), .last_i (last),
    .codes_i (codes), .nonzero_i (nonzero), .weights_i (weights), .biases_i (biases),
    .valid_o (valid), .sums_o (sums)
  );

  (* anyconst *) reg [1:0] gate;
  // the product of a lane, of the values that its bits stand for
  function signed [4:0] value(input sign, input counts);
    value = counts ? (sign ? 5'sd1 : -5'sd1) : 5'sd0;
  endfunction
  wire [5:0] mine = weights[6*gate +: 6];
  wire signed [4:0] product_0 = value(codes[0], nonzero[0]) * value(mine[0], mine[3]);
  wire signed [4:0] product_1 = value(codes[1], nonzero[1]) * value(mine[1], mine[4]);
  wire signed [4:0] product_2 = value(codes[2], nonzero[2]) * value(mine[2], mine[5]);

  reg begun = 1'b0, was_last = 1'b0, started = 1'b0;
  reg [4:0] sum;
  always @(posedge clk_i) begin
    started  <= 1'b1;
    was_last <= rst_n && en && last;
    if (en && (first || begun)) begin
      begun <= 1'b1;
      sum   <= (first ? biases[5*gate +: 5] : sum) + product_0 + product_1 + product_2;
    end
  end

  always @* begin
    if (!started) assume (!rst_n);
    if (begun) assert (sums[5*gate +: 5] == sum);
    if (started && rst_n) assert (valid == was_last);
    if (!rst_n) assert (!valid);
  end
endmodule
