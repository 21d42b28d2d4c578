// tgap_counter: thresholded global sum of every channel, one select bit each (op tgap).
//
//   select = 1 if the sum of the channel's codes > theta else 0; a tie gives 0
//
// A code a cycle (en_i), of any channel, in any order: pixel by pixel or channel by channel.
// first_i and last_i mark the first and the last code of a sum; one code alone has both. With the
// last one comes theta_i, and the bit follows a cycle later. First and last say what a sum is of:
//
//   clip     the whole map: delay_i 0
//   frame    a frame: delay_i 0
//   causal   a frame, and the bit comes delay_i frames later: 0 in the first ones of a clip, whose
//            first frame is told with its last code (clip_first_i)
//
//   cycle     t          t+1     t+2     t+3
//   code_i    first, 2   1       last, 1
//   valid_o                              select_o = delayed(4 > theta_i)
//
// Codes are unsigned. Others are counted from their least value: c codes of two's complement with
// the sign bit inverted and theta + c 2^(CodeBits-1); c bipolar bits, whose sum is 2 ones - c, with
// the floor of (theta + c) / 2. A theta below 0 is -1: always 1.
//
// Sums saturate: a count that has reached 2^SumBits - 1 stays there, above each theta below that.
// So any number of codes is judged right where theta < 2^SumBits - 1; for a greater one
// SumBits have to hold the sum. No sum is reset: unknown until first_i.
`default_nettype none
module tgap_counter #(
  parameter Channels = 4,
  parameter CodeBits = 1,
  parameter SumBits  = 13,
  parameter Delays   = 1,
  // of the ports
  parameter ChannelBits = Channels > 1 ? $clog2(Channels) : 1,
  parameter DelayBits   = $clog2(Delays + 1)
) (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire [DelayBits-1:0]     delay_i,
  input  wire                     en_i,
  input  wire [ChannelBits-1:0]   channel_i,
  input  wire [CodeBits-1:0]      code_i,
  input  wire                     first_i,
  input  wire                     last_i,
  input  wire                     clip_first_i,
  input  wire signed [SumBits:0]  theta_i,
  output reg                      valid_o,
  output reg  [ChannelBits-1:0]   channel_o,
  output reg                      select_o
);
  // of all channels: the sum so far; bits of the frames before, the last one lowest
  wire [Channels*SumBits-1:0] sums;
  wire [Channels*Delays-1:0]  lines;

  wire [SumBits-1:0] base  = first_i ? {SumBits{1'b0}} : sums[channel_i*SumBits +: SumBits];
  wire [SumBits:0]   exact  = {1'b0, base} + {{(SumBits+1-CodeBits){1'b0}}, code_i};
  wire [SumBits-1:0] sum    = exact[SumBits] ? {SumBits{1'b1}} : exact[SumBits-1:0];

  wire              now  = $signed({1'b0, sum}) > theta_i;
  wire [Delays-1:0] line = clip_first_i ? {Delays{1'b0}} : lines[channel_i*Delays +: Delays];
  wire [Delays:0]   bits = {line, now};

  genvar channel;
  generate
    for (channel = 0; channel < Channels; channel = channel + 1) begin : g_channel
      localparam [ChannelBits-1:0] CHANNEL = channel;
      reg [SumBits-1:0] sum_q;
      reg [Delays-1:0]  line_q;
      always @(posedge clk_i)
        if (en_i && channel_i == CHANNEL) begin
          sum_q <= sum;
          if (last_i) line_q <= bits[Delays-1:0];
        end
      assign sums[channel*SumBits +: SumBits] = sum_q;
      assign lines[channel*Delays +: Delays]  = line_q;
    end
  endgenerate

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) valid_o <= 1'b0;
    else valid_o <= en_i && last_i;

  always @(posedge clk_i)
    if (en_i && last_i) begin
      channel_o <= channel_i;
      select_o  <= bits[delay_i];
    end
endmodule
`default_nettype wire
