// threshold_unit: from a value to a code by the integer thresholds of its channel (QReLU).
//
//   code_o = #{j < levels_i : value_i >= T[j]}     where the channel flips: value_i <= T[j]
//
// A lane a unit. The thresholds of the lane's channel are loaded one a cycle, as they come from a
// parameter memory whose word j holds T[j] of all lanes, and stay while the channel's results pass:
// a result of all lanes a cycle needs all of its thresholds at once, and one word has no room for
// them. load_i takes threshold_i as T[index_i]; flip_i comes with each. So a tile of OutputLanes
// channels is loaded in levels_i cycles, behind the last result of the tile before.
//
//   cycle     t        t+1      t+2      t+3
//   load_i    T[0]     T[1]     T[2]
//   value_i                              value of the channel, code_o in the same cycle
//
// Combinational from value to code, as step_unit, whose place it takes: every threshold has its
// comparator. A search in k steps has only k, but multiplexes for it as many thresholds as it saves
// comparators: for 4 b codes it takes 8 % less with four comparisons in a row, and 2 % more with a
// register behind each. Counting needs no order of the thresholds, and any number of levels.
`default_nettype none
module threshold_unit #(
  parameter ValueBits     = 22,
  parameter ThresholdBits = 16,
  parameter CodeBits      = 2
) (
  input  wire                            clk_i,
  input  wire                            load_i,
  input  wire [CodeBits-1:0]             index_i,
  input  wire signed [ThresholdBits-1:0] threshold_i,
  input  wire                            flip_i,
  input  wire [CodeBits-1:0]             levels_i,
  input  wire signed [ValueBits-1:0]     value_i,
  output reg  [CodeBits-1:0]             code_o
);
  localparam Levels = (1 << CodeBits) - 1;
  localparam [CodeBits-1:0] ONE = 1;

  // x <= T is ~x >= ~T: where the channel flips, thresholds are inverted when they are loaded
  reg  flip_q;
  wire signed [ValueBits-1:0] value = value_i ^ {ValueBits{flip_q}};
  always @(posedge clk_i)
    if (load_i) flip_q <= flip_i;

  wire [Levels-1:0] passed;
  genvar level;
  generate
    for (level = 0; level < Levels; level = level + 1) begin : g_level
      localparam [CodeBits-1:0] LEVEL = level;
      reg  [ThresholdBits-1:0] threshold_q;
      always @(posedge clk_i)
        if (load_i && index_i == LEVEL) threshold_q <= threshold_i ^ {ThresholdBits{flip_i}};
      wire signed [ValueBits-1:0] threshold
        = {{(ValueBits-ThresholdBits+1){threshold_q[ThresholdBits-1]}},
           threshold_q[ThresholdBits-2:0]};
      assign passed[level] = LEVEL < levels_i && value >= threshold;
    end
  endgenerate

  integer number;
  always @* begin
    code_o = {CodeBits{1'b0}};
    for (number = 0; number < Levels; number = number + 1)
      if (passed[number]) code_o = code_o + ONE;
  end
endmodule
`default_nettype wire
