// ca_step against the table of the rule: a ring of any size up to 11 with any rule, and rings of
// one size built for one rule. Combinational: one step is a proof for all inputs.
`default_nettype none
module ca_step_formal (
  input wire [7:0]  rule,
  input wire [15:0] cells,
  input wire [10:0] ring
);
  wire [10:0] any, sized, thirty;

  ca_step #(.Cells(11), .Rule(256), .AnySize(1)) any_i (
    .rule_i (rule), .cells_i (cells), .ring_i (ring), .next_o (any)
  );
  ca_step #(.Cells(11), .Rule(256), .AnySize(0)) sized_i (
    .rule_i (rule), .cells_i (cells), .ring_i (ring), .next_o (sized)
  );
  ca_step #(.Cells(11), .Rule(30), .AnySize(0)) thirty_i (
    .rule_i (rule), .cells_i (cells), .ring_i (ring), .next_o (thirty)
  );

  integer i, left, right;
  reg [7:0] shifted;
  always @* begin
    assume (cells >= 16'd3 && cells <= 16'd11);
    for (i = 0; i < 11; i = i + 1) begin
      // of a ring of `cells`: the neighbours modulo its size
      left  = i == 0 ? cells - 16'd1 : i - 1;
      right = i + 1 == cells ? 0 : i + 1;
      shifted = rule >> (4 * ring[left] + 2 * ring[i] + ring[right]);
      if (i < cells) assert (any[i] == shifted[0]);
      // of eleven cells
      left  = (i + 10) % 11;
      right = (i + 1) % 11;
      shifted = rule >> (4 * ring[left] + 2 * ring[i] + ring[right]);
      assert (sized[i] == shifted[0]);
      assert (thirty[i] == (ring[left] ^ (ring[i] | ring[right])));
    end
  end
endmodule
