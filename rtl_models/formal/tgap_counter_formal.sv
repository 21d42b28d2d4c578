// tgap_counter tells of each sum whether it is above theta, as many frames late as asked, whatever
// codes of whatever channels come, with any pauses. Proved by induction, without a bound on time or on
// the length of a sum: the sum here goes on where the unit's has saturated (it too stops, at 1023, far
// above any theta). One of two channels, which the solver chooses; codes of 2 b, sums of 4 b, up to 2
// frames of delay.
`default_nettype none
module tgap_counter_formal (
  input wire              clk_i,
  input wire              rst_n,
  input wire [1:0]        delay,
  input wire              en,
  input wire              channel,
  input wire [1:0]        code,
  input wire              first, last, clip_first,
  input wire signed [4:0] theta
);
  wire valid, told, select;
  tgap_counter #(.Channels(2), .CodeBits(2), .SumBits(4), .Delays(2)) unit (
    .clk_i (clk_i), .rst_ni (rst_n), .delay_i (delay), .en_i (en), .channel_i (channel),
    .code_i (code), .first_i (first), .last_i (last), .clip_first_i (clip_first),
    .theta_i (theta), .valid_o (valid), .channel_o (told), .select_o (select)
  );
  // the unit's own registers, connected by the script: what an induction starts from
  wire [3:0] kept_sum0, kept_sum1;
  wire [1:0] kept_line0, kept_line1;
  (* anyconst *) reg mine;
  wire [3:0] kept_sum  = mine ? kept_sum1 : kept_sum0;
  wire [1:0] kept_line = mine ? kept_line1 : kept_line0;

  wire here = en && channel == mine;
  reg        inside = 1'b0, clip = 1'b0;   // a sum has begun, a clip has begun
  reg [9:0]  sum;
  reg        one_ago, two_ago;             // bits of the frames before; 0 before the clip
  wire [10:0] exact = (first ? 11'd0 : {1'b0, sum}) + {9'd0, code};
  wire [9:0]  total = exact[10] ? 10'd1023 : exact[9:0];
  wire        above = theta < 0 || total > {6'd0, theta[3:0]};

  reg was_last = 1'b0, was_mine, expected, started = 1'b0;
  always @(posedge clk_i) begin
    started  <= 1'b1;
    was_last <= rst_n && en && last;
    was_mine <= channel == mine;
    if (here) begin
      inside <= !last;
      sum    <= total;
      if (last) begin
        clip     <= 1'b1;
        one_ago  <= above;
        two_ago  <= !clip_first && one_ago;
        expected <= delay == 2'd0 ? above
                  : delay == 2'd1 ? !clip_first && one_ago : !clip_first && two_ago;
      end
    end
  end

  always @* begin
    assume (delay != 2'd3);
    assume (theta != 5'sd15);        // a sum that has saturated is above every other one
    if (!started) assume (!rst_n);
    if (here) assume (first == !inside);
    if (here && last && !clip) assume (clip_first);
    // what the unit holds
    if (inside) assert (kept_sum == (sum > 10'd15 ? 4'd15 : sum[3:0]));
    if (clip) assert (kept_line == {two_ago, one_ago});
    // what it tells
    if (started && rst_n) assert (valid == was_last);
    if (!rst_n) assert (!valid);
    if (valid) assert ((told == mine) == was_mine);
    if (valid && told == mine) assert (select == expected);
  end
endmodule
