// bernoulli_generator: bits drawn from probabilities mean_i / 2^bits_i (GBM).
//
//   bit_o = 1 if the number in the first bits_i cells of the ring < mean_i else 0
//
// Cell j has weight 2^j. The ring takes steps_i steps before each draw: with one step the draws of
// a bit are correlated, with four they are not. load_i begins from state_i, start_i from a seed,
// as ca_ring says. A mean (mean_valid_i, mean_ready_o) is taken when the ring has its number and
// bit_o, a cycle later, is free: a bit a cycle with one step, else one in steps_i cycles; a bit
// stays until bit_ready_i. mean_last_i is the last draw: the ring rests, and ring_o is the state
// after all draws, from which load_i goes on (ca_step of state_i by steps_i times the bits).
`default_nettype none
module bernoulli_generator #(
  parameter Cells   = 64,
  parameter Rule    = 256,
  parameter AnySize = 1,
  parameter Bits    = 16        // most of bits_i, at most Cells
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire             start_i,
  input  wire             load_i,
  input  wire [7:0]       rule_i,
  input  wire [15:0]      cells_i,
  input  wire [31:0]      seed_i,
  input  wire [20:0]      warm_up_i,
  input  wire [10:0]      steps_i,
  input  wire [4:0]       bits_i,
  input  wire [Cells-1:0] state_i,
  input  wire             mean_valid_i,
  input  wire [Bits:0]    mean_i,        // 0 to 2^bits_i
  input  wire             mean_last_i,
  output wire             mean_ready_o,
  output wire             bit_valid_o,
  output wire             bit_o,
  input  wire             bit_ready_i,
  output wire [Cells-1:0] ring_o
);
  wire            shown;
  reg             valid_q, bit_q;
  wire            free   = !valid_q || bit_ready_i;
  wire            take   = shown && mean_valid_i && free;
  wire [Bits-1:0] number = ring_o[Bits-1:0] & ~({Bits{1'b1}} << bits_i);

  ca_ring #(.Cells(Cells), .Rule(Rule), .AnySize(AnySize), .HasReplay(0)) ring_u (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .start_i   (start_i),
    .load_i    (load_i),
    .save_i    (1'b0),
    .replay_i  (1'b0),
    .rule_i    (rule_i),
    .cells_i   (cells_i),
    .seed_i    (seed_i),
    .warm_up_i (warm_up_i),
    .steps_i   (steps_i),
    .state_i   (state_i),
    .take_i    (take),
    .last_i    (mean_last_i),
    .valid_o   (shown),
    .ring_o    (ring_o)
  );

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) valid_q <= 1'b0;
    else if (start_i || load_i) valid_q <= 1'b0;
    else valid_q <= take || (valid_q && !bit_ready_i);

  always @(posedge clk_i)
    if (take) bit_q <= {1'b0, number} < mean_i;

  assign mean_ready_o = shown && free;
  assign bit_valid_o  = valid_q;
  assign bit_o        = bit_q;
endmodule
`default_nettype wire
