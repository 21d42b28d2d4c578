// ca_step: one step of an elementary cellular automaton on a ring (MOGNET).
//
//   next_o[i] = rule[4*ring[i-1] + 2*ring[i] + ring[i+1]]
//
// Combinational. Rule below 256 builds that rule alone, a few gates a cell (rule 30: an OR and an
// XOR); 256 builds all, by rule_i. AnySize closes the ring behind cell cells_i - 1 (3 or more);
// what the cells beyond become means nothing and reaches no cell of the ring. Without it the ring
// has Cells cells.
`default_nettype none
module ca_step #(
  parameter Cells   = 64,
  parameter Rule    = 256,
  parameter AnySize = 1
) (
  input  wire [7:0]       rule_i,
  input  wire [15:0]      cells_i,
  input  wire [Cells-1:0] ring_i,
  output wire [Cells-1:0] next_o
);
  localparam [31:0] RULE = Rule;
  wire [7:0]       rule = Rule < 256 ? RULE[7:0] : rule_i;
  wire [Cells-1:0] last;                            // the cell that the ring closes behind
  wire             first_left = |(ring_i & last);   // what stands left of cell 0
  wire             unused = &{1'b0, rule_i, cells_i};

  genvar i;
  generate
    for (i = 0; i < Cells; i = i + 1) begin : g_cell
      localparam [31:0] NUMBER = i + 1;
      assign last[i] = AnySize != 0 ? cells_i == NUMBER[15:0] : i == Cells - 1;
      wire left  = i == 0 ? first_left : ring_i[i == 0 ? 0 : i - 1];
      wire right = last[i] ? ring_i[0] : ring_i[i == Cells - 1 ? 0 : i + 1];
      assign next_o[i] = rule[{left, ring_i[i], right}];
    end
  endgenerate
endmodule
`default_nettype wire
