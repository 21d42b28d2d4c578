// write_unit: writes a result, one value for each channel of a tile, to the words where they
// belong.
//
// It has room for one result. load_i (only while ready_o) takes it; then every word that it touches
// is written in a cycle of its own, lanes of no channel masked: the lowest channel that is left
// names the word, and all that lie in the same word go with it. A code wider than a word takes
// several. ready_o is high while nothing is left, and in the cycle of the last word.
//
//   load_i   _/~~\__________________/~~\___      a result of three words
//   en_o     ______/~~~~~~~~~~~~~~~~~\_/~~~
//   ready_o  ~~~~~~\__________/~~~~~~~~\___
`default_nettype none
`include "codesign.vh"
module write_unit #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4,
  parameter ValueBits   = 22
) (
  input  wire                             clk_i,
  input  wire                             rst_ni,
  input  wire                             start_i,
  input  wire                             run_i,
  input  wire [`DESCRIPTOR_BITS-1:0]      descriptor_i,
  input  wire [23:0]                      words_out_i,  // of a pixel
  input  wire                             load_i,
  input  wire [OutputLanes*ValueBits-1:0] values_i,
  input  wire [8:0]                       outputs_i,    // channels of the result
  input  wire                             tile_next_i,  // behind this cycle a new tile begins
  input  wire [8:0]                       tile_i,       // channels of the tile that ends
  output wire                             ready_o,
  output wire                             en_o,
  output wire [23:0]                      address_o,
  output wire [2*InputLanes-1:0]          data_o,
  output wire [InputLanes-1:0]            mask_o
);
  localparam PiLog    = $clog2(InputLanes);
  localparam WordBits = 2 * InputLanes;
  localparam CodeBits = ValueBits > WordBits ? ValueBits : WordBits;
  localparam [20:0] PI = InputLanes[20:0];

  wire [2:0] lanes_log = descriptor_i[`D_OUTPUT_LANES];
  wire       bipolar   = descriptor_i[`D_OUTPUT_FORM] == `FORM_BIPOLAR;
  wire       indexed   = descriptor_i[`D_REDUCE] == `REDUCE_INDEX;
  wire [5:0] span      = 6'd1 << lanes_log;                     // lanes of a code
  wire [5:0] parts     = span >> PiLog > 6'd0 ? span >> PiLog : 6'd1;  // words of a code

  wire [OutputLanes*16-1:0] targets;
  channel_order #(.OutputLanes(OutputLanes)) channel_order_i (
    .clk_i     (clk_i),
    .start_i   (start_i),
    .step_i    (tile_next_i && !indexed),
    .outputs_i (tile_i),
    .groups_i  (descriptor_i[`D_SHUFFLE]),
    .span_i    (descriptor_i[`D_SHUFFLE_CHANNELS]),
    .targets_o (targets)
  );

  reg [OutputLanes-1:0]           pending_q;
  reg [OutputLanes*ValueBits-1:0] values_q;
  reg [OutputLanes*21-1:0]        lanes_q;    // first lane of each code, from its pixel on
  reg [5:0]                       part_q;
  reg [23:0]                      pixel_q, base_q;

  // the word of the lowest channel that is left
  integer first;
  reg [20:0] chosen;
  always @* begin
    chosen = 21'd0;
    for (first = OutputLanes - 1; first >= 0; first = first - 1)
      if (pending_q[first]) chosen = lanes_q[21*first +: 21];
  end
  wire [20:0] word = chosen >> PiLog;

  wire [OutputLanes-1:0] match;
  reg  [WordBits-1:0]    data;
  reg  [InputLanes-1:0]  mask;
  wire [WordBits-1:0]    code_ones = ~({WordBits{1'b1}} << {span, 1'b0});
  wire [InputLanes-1:0]  lane_ones = ~({InputLanes{1'b1}} << span);
  genvar lane;
  generate
    for (lane = 0; lane < OutputLanes; lane = lane + 1) begin : g_lane
      assign match[lane] = pending_q[lane] && lanes_q[21*lane +: 21] >> PiLog == word;
    end
  endgenerate

  integer number;
  reg [20:0]                slot;
  reg signed [CodeBits-1:0] code;
  always @* begin
    data = {WordBits{1'b0}};
    mask = {InputLanes{1'b0}};
    slot = 21'd0;
    code = {CodeBits{1'b0}};
    for (number = 0; number < OutputLanes; number = number + 1) begin
      slot = lanes_q[21*number +: 21] & (PI - 21'd1);
      code = {{(CodeBits-ValueBits){values_q[ValueBits*number + ValueBits - 1]}},
              values_q[ValueBits*number +: ValueBits]};
      if (match[number]) begin
        data = data | ((code[WordBits-1:0] & code_ones) << {slot, 1'b0});
        mask = mask | (lane_ones << slot);
      end
    end
  end

  wire part_end = part_q + 6'd1 == parts;
  wire [OutputLanes-1:0] rest = part_end ? pending_q & ~match : pending_q;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) pending_q <= {OutputLanes{1'b0}};
    else if (!run_i) pending_q <= {OutputLanes{1'b0}};
    else if (load_i) pending_q <= ~({OutputLanes{1'b1}} << outputs_i);
    else pending_q <= rest;

  integer channel;
  always @(posedge clk_i) begin
    if (load_i) begin
      part_q <= 6'd0;
      base_q <= pixel_q;
      for (channel = 0; channel < OutputLanes; channel = channel + 1) begin
        lanes_q[21*channel +: 21] <= {5'd0, targets[16*channel +: 16]} << lanes_log;
        // a bipolar code is one bit: whether the value is positive
        values_q[ValueBits*channel +: ValueBits] <=
          !bipolar ? values_i[ValueBits*channel +: ValueBits]
          : {{(ValueBits-1){1'b0}}, !values_i[ValueBits*channel + ValueBits - 1]};
      end
    end else if (en_o) begin
      part_q <= part_end ? 6'd0 : part_q + 6'd1;
      if (!part_end)
        for (channel = 0; channel < OutputLanes; channel = channel + 1)
          values_q[ValueBits*channel +: ValueBits] <=
            $signed(values_q[ValueBits*channel +: ValueBits]) >>> (match[channel] ? WordBits : 0);
    end
    if (start_i || tile_next_i) pixel_q <= descriptor_i[`D_TARGET_BASE];
    else if (load_i) pixel_q <= pixel_q + words_out_i;
  end

  assign en_o      = |pending_q;
  assign ready_o   = rest == {OutputLanes{1'b0}};
  assign address_o = base_q + {3'd0, word} + {18'd0, part_q};
  assign data_o    = data;
  assign mask_o    = mask;
endmodule
`default_nettype wire
