// thermometer: the components of a pixel to thermometer codes, a word of Lanes bits a cycle (FBNN,
// GBM).
//
//   bit o is 1 if component c of the pixel > level o
//
// Levels come from a memory with a registered output (sram_1rw), a word of Lanes entries at a time,
// addresses base_i to base_i + words_i - 1 for each pixel. An entry is {c, level}: the level names
// the component that it is compared with, so that any number of bits a component, in any order, is
// a matter of the memory's contents and no logic. A c of Components or more is no bit: 0, as behind
// a pixel's last one. A code of low 0 and one of low -1 are the same bits: whoever reads the map
// takes them as unsigned or as bipolar. word_o is a word of a map: bit 0 of each lane of 2 b.
//
// Latency 2, a word a cycle: pixels follow each other without a gap. A word stays until ready_i;
// meanwhile the memory is not read and keeps its output. base_i and words_i (1 or more) stay as
// they are while pixels come.
//
//   cycle           0     1     2     3     4     5        words_i 2
//   valid_i       /~~~~~~~~~~~~~~~~~~~~~~~\_
//   ready_o       /~~~~\______/~~~~~\______               pixel 0, pixel 1
//   level_read_o  /~~~~~~~~~~~~~~~~~~~~~~~\_
//   valid_o       ____________/~~~~~~~~~~~~~~~~~~~~~~~\_
//   last_o        __________________/~~~~~\______/~~~~~\_
`default_nettype none
module thermometer #(
  parameter Lanes      = 4,
  parameter Components = 3,
  parameter ValueBits  = 9,     // two's complement: 9 b hold a byte and a level below 0
  parameter TagBits    = 2      // names Components components, and none
) (
  input  wire                                 clk_i,
  input  wire                                 rst_ni,
  input  wire [15:0]                          base_i,
  input  wire [15:0]                          words_i,
  input  wire                                 valid_i,
  output wire                                 ready_o,
  input  wire [Components*ValueBits-1:0]      values_i,
  output wire                                 level_read_o,
  output wire [15:0]                          level_address_o,
  input  wire [Lanes*(TagBits+ValueBits)-1:0] levels_i,
  output wire                                 valid_o,
  output wire [2*Lanes-1:0]                   word_o,
  output wire                                 last_o,
  input  wire                                 ready_i
);

  // stage 0: words of the pixel that are still to be read; stage 1: levels; stage 2: bits
  reg                             rest_q, levels_q, word_valid_q;
  reg                             levels_last_q, last_q;
  reg  [15:0]                     index_q;
  reg  [Components*ValueBits-1:0] values_q, compared_q;
  reg  [Lanes-1:0]                bits_q;
  wire [Lanes-1:0]                bits;

  wire        word_free   = !word_valid_q || ready_i;
  wire        levels_free = !levels_q || word_free;
  wire        take        = !rest_q && valid_i && levels_free;
  wire        read        = (rest_q || valid_i) && levels_free;
  wire [15:0] index       = rest_q ? index_q : 16'd0;
  wire        pixel_end   = index + 16'd1 == words_i;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      rest_q       <= 1'b0;
      levels_q     <= 1'b0;
      word_valid_q <= 1'b0;
    end else begin
      if (read) rest_q <= !pixel_end;
      if (levels_free) levels_q <= read;
      if (word_free) word_valid_q <= levels_q;
    end

  always @(posedge clk_i) begin
    if (take) values_q <= values_i;
    if (read) begin
      index_q       <= index + 16'd1;
      compared_q    <= rest_q ? values_q : values_i;
      levels_last_q <= pixel_end;
    end
    if (word_free) begin
      bits_q <= bits;
      last_q <= levels_last_q;
    end
  end

  genvar lane, component;
  generate
    for (lane = 0; lane < Lanes; lane = lane + 1) begin : g_lane
      wire [TagBits-1:0]          tag;
      wire signed [ValueBits-1:0] level;
      wire [Components-1:0]       above;
      assign {tag, level} = levels_i[lane*(TagBits+ValueBits) +: TagBits + ValueBits];
      for (component = 0; component < Components; component = component + 1) begin : g_component
        localparam [31:0] COMPONENT = component;
        wire signed [ValueBits-1:0] value = compared_q[component*ValueBits +: ValueBits];
        assign above[component] = tag == COMPONENT[TagBits-1:0] && value > level;
      end
      assign bits[lane] = |above;
      assign word_o[2*lane +: 2] = {1'b0, bits_q[lane]};
    end
  endgenerate

  assign ready_o         = !rest_q && levels_free;
  assign level_read_o    = read;
  assign level_address_o = base_i + index;
  assign valid_o         = word_valid_q;
  assign last_o          = last_q;
endmodule
`default_nettype wire
