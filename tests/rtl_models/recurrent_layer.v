// recurrent_layer: a whole layer of gate_unit and lstm_unit with its weights in an SRAM, for tests.
//
// Row u * Words + w of the memory: the weights of unit u for word w of the features and hidden codes
// side by side, then its biases. start_i, while ready_o, takes the features of a step; done_o tells
// that states_o are those behind it, Units * Words + 4 cycles later.
`default_nettype none
module recurrent_layer #(
  parameter Features = 5,
  parameter Units    = 4,
  parameter CellBits = 4,
  parameter Lanes    = 8,
  parameter SumBits  = 8,
  parameter Words    = (Features + Units + Lanes - 1) / Lanes,
  parameter Depth    = Units * Words,
  parameter RowBits  = 8 * Lanes + 4 * SumBits
) (
  input  wire                          clk_i,
  input  wire                          rst_ni,
  input  wire                          gru_i,
  input  wire                          ternary_i,
  input  wire [CellBits-2:0]           limit_i,
  input  wire                          row_load_i,
  input  wire [15:0]                   row_i,
  input  wire [RowBits-1:0]            weights_i,
  input  wire                          state_load_i,
  input  wire [15:0]                   unit_i,
  input  wire [CellBits:0]             state_i,
  input  wire                          start_i,
  input  wire [Features-1:0]           codes_i,
  input  wire [Features-1:0]           nonzero_i,
  output wire                          ready_o,
  output reg                           done_o,
  output reg  [Units*(CellBits+1)-1:0] states_o,
  output reg  [2*Units-1:0]            hidden_o
);
  localparam UnitBits = Units > 1 ? $clog2(Units) : 1;
  localparam RowIndex = Depth > 1 ? $clog2(Depth) : 1;

  reg        reading_q, working_q;
  reg [15:0] address_q, unit_q, word_q;
  reg [Features-1:0] codes_q, nonzero_q;
  assign ready_o = !working_q;

  wire word_last = word_q == Words - 1;
  wire unit_last = unit_q == Units - 1;

  // the row's place, as it leaves the memory and as it is in the sums
  reg        g_en_q, g_first_q, g_last_q, g_unit_last_q, s_unit_last_q, h_last_q;
  reg [15:0] g_word_q, g_unit_q, s_unit_q;

  wire s_valid, h_valid;
  wire [UnitBits-1:0] h_unit;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      reading_q <= 1'b0;
      working_q <= 1'b0;
      g_en_q    <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      if (start_i && ready_o) begin
        reading_q <= 1'b1;
        working_q <= 1'b1;
      end
      if (reading_q && word_last && unit_last) reading_q <= 1'b0;
      g_en_q <= reading_q;
      done_o <= h_valid && h_last_q;
      if (h_valid && h_last_q) working_q <= 1'b0;
    end
  always @(posedge clk_i) begin
    if (start_i && ready_o) begin
      codes_q   <= codes_i;
      nonzero_q <= nonzero_i;
      address_q <= 16'd0;
      unit_q    <= 16'd0;
      word_q    <= 16'd0;
    end else if (reading_q) begin
      address_q <= address_q + 16'd1;
      word_q    <= word_last ? 16'd0 : word_q + 16'd1;
      if (word_last) unit_q <= unit_q + 16'd1;
    end
    g_first_q     <= word_q == 16'd0;
    g_last_q      <= word_last;
    g_unit_last_q <= unit_last;
    g_word_q      <= word_q;
    g_unit_q      <= unit_q;
    s_unit_q      <= g_unit_q;
    s_unit_last_q <= g_unit_last_q;
    h_last_q      <= s_unit_last_q;
  end

  wire [RowBits-1:0] row;
  sram_1rw #(.Width(RowBits), .Depth(Depth), .MaskBits(RowBits)) weights (
    .clk_i     (clk_i),
    .en_i      (row_load_i || reading_q),
    .we_i      (row_load_i),
    .address_i (row_load_i ? row_i[RowIndex-1:0] : address_q[RowIndex-1:0]),
    .wdata_i   (weights_i),
    .wmask_i   (1'b1),
    .rdata_o   (row)
  );

  wire [Units-1:0] codes, nonzero;
  wire [Words*Lanes-1:0] all_codes   = {codes, codes_q};
  wire [Words*Lanes-1:0] all_nonzero = {nonzero, nonzero_q};
  wire [4*SumBits-1:0] sums;
  gate_unit #(.Lanes(Lanes), .SumBits(SumBits)) gates (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .en_i      (g_en_q),
    .first_i   (g_first_q),
    .last_i    (g_last_q),
    .codes_i   (all_codes[g_word_q*Lanes +: Lanes]),
    .nonzero_i (all_nonzero[g_word_q*Lanes +: Lanes]),
    .weights_i (row[0 +: 8*Lanes]),
    .biases_i  (row[8*Lanes +: 4*SumBits]),
    .valid_o   (s_valid),
    .sums_o    (sums)
  );

  wire [CellBits:0] h_state;
  wire [1:0]        h_hidden;
  lstm_unit #(.Units(Units), .CellBits(CellBits), .SumBits(SumBits)) cells (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .gru_i     (gru_i),
    .ternary_i (ternary_i),
    .limit_i   (limit_i),
    .load_i    (state_load_i),
    .en_i      (s_valid),
    .last_i    (s_unit_last_q),
    .unit_i    (state_load_i ? unit_i[UnitBits-1:0] : s_unit_q[UnitBits-1:0]),
    .state_i   (state_i),
    .sums_i    (sums),
    .valid_o   (h_valid),
    .unit_o    (h_unit),
    .state_o   (h_state),
    .hidden_o  (h_hidden),
    .codes_o   (codes),
    .nonzero_o (nonzero)
  );
  always @(posedge clk_i)
    if (h_valid) begin
      states_o[h_unit*(CellBits+1) +: CellBits+1] <= h_state;
      hidden_o[2*h_unit +: 2] <= h_hidden;
    end
endmodule
`default_nettype wire
