// Results of a layer, whenever they come: every lane that is written is a lane of a code of the result,
// with its digit; every lane of every code is written once; then the unit is ready again. Bounded: the
// first 7 cycles of a layer, at one base address; words of 2 lanes, 3 output lanes, codes of 1, 2 and 4
// lanes (half a word, a word, two), any shuffle of up to 2 groups of 3 channels.
`default_nettype none
`include "codesign.vh"
module write_unit_formal (
  input wire        clk_i,
  input wire        load, next,
  input wire [17:0] values,
  input wire [1:0]  outputs
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  (* anyconst *) reg [1:0] channel;   // a code and a lane of it, as the solver chooses
  (* anyconst *) reg [1:0] digit;
  (* anyconst *) reg       lane;      // a lane of the memory word
  wire        ready, en;
  wire [23:0] address;
  wire [3:0]  data;
  wire [1:0]  mask;
  reg         started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;

  write_unit #(.InputLanes(2), .OutputLanes(3), .ValueBits(6)) dut (
    .clk_i (clk_i), .rst_ni (started), .start_i (!started), .run_i (started),
    .descriptor_i (descriptor), .words_out_i (24'd32), .load_i (started && load),
    .values_i (values), .outputs_i ({7'd0, outputs}), .tile_next_i (started && next),
    .tile_i ({7'd0, outputs}), .ready_o (ready), .en_o (en), .address_o (address), .data_o (data),
    .mask_o (mask)
  );

  wire [1:0] groups  = descriptor[`D_SHUFFLE];
  wire [1:0] span    = descriptor[`D_SHUFFLE_CHANNELS];
  wire [1:0] log     = descriptor[`D_OUTPUT_LANES];
  wire       bipolar = descriptor[`D_OUTPUT_FORM] == `FORM_BIPOLAR;

  // the shuffle's formula; wide enough for 9 channels
  function [3:0] shuffled(input [3:0] number);
    shuffled = (number % span) * groups + number / span;
  endfunction

  // the tile that comes in, and the result that is written
  reg [23:0] pixel, base;
  reg [3:0]  first;
  reg [11:0] places;
  reg [1:0]  count = 2'd0;
  reg [17:0] held;
  reg        done;                    // the chosen lane was written
  wire       hit;
  always @(posedge clk_i)
    if (!started) begin
      pixel <= descriptor[`D_TARGET_BASE];
      first <= 4'd0;
    end else begin
      pixel <= next ? descriptor[`D_TARGET_BASE] : load ? pixel + 24'd32 : pixel;
      if (next) first <= first + outputs;
      if (load) begin
        {base, count, held} <= {pixel, outputs, values};
        places <= {shuffled(first + 4'd2), shuffled(first + 4'd1), shuffled(first)};
        done   <= 1'b0;
      end else if (hit) done <= 1'b1;
    end

  // the chosen lane: where it goes and what it is
  wire signed [5:0] value  = held[6*channel +: 6];
  wire signed [7:0] wide   = value;
  wire [1:0]  wanted  = bipolar ? {1'b0, !value[5]} : wide[2*digit +: 2];
  wire [5:0]  chosen  = ({2'd0, places[4*channel +: 4]} << log) + digit;
  wire        exists  = channel < count && digit < (3'd1 << log);
  assign      hit     = en && address == base + chosen[5:1] && mask[chosen[0]];
  // a lane that is written belongs to some code
  wire [23:0] offset  = address - base;
  wire [24:0] written = {offset, lane} >> log;
  wire owned = (written == places[3:0] && count > 2'd0) || (written == places[7:4] && count > 2'd1)
               || (written == places[11:8] && count > 2'd2);

  always @* begin
    assume (descriptor[`D_SHUFFLE] >= 16'd1 && descriptor[`D_SHUFFLE] <= 16'd2);
    assume (descriptor[`D_SHUFFLE_CHANNELS] >= 16'd1 && descriptor[`D_SHUFFLE_CHANNELS] <= 16'd3);
    assume (descriptor[`D_OUTPUT_LANES] <= 3'd2 && descriptor[`D_REDUCE] != `REDUCE_INDEX);
    assume (descriptor[`D_TARGET_BASE] == 24'd1000);
    assume (!bipolar || log == 2'd0);
    assume (outputs >= 2'd1 && channel < 2'd3);
    if (started) begin
      // channels of the map only; results only where there is room
      assume (!(load || next) || {2'd0, first} + outputs <= groups * span);
      assume (!load || ready);
      if (en && mask[lane]) assert (owned);
      if (hit && exists) assert (data[2*chosen[0] +: 2] == wanted && !done);
      if (ready && exists) assert (done || hit);
      if (!ready) assert (en);
    end
  end
endmodule
