// threshold_unit counts the thresholds that were loaded last for each level and that the value passes:
// >= or, where the channel flips, <=. Proved by induction, without a bound on time: whatever is loaded
// in whatever order, values in between. 2 b codes, values of 9 b, thresholds of 6 b.
`default_nettype none
module threshold_unit_formal (
  input wire              clk_i,
  input wire              load,
  input wire [1:0]        index,
  input wire signed [5:0] threshold,
  input wire              flip,
  input wire [1:0]        levels,
  input wire signed [8:0] value
);
  wire [1:0] code;
  threshold_unit #(.ValueBits(9), .ThresholdBits(6), .CodeBits(2)) unit (
    .clk_i (clk_i), .load_i (load), .index_i (index), .threshold_i (threshold), .flip_i (flip),
    .levels_i (levels), .value_i (value), .code_o (code)
  );
  // the unit's own registers, connected by the script: what an induction starts from
  wire signed [5:0] kept0, kept1, kept2;
  wire kept_flip;

  // what was loaded last, by level; loaded: since the channel has begun
  reg signed [5:0] last0, last1, last2;
  reg [2:0] loaded = 3'b000;
  reg       flipped;
  always @(posedge clk_i)
    if (load) begin
      flipped <= flip;
      // another direction is another channel: its thresholds are all loaded again
      loaded <= (loaded != 3'b000 && flip == flipped ? loaded : 3'b000) | (3'b001 << index);
      if (index == 2'd0) last0 <= threshold;
      if (index == 2'd1) last1 <= threshold;
      if (index == 2'd2) last2 <= threshold;
    end

  wire [2:0] passed = flipped ? {value <= last2, value <= last1, value <= last0}
                              : {value >= last2, value >= last1, value >= last0};
  wire [2:0] used = {levels > 2'd2, levels > 2'd1, levels > 2'd0};
  wire [2:0] counted = passed & used;

  always @* begin
    assume (!load || index != 2'd3);
    // what the unit holds
    if (loaded != 3'b000) assert (kept_flip == flipped);
    if (loaded[0]) assert (kept0 == (flipped ? ~last0 : last0));
    if (loaded[1]) assert (kept1 == (flipped ? ~last1 : last1));
    if (loaded[2]) assert (kept2 == (flipped ? ~last2 : last2));
    // what it gives
    if ((used & ~loaded) == 3'b000)
      assert (code == {1'b0, counted[0]} + {1'b0, counted[1]} + {1'b0, counted[2]});
  end
endmodule
