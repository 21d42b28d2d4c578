// lstm_unit: the state of a recurrent layer of one-bit gates, and its step (ops lstm, gru).
//
// The four sums of a unit come in one cycle, biases included (see gate_unit), units in any order,
// each once a step. With sign(s) = +1 where s >= 0, else -1:
//
//   LSTM (sums i, f, g, o)   c' = clip((f > 0 ? c : 0) + (i > 0 ? sign(g) : 0), -limit, limit)
//                            o' = o > 0, hidden code h' = o' ? sign(c') : -1 (ternary: 0)
//   GRU  (sums r, z, n, u)   h' = z > 0 ? h : sign(n + (r > 0 ? u : 0))
//
// where n is the features' part of the GRU's last gate, with its bias, and u its recurrent part.
// The packed state is 2 c + o in two's complement: {c, o}. A GRU's state, its hidden code, is so
// too: +1 is {0, 1}, -1 is {-1, 1}, and the hidden code of either is o ? sign(c) : that of closed.
//
// c counts up or down by 1 from c or from 0: to clip is to stay where the bound is met. limit_i is
// 2^(bits-1) - 1 of the op; states that are loaded keep to it. The sum n + u has a bit more than n.
//
//   cycle       t              t+1               t+2
//   en_i        unit 0         unit 1, last
//   valid_o                    unit 0            unit 1          state_o, hidden_o: -1, 0 or +1
//   codes_o     of step s-1    of step s-1       of step s
//
// Latency 1, a unit a cycle. State is in registers: a single-port SRAM cannot read a unit and write
// the one before it in a cycle, and all hidden codes (codes_o: 1 is +1; nonzero_o) are read at once
// and change at once, behind the step's last unit (last_i): what multiplies them sees the step
// before, whichever units are done. load_i, never with en_i, writes a state: the one before a
// sequence (LSTM 0, GRU -1) or of the run before. States are unknown until they are loaded.
`default_nettype none
module lstm_unit #(
  parameter Units    = 4,
  parameter CellBits = 4,
  parameter SumBits  = 12,
  // of the ports
  parameter UnitBits = Units > 1 ? $clog2(Units) : 1
) (
  input  wire                       clk_i,
  input  wire                       rst_ni,
  input  wire                       gru_i,
  input  wire                       ternary_i,
  input  wire        [CellBits-2:0] limit_i,
  input  wire                       load_i,
  input  wire                       en_i,
  input  wire                       last_i,
  input  wire        [UnitBits-1:0] unit_i,
  input  wire signed [CellBits:0]   state_i,
  input  wire        [4*SumBits-1:0] sums_i,
  output reg                        valid_o,
  output reg         [UnitBits-1:0] unit_o,
  output reg  signed [CellBits:0]   state_o,
  output reg         [1:0]          hidden_o,
  output wire        [Units-1:0]    codes_o,
  output wire        [Units-1:0]    nonzero_o
);
  localparam StateBits = CellBits + 1;
  localparam [StateBits-1:0] ZERO = 0, PLUS = 2, MINUS = -2;   // {c, 0}: c = 0, 1, -1

  // of each sum: above 0, below 0
  wire [3:0] above, below;
  wire       unused = above[2];   // of the gate g the sign is all
  genvar gate;
  generate
    for (gate = 0; gate < 4; gate = gate + 1) begin : g_gate
      assign below[gate] = sums_i[gate*SumBits + SumBits-1];
      assign above[gate] = !below[gate] && sums_i[gate*SumBits +: SumBits] != {SumBits{1'b0}};
    end
  endgenerate

  wire [Units*StateBits-1:0] states;
  wire [StateBits-1:0] old = states[unit_i*StateBits +: StateBits];

  // LSTM: i, f, g, o
  wire [StateBits-1:0] limit   = {1'b0, limit_i, 1'b0};
  wire [StateBits-1:0] base    = above[1] ? {old[StateBits-1:1], 1'b0} : ZERO;
  wire                 met     = base == (below[2] ? ZERO - limit : limit);
  wire [StateBits-1:0] change  = !above[0] || met ? ZERO : below[2] ? MINUS : PLUS;
  wire [StateBits-1:0] counted = (base + change) | {{CellBits{1'b0}}, above[3]};

  // GRU: r, z, n, u
  wire signed [SumBits-1:0] fed   = sums_i[2*SumBits +: SumBits];
  wire signed [SumBits-1:0] back  = sums_i[3*SumBits +: SumBits];
  wire signed [SumBits:0]   added = {fed[SumBits-1], fed} + {back[SumBits-1], back};
  wire                      minus = above[0] ? added[SumBits] : below[2];

  wire [StateBits-1:0] next = !gru_i   ? counted
                            : above[1] ? old : {{CellBits{minus}}, 1'b1};
  wire [StateBits-1:0] written = load_i ? state_i : next;

  genvar unit;
  generate
    for (unit = 0; unit < Units; unit = unit + 1) begin : g_unit
      localparam [UnitBits-1:0] UNIT = unit;
      wire here = (load_i || en_i) && unit_i == UNIT;
      reg  [StateBits-1:0] state_q;
      wire [StateBits-1:0] state = here ? written : state_q;
      reg  code_q, nonzero_q;
      always @(posedge clk_i) begin
        state_q <= state;
        if (load_i ? here : en_i && last_i) begin
          code_q    <= state[0] && !state[StateBits-1];
          nonzero_q <= state[0] || !ternary_i;
        end
      end
      assign states[unit*StateBits +: StateBits] = state_q;
      assign codes_o[unit]   = code_q;
      assign nonzero_o[unit] = nonzero_q;
    end
  endgenerate

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) valid_o <= 1'b0;
    else valid_o <= en_i;

  wire shown = next[0] || !ternary_i;
  always @(posedge clk_i)
    if (en_i) begin
      unit_o   <= unit_i;
      state_o  <= next;
      hidden_o <= {shown && !(next[0] && !next[StateBits-1]), shown};
    end
endmodule
`default_nettype wire
