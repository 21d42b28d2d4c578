// Bit by bit, a word is the values of its pixel against the levels that were read for it, 0 where no
// component is named; of two bits of one component the one of the lower level is set first. Any
// levels, gaps and back-pressure; by induction. Three lanes, two components of 5 b.
`default_nettype none
module thermometer_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire        valid, ready,
  input wire [9:0]  values,
  input wire [20:0] levels
);
  (* anyconst *) reg [15:0] base;
  (* anyconst *) reg [15:0] words;
  wire        taken, read, shown, last;
  wire [15:0] address;
  wire [5:0]  word;

  thermometer #(.Lanes(3), .Components(2), .ValueBits(5), .TagBits(2)) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .base_i (base), .words_i (words), .valid_i (valid),
    .ready_o (taken), .values_i (values), .level_read_o (read), .level_address_o (address),
    .levels_i (levels), .valid_o (shown), .word_o (word), .last_o (last), .ready_i (ready)
  );

  // the pixel that words are read for, that of the word whose levels are here, the word that is shown
  reg        started = 1'b0, rest = 1'b0, middle = 1'b0, out = 1'b0;
  reg [15:0] done, middle_done, out_done;
  reg [9:0]  pixel, middle_pixel, out_pixel;
  reg [20:0] out_levels;
  wire       out_free = !out || ready;
  wire       middle_free = !middle || out_free;
  wire       go = (rest || valid) && middle_free;
  wire [15:0] index = rest ? done : 16'd0;
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!rst_ni) {rest, middle, out} <= 3'b000;
    else begin
      if (go) rest <= index + 16'd1 != words;
      if (middle_free) middle <= go;
      if (out_free) out <= middle;
    end
    if (go) done <= index + 16'd1;
    if (go && !rest) pixel <= values;
    if (go) middle_pixel <= rest ? pixel : values;
    if (go) middle_done <= index;
    if (out_free) {out_pixel, out_levels, out_done} <= {middle_pixel, levels, middle_done};
  end

  (* hierconn *) wire        \dut.rest_q , \dut.levels_q , \dut.levels_last_q ;
  (* hierconn *) wire [15:0] \dut.index_q ;
  (* hierconn *) wire [9:0]  \dut.values_q , \dut.compared_q ;
  integer i, j;
  reg [1:0] tag, other;
  reg signed [4:0] level, higher, value;
  always @* begin
    if (!started) assume (!rst_ni);
    assume (words >= 16'd1);
    if (started && rst_ni) begin
      assert (read == go);
      assert (taken == (!rest && middle_free));
      if (read) assert (address == base + index);
      assert (shown == out);
      // the registers that hold the same as the proof's own
      assert (\dut.rest_q == rest && \dut.levels_q == middle);
      if (rest) assert (\dut.index_q == done && \dut.values_q == pixel);
      if (middle) assert (\dut.compared_q == middle_pixel);
      if (middle) assert (\dut.levels_last_q == (middle_done + 16'd1 == words));
      if (shown) begin
        assert (last == (out_done + 16'd1 == words));
        for (i = 0; i < 3; i = i + 1) begin
          {tag, level} = out_levels[7*i +: 7];
          value = tag == 2'd0 ? out_pixel[4:0] : out_pixel[9:5];
          assert (word[2*i +: 2] == {1'b0, tag < 2'd2 && value > level});
          for (j = 0; j < 3; j = j + 1) begin
            {other, higher} = out_levels[7*j +: 7];
            if (other == tag && level <= higher && word[2*j]) assert (word[2*i]);
          end
        end
      end
    end
  end
  // a memory keeps its output while it is not read
  always @(posedge clk_i) if (started && !$past(read)) assume (levels == $past(levels));
endmodule
