// profile_counters: cycles of a layer by cause, and of a frame.
//
// In each cycle with count_i the counter of cause_i and the frame's go up by one, the next cycle
// shows it. layer_start_i makes the layer's counters zero in the next cycle, frame_start_i the
// frame's: the cycle in which they are high is not counted. Counters wrap. A cause that is none
// counts for the frame only. cycles_o is the counter that select_i names, combinational, 0 where it
// names none.
`default_nettype none
`include "codesign.vh"
module profile_counters (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        layer_start_i,
  input  wire        frame_start_i,
  input  wire        count_i,
  input  wire [3:0]  cause_i,
  input  wire [3:0]  select_i,
  output wire [31:0] cycles_o,
  output wire [63:0] frame_cycles_o
);
  localparam Causes = {28'd0, `CAUSE_WAIT} + 32'd1;

  wire [32*Causes-1:0] cycles;

  genvar cause;
  generate
    for (cause = 0; cause < Causes; cause = cause + 1) begin : g_cause
      reg [31:0] count_q;
      always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) count_q <= 32'd0;
        else if (layer_start_i) count_q <= 32'd0;
        else if (count_i && cause_i == cause) count_q <= count_q + 32'd1;
      assign cycles[32*cause +: 32] = count_q;
    end
  endgenerate

  reg [63:0] frame_q;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) frame_q <= 64'd0;
    else if (frame_start_i) frame_q <= 64'd0;
    else if (count_i) frame_q <= frame_q + 64'd1;

  assign cycles_o       = select_i <= `CAUSE_WAIT ? cycles[32*select_i +: 32] : 32'd0;
  assign frame_cycles_o = frame_q;
endmodule
`default_nettype wire
