// The codes of a row are weights, less their lowest and by their step, of the ring that is shown;
// a row that is not taken stays; the one that is taken as the last leaves the ring as it is; what
// is saved comes back. By induction, for rings of up to 8 cells and rows of up to 4 weights.
`default_nettype none
module ca_generator_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire        start, load, save, replay, ready, last,
  input wire [31:0] seed,
  input wire [20:0] warm_up,
  input wire [7:0]  state
);
  (* anyconst *) reg [7:0]  rule;
  (* anyconst *) reg [15:0] cells;
  (* anyconst *) reg [15:0] row;
  (* anyconst *) reg [10:0] steps;
  (* anyconst *) reg [1:0]  mapping;
  wire       valid;
  wire [7:0] codes, ring;

  ca_generator #(.Cells(8), .Columns(4), .Rule(256), .AnySize(1), .HasReplay(1)) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .start_i (start), .load_i (load), .save_i (save),
    .replay_i (replay), .rule_i (rule), .cells_i (cells), .seed_i (seed), .warm_up_i (warm_up),
    .steps_i (steps), .mapping_i (mapping), .row_i (row), .state_i (state), .ready_i (ready),
    .last_i (last), .valid_o (valid), .row_o (codes), .ring_o (ring)
  );

  integer i;
  reg signed [3:0] weight;
  reg [2:0] three;
  always @* begin
    assume (mapping != 2'd3);
    assume (cells >= 16'd3 && cells <= 16'd8 && row >= 16'd1 && row <= 16'd4);
    assume (row * (mapping == 2'd0 ? 16'd2 : mapping == 2'd1 ? 16'd3 : 16'd1) <= cells);
    for (i = 0; i < 4; i = i + 1)
      if (i < row) begin
        three = {ring[3*i], ring[3*i + 1], ring[3*i + 2]};
        case (mapping)
          2'd0: weight = $signed({3'd0, ring[i]}) - $signed({3'd0, ring[i + row]});
          2'd1: weight = three <= 3'd2 ? -4'sd1 : three <= 3'd4 ? 4'sd0 : 4'sd1;
          default: weight = ring[i] ? 4'sd1 : -4'sd1;
        endcase
        if (mapping == 2'd2) assert ($signed({2'd0, codes[2*i +: 2]}) * 4'sd2 - 4'sd1 == weight);
        else assert ($signed({2'd0, codes[2*i +: 2]}) - 4'sd1 == weight);
      end
  end

  (* hierconn *) wire [7:0] \dut.ring_u.g_replay.saved_q ;
  reg started = 1'b0;
  reg [7:0] saved;
  reg       kept = 1'b0;
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (save) saved <= ring;
    if (save) kept <= 1'b1;
  end
  always @* if (!started) assume (!rst_ni);
  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni)) begin
      if (!$past(start || load || replay)) begin
        if ($past(valid && !ready)) assert (valid && ring == $past(ring));
        if ($past(valid && ready && last)) assert (!valid && ring == $past(ring));
        if ($past(valid && ready && !last)) assert (valid == (steps == 11'd1));
      end
      if ($past(start)) assert (!valid && ring == $past(seed[7:0]));
      if ($past(!start && load)) assert (!valid && ring == $past(state));
      if ($past(!start && !load && replay && kept)) assert (valid && ring == $past(saved));
    end
  // what is shown runs; what the proof's own copy and the generator keep is the same
  (* hierconn *) wire \dut.ring_u.run_q ;
  always @* if (started && rst_ni && valid) assert (\dut.ring_u.run_q );
  always @* if (kept) assert (\dut.ring_u.g_replay.saved_q == saved);
endmodule
