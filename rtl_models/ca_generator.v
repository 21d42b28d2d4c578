// ca_generator: weights out of a cellular automaton: rows that no memory holds (MOGNET).
//
// A row is what mapping_i reads from the ring s, m = row_i weights, as the codes that a tile buffer
// holds, (weight - low) / step in 2 b a weight:
//
//   0  ternary    s[i] - s[i+m]               codes 0, 1, 2 are -1, 0, +1
//   1  balanced   s[3i] s[3i+1] s[3i+2]       0 to 2 give code 0, 3 and 4 code 1, 5 to 7 code 2
//   2  binary     s[i]                        codes 0, 1 are -1, +1
//
// The ring runs as ca_ring says: valid_o shows a row, a cycle with ready_i takes it, last_i with it
// ends the run; a row a cycle with one step a row, else one in steps_i cycles. ring_o is the bare
// ring for other users: to be carried on, or drawn from. Rows follow the ring without a register.
// AnySize builds rows and rings of any size up to Columns and Cells, by row_i and cells_i; without
// it a row has Columns weights, a ring Cells cells, and the mapping is wires. Codes of row_o from
// row_i on mean nothing.
`default_nettype none
module ca_generator #(
  parameter Cells     = 64,
  parameter Columns   = 32,
  parameter Rule      = 256,
  parameter AnySize   = 1,
  parameter HasReplay = 1
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,
  input  wire                 start_i,
  input  wire                 load_i,
  input  wire                 save_i,
  input  wire                 replay_i,
  input  wire [7:0]           rule_i,
  input  wire [15:0]          cells_i,
  input  wire [31:0]          seed_i,
  input  wire [20:0]          warm_up_i,
  input  wire [10:0]          steps_i,
  input  wire [1:0]           mapping_i,
  input  wire [15:0]          row_i,
  input  wire [Cells-1:0]     state_i,
  input  wire                 ready_i,
  input  wire                 last_i,
  output wire                 valid_o,
  output wire [2*Columns-1:0] row_o,
  output wire [Cells-1:0]     ring_o
);
  localparam [31:0] COLUMNS = Columns;
  localparam [1:0] BALANCED = 2'd1, BINARY = 2'd2;
  // bits that do not exist read as 0: no row that fits its ring reaches them
  localparam Bits = 3 * Columns > Cells ? 3 * Columns : Cells;
  wire [15:0]     columns = AnySize != 0 ? row_i : COLUMNS[15:0];
  wire [Bits:0]   ring    = {{(Bits-Cells+1){1'b0}}, ring_o};
  wire [Bits:0]   far     = ring >> columns;
  wire            unused  = &{1'b0, row_i, ring, far};

  ca_ring #(.Cells(Cells), .Rule(Rule), .AnySize(AnySize), .HasReplay(HasReplay)) ring_u (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .start_i   (start_i),
    .load_i    (load_i),
    .save_i    (save_i),
    .replay_i  (replay_i),
    .rule_i    (rule_i),
    .cells_i   (cells_i),
    .seed_i    (seed_i),
    .warm_up_i (warm_up_i),
    .steps_i   (steps_i),
    .state_i   (state_i),
    .take_i    (ready_i),
    .last_i    (last_i),
    .valid_o   (valid_o),
    .ring_o    (ring_o)
  );

  genvar column;
  generate
    for (column = 0; column < Columns; column = column + 1) begin : g_column
      wire       near = ring[column];
      wire [2:0] bits = {ring[3*column], ring[3*column + 1], ring[3*column + 2]};
      reg  [1:0] code;
      always @*
        case (mapping_i)
          BINARY:   code = {1'b0, near};
          BALANCED: code = bits < 3'd3 ? 2'd0 : bits < 3'd5 ? 2'd1 : 2'd2;
          default:  code = {near && !far[column], near == far[column]};
        endcase
      assign row_o[2*column +: 2] = code;
    end
  endgenerate
endmodule
`default_nettype wire
