// result_unit: from accumulators or a map's words to the words of the layer's map.
//
//   gather (maps only) -> normalize: bias, shift, activation -> pool: maximum, sum, argmax -> write
//
// A token a cycle enters and goes one stage further each cycle. Where a result is complete and the
// write unit is still busy, all stages wait (advance_o low), and whoever issues tokens with them.
//
//   cycle   t        t+1      t+2        t+3      t+4 ...
//   drain   issue    norm.    pool       write    (S words, one a cycle)
//   map     issue    gather   norm.      pool     write
`default_nettype none
`include "codesign.vh"
module result_unit #(
  parameter InputLanes   = 4,
  parameter OutputLanes  = 4,
  parameter AccBits      = 20,
  parameter BiasBits     = 16,
  parameter HasThreshold = 1,
  parameter HasPool      = 1,
  parameter HasArgmax    = 1
) (
  input  wire                            clk_i,
  input  wire                            rst_ni,
  input  wire                            start_i,
  input  wire                            run_i,
  input  wire [`DESCRIPTOR_BITS-1:0]     descriptor_i,
  input  wire [23:0]                     words_out_i,
  // tokens: {value, window first, window last, sum first, compare, lane, emit, tile last, outputs}
  input  wire                            drain_issue_i,
  input  wire [23:0]                     drain_token_i,
  input  wire                            drain_first_i,
  input  wire                            map_issue_i,
  input  wire [23:0]                     map_token_i,
  input  wire                            map_first_i,
  input  wire                            map_read_i,
  input  wire [15:0]                     map_number_i,
  input  wire [8:0]                      map_rotate_i,
  // a hand-over to the drain: the tile that ends, where a new one begins
  input  wire                            handover_i,
  input  wire                            tile_begin_i,
  input  wire [8:0]                      tile_outputs_i,
  // memories: data follow a cycle after the read
  input  wire [OutputLanes*AccBits-1:0]  sums_i,
  input  wire [2*InputLanes-1:0]         word_i,
  output wire                            bias_read_o,
  output wire [15:0]                     bias_address_o,
  input  wire [OutputLanes*BiasBits-1:0] biases_i,
  output wire [8:0]                      rotate_o,
  output wire                            write_o,
  output wire [23:0]                     address_o,
  output wire [2*InputLanes-1:0]         data_o,
  output wire [InputLanes-1:0]           mask_o,
  output wire                            advance_o,
  output wire                            empty_o
);
  // one bit more than an accumulator for the bias, one for an unsigned map; an index needs 17
  localparam ValueBits = AccBits + 2 > 17 ? AccBits + 2 : 17;
  localparam TokenBits = 24;
  localparam signed [31:0] LEAST = -(32'sd1 <<< (ValueBits < 32 ? ValueBits - 1 : 31));
  localparam signed [31:0] MOST  = ~LEAST;

  wire product = descriptor_i[`D_OPERATION] == `OP_PRODUCT;
  wire indexed = descriptor_i[`D_REDUCE] == `REDUCE_INDEX;
  wire reduced = descriptor_i[`D_REDUCE] != `REDUCE_NONE;

  // gather
  reg                 g_valid_q, g_read_q, g_first_q;
  reg [TokenBits-1:0] g_token_q;
  reg [15:0]          g_number_q;
  reg [8:0]           g_rotate_q;
  // normalize
  reg                 n_valid_q;
  reg [TokenBits-1:0] n_token_q;
  // pool
  reg                 p_valid_q;
  reg [TokenBits-1:0] p_token_q;
  reg [OutputLanes*ValueBits-1:0] codes_q;

  wire advance;
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      g_valid_q <= 1'b0;
      n_valid_q <= 1'b0;
      p_valid_q <= 1'b0;
    end else if (!run_i) begin
      g_valid_q <= 1'b0;
      n_valid_q <= 1'b0;
      p_valid_q <= 1'b0;
    end else if (advance) begin
      g_valid_q <= map_issue_i;
      n_valid_q <= product ? drain_issue_i : g_valid_q;
      p_valid_q <= n_valid_q;
    end

  always @(posedge clk_i)
    if (advance) begin
      g_token_q  <= map_token_i;
      g_read_q   <= map_read_i;
      g_first_q  <= map_first_i;
      g_number_q <= map_number_i;
      g_rotate_q <= map_rotate_i;
      n_token_q  <= product ? drain_token_i : g_token_q;
      p_token_q  <= n_token_q;
    end

  wire [OutputLanes*ValueBits-1:0] gathered;
  gather #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .ValueBits   (ValueBits)
  ) gather_i (
    .clk_i       (clk_i),
    .en_i        (g_valid_q && g_read_q && advance),
    .word_i      (word_i),
    .number_i    (g_number_q),
    .rotate_i    (g_rotate_q),
    .form_i      (descriptor_i[`D_INPUT_FORM]),
    .lanes_log_i (descriptor_i[`D_INPUT_LANES]),
    .values_o    (gathered)
  );

  // token fields
  wire       n_value        = n_token_q[23];
  wire       p_value        = p_token_q[23];
  wire       p_window_first = p_token_q[22];
  wire       p_window_last  = p_token_q[21];
  wire       p_sum_first    = p_token_q[20];
  wire       p_compare      = p_token_q[19];
  wire [8:0] p_lane         = p_token_q[18:10];
  wire       p_emit         = p_token_q[9];
  wire       p_tile_last    = p_token_q[8];
  // a tile has 1 to 256 channels: the token holds one less
  wire [8:0] p_outputs      = {1'b0, p_token_q[7:0]} + 9'd1;

  // clip bounds, saturated to what a value holds
  wire signed [31:0] clip_low  = descriptor_i[`D_CLIP_LOW];
  wire signed [31:0] clip_high = descriptor_i[`D_CLIP_HIGH];
  wire signed [31:0] low_32    = clip_low < LEAST ? LEAST : clip_low > MOST ? MOST : clip_low;
  wire signed [31:0] high_32   = clip_high < LEAST ? LEAST : clip_high > MOST ? MOST : clip_high;
  localparam ClipBits = ValueBits > 32 ? ValueBits : 32;
  wire signed [ClipBits-1:0] low_wide  = {{(ClipBits-31){low_32[31]}}, low_32[30:0]};
  wire signed [ClipBits-1:0] high_wide = {{(ClipBits-31){high_32[31]}}, high_32[30:0]};

  wire [OutputLanes*ValueBits-1:0] maxima, sums;
  genvar lane;
  generate
    for (lane = 0; lane < OutputLanes; lane = lane + 1) begin : g_lane
      wire [AccBits-1:0] accumulator = sums_i[lane*AccBits +: AccBits];
      wire signed [ValueBits-1:0] normalized, code;
      bit_shift_norm #(.ValueBits(ValueBits), .BiasBits(BiasBits)) bit_shift_norm_i (
        .value_i   (product ? {{(ValueBits-AccBits){accumulator[AccBits-1]}}, accumulator}
                            : gathered[lane*ValueBits +: ValueBits]),
        .bias_i    (biases_i[lane*BiasBits +: BiasBits]),
        .bias_en_i (descriptor_i[`D_BIAS]),
        .shift_i   (descriptor_i[`D_SHIFT]),
        .value_o   (normalized)
      );
      step_unit #(.ValueBits(ValueBits), .HasThreshold(HasThreshold)) step_unit_i (
        .value_i      (normalized),
        .activation_i (descriptor_i[`D_ACTIVATION]),
        .low_i        (low_wide[ValueBits-1:0]),
        .high_i       (high_wide[ValueBits-1:0]),
        .code_o       (code)
      );
      always @(posedge clk_i)
        if (advance && n_valid_q && n_value) codes_q[lane*ValueBits +: ValueBits] <= code;
      pool_unit #(.ValueBits(ValueBits), .HasPool(HasPool)) pool_unit_i (
        .clk_i       (clk_i),
        .en_i        (advance && p_valid_q && p_value),
        .first_i     (p_window_first),
        .last_i      (p_window_last),
        .sum_first_i (p_sum_first),
        .code_i      (codes_q[lane*ValueBits +: ValueBits]),
        .maximum_o   (maxima[lane*ValueBits +: ValueBits]),
        .sum_o       (sums[lane*ValueBits +: ValueBits])
      );
    end
  endgenerate

  wire [15:0] index;
  generate
    if (HasArgmax != 0) begin : g_argmax
      argmax_unit #(.ValueBits(ValueBits)) argmax_unit_i (
        .clk_i   (clk_i),
        .start_i (start_i),
        .en_i    (advance && p_valid_q && p_compare),
        .score_i (codes_q[p_lane*ValueBits +: ValueBits]),
        .index_o (index)
      );
    end else begin : g_none
      wire unused = &{1'b0, p_compare, p_lane};
      assign index = {16{unused}};
    end
  endgenerate

  // a further output tile begins: in products with a hand-over, in maps behind a tile's last token
  reg  begun_q;
  wire tile_next = product ? handover_i && tile_begin_i && begun_q
                           : advance && p_valid_q && p_tile_last;
  always @(posedge clk_i)
    if (start_i) begun_q <= 1'b0;
    else if (handover_i) begun_q <= 1'b1;

  wire writes = p_valid_q && (reduced ? p_emit : p_value && p_window_last);
  wire ready;
  assign advance = !writes || ready;

  wire [OutputLanes*ValueBits-1:0] index_value = {{(OutputLanes*ValueBits-16){1'b0}}, index};
  write_unit #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .ValueBits   (ValueBits)
  ) write_unit_i (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .start_i      (start_i),
    .run_i        (run_i),
    .descriptor_i (descriptor_i),
    .words_out_i  (words_out_i),
    .load_i       (writes && ready),
    .values_i     (indexed ? index_value : reduced ? sums : maxima),
    .outputs_i    (indexed ? 9'd1 : p_outputs),
    .tile_next_i  (tile_next),
    .tile_i       (product ? tile_outputs_i : p_outputs),
    .ready_o      (ready),
    .en_o         (write_o),
    .address_o    (address_o),
    .data_o       (data_o),
    .mask_o       (mask_o)
  );

  // biases of the tile
  reg [15:0] bias_q;
  assign bias_read_o = descriptor_i[`D_BIAS] && advance
                       && (product ? drain_issue_i && drain_first_i : g_valid_q && g_first_q);
  assign bias_address_o = bias_q;
  always @(posedge clk_i)
    if (start_i) bias_q <= descriptor_i[`D_BIAS_BASE];
    else if (product ? tile_next : bias_read_o) bias_q <= bias_q + 16'd1;

  assign rotate_o  = g_rotate_q;
  assign advance_o = advance;
  assign empty_o   = !g_valid_q && !n_valid_q && !writes && ready;
endmodule
`default_nettype wire
