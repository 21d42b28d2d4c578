// lstm_unit makes of any sums the states of the operations lstm and gru: c in integers, clipped, from
// the state that was loaded or made last; hidden codes change behind a step's last unit. Proved by
// induction, without a bound on time: units in any order, any pauses. Two units, cells of 3 b with any
// limit, sums of 4 b; a layer keeps its kind, limit and form of hidden codes.
`default_nettype none
module lstm_unit_formal (
  input wire               clk_i,
  input wire               rst_n,
  input wire               load, en, last, unit_index,
  input wire signed [3:0]  state,
  input wire signed [3:0]  s0, s1, s2, s3
);
  (* anyconst *) reg gru;
  (* anyconst *) reg ternary;
  (* anyconst *) reg [1:0] limit;
  wire valid, told;
  wire signed [3:0] state_o;
  wire signed [1:0] hidden;
  wire [1:0] codes, nonzero;
  lstm_unit #(.Units(2), .CellBits(3), .SumBits(4)) unit (
    .clk_i (clk_i), .rst_ni (rst_n), .gru_i (gru), .ternary_i (ternary), .limit_i (limit),
    .load_i (load), .en_i (en), .last_i (last), .unit_i (unit_index), .state_i (state),
    .sums_i ({s3, s2, s1, s0}), .valid_o (valid), .unit_o (told), .state_o (state_o),
    .hidden_o (hidden), .codes_o (codes), .nonzero_o (nonzero)
  );
  // the unit's own registers, connected by the script: what an induction starts from
  wire signed [3:0] kept0, kept1;
  (* anyconst *) reg mine;
  wire signed [3:0] kept = mine ? kept1 : kept0;

  // the operations, in integers of 8 b
  wire signed [7:0] top = {6'd0, limit};
  function signed [7:0] lstm(input signed [3:0] old);
    reg signed [7:0] cell_now, sum;
    begin
      cell_now = (old - (old & 4'sd1)) / 2;
      sum = (s1 > 0 ? cell_now : 8'sd0) + (s0 > 0 ? (s2 >= 0 ? 8'sd1 : -8'sd1) : 8'sd0);
      sum = sum > top ? top : sum < -top ? -top : sum;
      lstm = sum + sum + (s3 > 0 ? 8'sd1 : 8'sd0);
    end
  endfunction
  wire signed [7:0] n8 = s2, u8 = s3;
  function signed [7:0] step(input signed [3:0] old);
    step = !gru ? lstm(old) : s1 > 0 ? old : n8 + (s0 > 0 ? u8 : 8'sd0) >= 0 ? 8'sd1 : -8'sd1;
  endfunction
  function signed [1:0] code(input signed [3:0] packed_state);
    code = !packed_state[0] ? (ternary ? 2'sd0 : -2'sd1) : packed_state < 0 ? -2'sd1 : 2'sd1;
  endfunction
  // of the operation a hidden code is the sign of c: of x >> 1, as of x
  wire legal = gru ? state == 4'sd1 || state == -4'sd1 : (state >>> 1) <= top && (state >>> 1) >= -top;

  reg loaded = 1'b0, shown = 1'b0, started = 1'b0, was = 1'b0, was_mine;
  reg signed [3:0] now, before;      // the state, and the one whose hidden code is out
  wire here = (load || en) && unit_index == mine;
  wire signed [7:0] following = step(now);
  wire signed [3:0] made = load ? state : following[3:0];
  wire signed [3:0] next = here ? made : now;
  always @(posedge clk_i) begin
    started  <= 1'b1;
    was      <= rst_n && en;
    was_mine <= unit_index == mine;
    if (here && load) loaded <= 1'b1;
    now <= next;
    if ((here && load) || (loaded && en && last)) begin
      shown  <= 1'b1;
      before <= next;
    end
  end
  wire signed [1:0] out = nonzero[mine] ? (codes[mine] ? 2'sd1 : -2'sd1) : 2'sd0;

  always @* begin
    if (!started) assume (!rst_n);
    assume (!(load && en));
    if (load) assume (legal);
    if (gru) assume (!ternary);
    // the state is one of the operation's, and the unit's
    if (loaded) begin
      assert (kept == now);
      assert (gru ? now == 4'sd1 || now == -4'sd1 : (now >>> 1) <= top && (now >>> 1) >= -top);
      assert (following == step(kept) && following <= 8'sd7 && following >= -8'sd8);
    end
    if (shown) assert (loaded && out == code(before));
    // what it tells
    if (started && rst_n) assert (valid == was);
    if (!rst_n) assert (!valid);
    if (valid) assert ((told == mine) == was_mine);
    if (valid && told == mine && loaded) assert (state_o == now && hidden == code(now));
  end
endmodule
