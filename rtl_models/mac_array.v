// mac_array: InputLanes x OutputLanes multipliers and their sums: a pixel a cycle, one cycle of
// latency.
//
// codes_i is the weight tile: output channel o, input channel i at place o * 2^inputs_log_i + i.
`default_nettype none
module mac_array #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4,
  parameter WeightBits  = 3,
  parameter AccBits     = 20
) (
  input  wire                                         clk_i,
  input  wire                                         en_i,
  input  wire [3*InputLanes-1:0]                      operands_i,
  input  wire [InputLanes*OutputLanes*WeightBits-1:0] codes_i,
  input  wire [3:0]                                   inputs_log_i,
  input  wire [2:0]                                   lanes_log_i,
  input  wire [8:0]                                   low_i,        // value of code 0, signed
  input  wire                                         double_i,
  output wire [OutputLanes*AccBits-1:0]               sums_o
);
  localparam PiLog = $clog2(InputLanes);
  localparam RowBits = InputLanes * WeightBits;

  // sum of the operands at their places: the same for all rows
  integer lane;
  reg signed [AccBits-1:0] operand, plain;
  always @* begin
    plain = {AccBits{1'b0}};
    for (lane = 0; lane < InputLanes; lane = lane + 1) begin
      operand = {{(AccBits-3){operands_i[3*lane+2]}}, operands_i[3*lane +: 3]};
      if (lanes_log_i != 3'd0 && lane % 2 == 1) operand = operand <<< 2;
      if (lanes_log_i == 3'd2 && lane % 4 >= 2) operand = operand <<< 4;
      plain = plain + operand;
    end
  end
  wire signed [8:0] low = low_i;
  wire signed [AccBits+8:0] offset = plain * low;

  genvar row, log;
  generate
    for (row = 0; row < OutputLanes; row = row + 1) begin : g_row
      // the row's codes begin at row * 2^inputs_log
      wire [(PiLog+1)*RowBits-1:0] choices;
      for (log = 0; log <= PiLog; log = log + 1) begin : g_log
        localparam Span = (1 << log) * WeightBits;
        if (Span < RowBits) begin : g_part
          assign choices[log*RowBits +: RowBits] =
            {{(RowBits-Span){1'b0}}, codes_i[row*Span +: Span]};
        end else begin : g_whole
          assign choices[log*RowBits +: RowBits] = codes_i[row*Span +: Span];
        end
      end
      wire [RowBits-1:0] codes = choices[inputs_log_i*RowBits +: RowBits];

      mac_row #(
        .InputLanes (InputLanes),
        .WeightBits (WeightBits),
        .AccBits    (AccBits)
      ) mac_row_i (
        .clk_i       (clk_i),
        .en_i        (en_i),
        .operands_i  (operands_i),
        .codes_i     (codes),
        .lanes_log_i (lanes_log_i),
        .double_i    (double_i),
        .offset_i    (offset[AccBits-1:0]),
        .sum_o       (sums_o[row*AccBits +: AccBits])
      );
    end
  endgenerate
endmodule
`default_nettype wire
