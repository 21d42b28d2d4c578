// mac_row: one output channel of the array.
//
//   sum = step * S(operand * code * 4^digit) + low * S(operand * 4^digit)      S: sum over lanes
//
// which is the sum of operand * (low + step * code): the lanes multiply by stored codes, and the
// weights' offset is added once, from a sum that all rows share (offset_i). Lanes are added in
// pairs and pairs of pairs, where a digit's place is a shift by a constant. Registered: one cycle.
// Sums wrap at AccBits; the final sum is proved to fit.
`default_nettype none
module mac_row #(
  parameter InputLanes = 4,
  parameter WeightBits = 3,
  parameter AccBits    = 20
) (
  input  wire                             clk_i,
  input  wire                             en_i,
  input  wire [3*InputLanes-1:0]          operands_i,
  input  wire [InputLanes*WeightBits-1:0] codes_i,      // of the channels, channel 0 lowest
  input  wire [2:0]                       lanes_log_i,
  input  wire                             double_i,     // step 2
  input  wire [AccBits-1:0]               offset_i,
  output reg  [AccBits-1:0]               sum_o
);
  localparam Quads    = (InputLanes + 3) / 4;
  localparam PairBits = WeightBits + 7;    // two products of WeightBits + 3 bits, one times 4
  localparam QuadBits = PairBits + 5;      // two pairs, one times 16

  wire [Quads*QuadBits-1:0] quads;
  genvar quad, pair, half;
  generate
    for (quad = 0; quad < Quads; quad = quad + 1) begin : g_quad
      wire [2*PairBits-1:0] pairs;
      for (pair = 0; pair < 2; pair = pair + 1) begin : g_pair
        wire signed [PairBits-1:0] product [0:1];
        for (half = 0; half < 2; half = half + 1) begin : g_half
          localparam Lane = 4 * quad + 2 * pair + half;
          if (Lane < InputLanes) begin : g_lane
            wire signed [2:0] operand = operands_i[3*Lane +: 3];
            // a code of 2^n lanes has its weight at its channel's place
            wire [WeightBits-1:0] code =
                lanes_log_i == 3'd0 ? codes_i[Lane*WeightBits +: WeightBits]
              : lanes_log_i == 3'd1 ? codes_i[(Lane/2)*WeightBits +: WeightBits]
              : codes_i[(Lane/4)*WeightBits +: WeightBits];
            assign product[half] = operand * $signed({1'b0, code});
          end else begin : g_none
            assign product[half] = {PairBits{1'b0}};
          end
        end
        wire signed [PairBits-1:0] upper = lanes_log_i == 3'd0 ? product[1] : product[1] <<< 2;
        assign pairs[pair*PairBits +: PairBits] = product[0] + upper;
      end
      localparam More = QuadBits - PairBits;
      wire [PairBits-1:0] first  = pairs[0 +: PairBits];
      wire [PairBits-1:0] second = pairs[PairBits +: PairBits];
      wire signed [QuadBits-1:0] low    = {{More{first[PairBits-1]}}, first};
      wire signed [QuadBits-1:0] high   = {{More{second[PairBits-1]}}, second};
      wire signed [QuadBits-1:0] placed = lanes_log_i == 3'd2 ? high <<< 4 : high;
      assign quads[quad*QuadBits +: QuadBits] = low + placed;
    end
  endgenerate

  localparam SumBits = AccBits > QuadBits ? AccBits : QuadBits;
  integer number;
  reg signed [QuadBits-1:0] part;
  reg signed [SumBits-1:0]  total;
  always @* begin
    total = {SumBits{1'b0}};
    part  = {QuadBits{1'b0}};
    for (number = 0; number < Quads; number = number + 1) begin
      part  = quads[number*QuadBits +: QuadBits];
      total = total + {{(SumBits-QuadBits){part[QuadBits-1]}}, part};
    end
  end

  always @(posedge clk_i)
    if (en_i) sum_o <= (double_i ? {total[AccBits-2:0], 1'b0} : total[AccBits-1:0]) + offset_i;
endmodule
`default_nettype wire
