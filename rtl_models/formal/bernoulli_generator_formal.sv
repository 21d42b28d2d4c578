// A bit is offered for each mean that was taken, and is 1 where the number in the ring's first cells
// was below it; a mean of 0 never gives 1, one of 2^bits always. By induction; rings of 6 cells,
// numbers of up to 5 b.
`default_nettype none
module bernoulli_generator_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire        start, load, mean_valid, mean_last, bit_ready,
  input wire [31:0] seed,
  input wire [20:0] warm_up,
  input wire [5:0]  state,
  input wire [5:0]  mean
);
  (* anyconst *) reg [7:0]  rule;
  (* anyconst *) reg [10:0] steps;
  (* anyconst *) reg [4:0]  bits;
  wire       mean_ready, bit_valid, drawn;
  wire [5:0] ring;

  bernoulli_generator #(.Cells(6), .Rule(256), .AnySize(0), .Bits(5)) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .start_i (start), .load_i (load), .rule_i (rule),
    .cells_i (16'd6), .seed_i (seed), .warm_up_i (warm_up), .steps_i (steps), .bits_i (bits),
    .state_i (state), .mean_valid_i (mean_valid), .mean_i (mean), .mean_last_i (mean_last),
    .mean_ready_o (mean_ready), .bit_valid_o (bit_valid), .bit_o (drawn), .bit_ready_i (bit_ready),
    .ring_o (ring)
  );

  integer j;
  reg [5:0] number;
  always @* begin
    assume (bits >= 5'd1 && bits <= 5'd5);
    assume (mean <= (6'd1 << bits));
    number = 6'd0;
    for (j = 0; j < 5; j = j + 1) if (j < bits) number = number + (ring[j] ? 6'd1 << j : 6'd0);
  end

  reg started = 1'b0, due = 1'b0, expected;
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!rst_ni || start || load) due <= 1'b0;
    else if (mean_valid && mean_ready) begin
      due      <= 1'b1;
      expected <= number < mean;
    end else if (bit_ready) due <= 1'b0;
  end
  always @* begin
    if (!started) assume (!rst_ni);
    if (rst_ni && started) begin
      assert (bit_valid == due);
      if (bit_valid) assert (drawn == expected);
      // no mean is taken while a bit has no place
      if (bit_valid && !bit_ready) assert (!mean_ready);
    end
  end
  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni && !start && !load && mean_valid && mean_ready)) begin
      if ($past(mean) == 6'd0) assert (!drawn);
      if ($past(mean) == 6'd1 << bits) assert (drawn);
    end
endmodule
