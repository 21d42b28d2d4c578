// ca_ring: a ring of cells that shows a state every steps_i steps, until it is told to stop.
//
// start_i: bits of seed_i in the first 32 cells, 0 in the others; the first state is there after
// warm_up_i + steps_i steps. load_i: from state_i, after steps_i steps. A state stays until it is
// taken; the ring goes on in the cycle that takes it, so that with one step a state a cycle is
// taken. The state taken with last_i stays in ring_o, the ring rests: load_i of it goes on as if
// nothing had been between. save_i keeps the state that is shown, replay_i shows it again one cycle
// later and goes on from there (HasReplay: a second ring of flip-flops). rule_i, cells_i and
// steps_i stay as they are while it runs. start_i comes before load_i, this before replay_i, each
// at any time.
//
//   cycle      0     1     2     3     4     5     6     7     warm_up_i 1, steps_i 2
//   start_i  /~~~~\______________________________________
//   ring_o    ?    | seed| 1   | 2   | 3         | 4   | 5
//   valid_o  ________________________/~~~~~~~~~~~\________/~
//   take_i   ______________________________/~~~~~\__________
//
// Reset ends the run; cells are unknown until start_i or load_i.
`default_nettype none
module ca_ring #(
  parameter Cells     = 64,
  parameter Rule      = 256,
  parameter AnySize   = 1,
  parameter HasReplay = 1
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire             start_i,
  input  wire             load_i,
  input  wire             save_i,
  input  wire             replay_i,
  input  wire [7:0]       rule_i,
  input  wire [15:0]      cells_i,
  input  wire [31:0]      seed_i,
  input  wire [20:0]      warm_up_i,   // 0 to 2^20
  input  wire [10:0]      steps_i,     // 1 to 2^10
  input  wire [Cells-1:0] state_i,
  input  wire             take_i,
  input  wire             last_i,
  output wire             valid_o,
  output wire [Cells-1:0] ring_o
);
  reg              valid_q;
  reg  [20:0]      left_q;    // steps before the next state, less that of the coming edge
  reg              run_q;
  reg  [Cells-1:0] ring_q;
  wire [Cells-1:0] next, kept;
  wire [Cells+31:0] seed = {{Cells{1'b0}}, seed_i};
  wire             take   = valid_q && take_i;
  wire             step   = run_q && (!valid_q || (take_i && !last_i));
  wire [20:0]      more   = {10'd0, steps_i} - 21'd1;
  wire             replay = HasReplay != 0 && replay_i;
  wire             unused = &{1'b0, seed, save_i, replay_i};

  ca_step #(.Cells(Cells), .Rule(Rule), .AnySize(AnySize)) step_u (
    .rule_i  (rule_i),
    .cells_i (cells_i),
    .ring_i  (ring_q),
    .next_o  (next)
  );

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      run_q   <= 1'b0;
      valid_q <= 1'b0;
    end else if (start_i || load_i) begin
      run_q   <= 1'b1;
      valid_q <= 1'b0;
    end else if (replay) begin
      run_q   <= 1'b1;
      valid_q <= 1'b1;
    end else begin
      if (take && last_i) run_q <= 1'b0;
      valid_q <= take ? !last_i && more == 21'd0 : run_q && (valid_q || left_q == 21'd0);
    end

  always @(posedge clk_i) begin
    if (start_i) ring_q <= seed[Cells-1:0];
    else if (load_i) ring_q <= state_i;
    else if (replay) ring_q <= kept;
    else if (step) ring_q <= next;
    if (start_i) left_q <= warm_up_i + more;
    else if (load_i) left_q <= more;
    else if (take) left_q <= more - 21'd1;
    else left_q <= left_q - 21'd1;
  end

  generate
    if (HasReplay != 0) begin : g_replay
      reg [Cells-1:0] saved_q;
      always @(posedge clk_i) if (save_i) saved_q <= ring_q;
      assign kept = saved_q;
    end else begin : g_none
      assign kept = {Cells{1'b0}};
    end
  endgenerate

  assign valid_o = valid_q;
  assign ring_o  = ring_q;
endmodule
`default_nettype wire
