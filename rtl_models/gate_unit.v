// gate_unit: sums of the four gates of a unit, weights and codes of -1, 0 and +1, a word a cycle.
//
//   sums_o[gate] = biases_i[gate] + sum over words and lanes of weight[gate][lane] * code[lane]
//
// A code is a bit (codes_i: 1 is +1, 0 is -1) and whether it counts (nonzero_i). So are weights: of
// each gate, from gate 0 on, Lanes bits of their signs, then Lanes bits of which are not 0. Bipolar
// codes have nonzero_i of ones; bits 0 and 1 come as nonzero_i, with codes_i of ones; lanes beyond
// the last code have nonzero_i of 0. A product is an XNOR; p products +1 out of n sum to 2 p - n.
//
// first_i begins a unit, with its biases; last_i ends it. Rows of a GRU: r, z, n with zero weights
// for the hidden codes, u with zero weights for the features (lstm_unit).
//
//   cycle      t           t+1         t+2
//   en_i       first       last
//   valid_o                            sums_o
//
// A word a cycle. SumBits hold every sum, as the compiler proves: at least $clog2(Lanes + 1) + 2.
`default_nettype none
module gate_unit #(
  parameter Lanes   = 16,
  parameter SumBits = 12
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,
  input  wire                 en_i,
  input  wire                 first_i,
  input  wire                 last_i,
  input  wire [Lanes-1:0]     codes_i,
  input  wire [Lanes-1:0]     nonzero_i,
  input  wire [8*Lanes-1:0]   weights_i,
  input  wire [4*SumBits-1:0] biases_i,
  output reg                  valid_o,
  output wire [4*SumBits-1:0] sums_o
);
  // the bits of a word are counted in a tree: node n is the sum of nodes 2 n and 2 n + 1
  localparam Leaves    = 1 << $clog2(Lanes);
  localparam CountBits = $clog2(Lanes + 1);
  localparam [CountBits-1:0] NONE = 0, ONE = 1;

  genvar gate;
  generate
    for (gate = 0; gate < 4; gate = gate + 1) begin : g_gate
      wire [Lanes-1:0] signs  = weights_i[2*gate*Lanes +: Lanes];
      wire [Lanes-1:0] counts = weights_i[(2*gate+1)*Lanes +: Lanes] & nonzero_i;
      wire [Lanes-1:0] plus   = counts & ~(signs ^ codes_i);

      integer node;
      reg [2*Leaves*CountBits-1:0] all, positive;
      always @* begin
        all      = {2*Leaves*CountBits{1'b0}};
        positive = {2*Leaves*CountBits{1'b0}};
        for (node = 0; node < Lanes; node = node + 1) begin
          all[(Leaves+node)*CountBits +: CountBits]      = counts[node] ? ONE : NONE;
          positive[(Leaves+node)*CountBits +: CountBits] = plus[node] ? ONE : NONE;
        end
        for (node = Leaves - 1; node > 0; node = node - 1) begin
          all[node*CountBits +: CountBits] = all[2*node*CountBits +: CountBits]
                                             + all[(2*node+1)*CountBits +: CountBits];
          positive[node*CountBits +: CountBits] = positive[2*node*CountBits +: CountBits]
                                                  + positive[(2*node+1)*CountBits +: CountBits];
        end
      end
      wire [SumBits-1:0] total = {{(SumBits-CountBits){1'b0}}, all[CountBits +: CountBits]};
      wire [SumBits-1:0] twice = {{(SumBits-CountBits-1){1'b0}},
                                  positive[CountBits +: CountBits], 1'b0};

      reg  [SumBits-1:0] sum_q;
      wire [SumBits-1:0] base = first_i ? biases_i[gate*SumBits +: SumBits] : sum_q;
      always @(posedge clk_i)
        if (en_i) sum_q <= base + twice - total;
      assign sums_o[gate*SumBits +: SumBits] = sum_q;
    end
  endgenerate

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) valid_o <= 1'b0;
    else valid_o <= en_i && last_i;
endmodule
`default_nettype wire
