// lane_rotate: a word of 2 b lanes turned so that lane rotate_i becomes lane 0. Combinational.
`default_nettype none
module lane_rotate #(
  parameter InputLanes = 4
) (
  input  wire [2*InputLanes-1:0] word_i,
  input  wire [8:0]              rotate_i,
  output wire [2*InputLanes-1:0] word_o
);
  wire [4*InputLanes-1:0] twice = {word_i, word_i} >> {rotate_i, 1'b0};
  assign word_o = twice[2*InputLanes-1:0];
endmodule
`default_nettype wire
