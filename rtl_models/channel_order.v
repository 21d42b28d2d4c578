// channel_order: where the channels of an output tile are written: the channel shuffle, by
// counting.
//
// Channel c of C goes to (c mod n) * g + c / n, for a shuffle of g groups of n = C / g channels.
// From one channel to the next that is g further, and after n of them back to the next place at the
// start. A chain over the lanes does so for a whole tile (targets_o); step_i moves on by the tile's
// channels.
`default_nettype none
module channel_order #(
  parameter OutputLanes = 4
) (
  input  wire                      clk_i,
  input  wire                      start_i,
  input  wire                      step_i,
  input  wire [8:0]                outputs_i,
  input  wire [15:0]               groups_i,
  input  wire [15:0]               span_i,      // channels of a group
  output wire [OutputLanes*16-1:0] targets_o
);
  // of the tile's first channel: place in its group, group, target
  reg [15:0] place_q, group_q, target_q;
  wire [(OutputLanes+1)*16-1:0] places, groups, targets;
  assign places[15:0]  = place_q;
  assign groups[15:0]  = group_q;
  assign targets[15:0] = target_q;

  genvar lane;
  generate
    for (lane = 0; lane < OutputLanes; lane = lane + 1) begin : g_lane
      wire [15:0] place = places[16*lane +: 16];
      wire [15:0] group = groups[16*lane +: 16];
      wire        wrap  = place + 16'd1 == span_i;
      assign places[16*(lane+1) +: 16]  = wrap ? 16'd0 : place + 16'd1;
      assign groups[16*(lane+1) +: 16]  = wrap ? group + 16'd1 : group;
      assign targets[16*(lane+1) +: 16] = wrap ? group + 16'd1 : targets[16*lane +: 16] + groups_i;
    end
  endgenerate

  always @(posedge clk_i)
    if (start_i) begin
      place_q  <= 16'd0;
      group_q  <= 16'd0;
      target_q <= 16'd0;
    end else if (step_i) begin
      place_q  <= places[16*outputs_i +: 16];
      group_q  <= groups[16*outputs_i +: 16];
      target_q <= targets[16*outputs_i +: 16];
    end

  assign targets_o = targets[OutputLanes*16-1:0];
endmodule
`default_nettype wire
