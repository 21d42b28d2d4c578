// From the start of a layer, whatever the sizes of its tiles: the targets of a tile's lanes are those of
// the channel shuffle's formula. Bounded: 5 tiles, groups and channels of a group up to 7, lanes of 3.
`default_nettype none
module channel_order_formal (
  input wire       clk_i,
  input wire       step,
  input wire [8:0] outputs
);
  (* anyconst *) reg [2:0] groups;
  (* anyconst *) reg [2:0] span;
  wire [3*16-1:0] targets;
  reg       started = 1'b0;
  reg [5:0] channel;             // the tile's first

  channel_order #(.OutputLanes(3)) dut (
    .clk_i     (clk_i),
    .start_i   (!started),
    .step_i    (step),
    .outputs_i (outputs),
    .groups_i  ({13'd0, groups}),
    .span_i    ({13'd0, span}),
    .targets_o (targets)
  );

  always @(posedge clk_i) begin
    started <= 1'b1;
    channel <= !started ? 6'd0 : step ? channel + outputs[5:0] : channel;
  end

  wire [5:0] channels = groups * span;
  integer lane;
  reg [5:0] number;
  always @* begin
    assume (groups != 3'd0 && span != 3'd0);
    assume (outputs >= 9'd1 && outputs <= 9'd3);
    number = 6'd0;
    if (started)
      for (lane = 0; lane < 3; lane = lane + 1) begin
        number = channel + lane;
        if (number < channels)
          assert (targets[16*lane +: 16] == (number % span) * groups + number / span);
      end
  end
endmodule
