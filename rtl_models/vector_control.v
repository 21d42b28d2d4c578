// vector_control: the order in which a map passes through the result pipe without products.
//
//   for output tile / for output pixel / for tap of its window / for word of the tile's channels
//
// A token a cycle, unless the pipe is frozen (advance_i low): a word that is read; for an argmax
// behind the tile's words one comparison for each of its channels; behind a tile (sum) or the layer
// (argmax) a token that hands the reduced result over. finish_o is high in the layer's last cycle.
`default_nettype none
`include "codesign.vh"
module vector_control #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        start_i,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 words_in_i,
  input  wire [23:0]                 row_i,
  input  wire [23:0]                 column_step_i,
  input  wire [23:0]                 row_step_i,
  input  wire                        advance_i,
  input  wire                        empty_i,
  // token
  output wire                        issue_o,
  output wire                        read_o,          // a word is read
  output wire [23:0]                 address_o,
  output wire [15:0]                 number_o,        // which word of the tile's channels
  output wire [8:0]                  rotate_o,        // lane of its first channel in its first word
  output wire                        value_o,         // with this word the pixel is complete
  output wire                        window_first_o,
  output wire                        window_last_o,
  output wire                        sum_first_o,
  output wire                        compare_o,
  output wire [8:0]                  lane_o,
  output wire                        emit_o,
  output wire                        tile_first_o,    // the tile's first token: its biases are read
  output wire                        tile_last_o,     // the tile's last token
  output wire [8:0]                  outputs_o,
  output wire                        finish_o
);
  localparam PiLog = $clog2(InputLanes);
  localparam [23:0] PI = InputLanes[23:0];
  localparam [15:0] PO = OutputLanes[15:0];
  localparam [1:0] NONE = 2'd0, WORDS = 2'd1, COMPARE = 2'd2, EMIT = 2'd3;

  wire [2:0]  lanes_log    = descriptor_i[`D_INPUT_LANES];
  wire [5:0]  pool_rows    = descriptor_i[`D_POOL_ROWS];
  wire [5:0]  pool_columns = descriptor_i[`D_POOL_COLUMNS];
  wire [11:0] stride_rows    = {6'd0, descriptor_i[`D_POOL_STRIDE_ROWS]};
  wire [11:0] stride_columns = {6'd0, descriptor_i[`D_POOL_STRIDE_COLUMNS]};
  wire        index_wanted = descriptor_i[`D_REDUCE] == `REDUCE_INDEX;
  wire        sum_wanted   = descriptor_i[`D_REDUCE] == `REDUCE_SUM;

  reg [1:0]  phase_q;
  reg [15:0] channels_left_q;                  // this tile included
  reg [23:0] lane_q;                       // the tile's first lane, from the pixel's first word on
  reg [11:0] rows_left_q, columns_left_q;      // of the map, from this window on
  reg [5:0]  tap_rows_q, tap_columns_q;        // of the window, this pixel included
  reg [15:0] number_q;
  reg [23:0] band_q, window_q, line_q, pixel_q;
  reg [8:0]  compare_q;
  reg        fresh_q, sum_fresh_q;

  wire [15:0] outputs  = channels_left_q < PO ? channels_left_q : PO;
  wire        tiles_end = channels_left_q <= PO;
  wire [23:0] tile_lanes = {8'd0, outputs} << lanes_log;
  wire [23:0] first_word = lane_q >> PiLog;
  wire [23:0] last_word  = (lane_q + tile_lanes - 24'd1) >> PiLog;
  wire        word_end   = {8'd0, number_q} + first_word == last_word;
  wire        column_end = tap_columns_q == 6'd1;
  wire        row_end    = tap_rows_q == 6'd1;
  wire        right_end  = columns_left_q < {6'd0, pool_columns} + stride_columns;
  wire        down_end   = rows_left_q < {6'd0, pool_rows} + stride_rows;
  wire        map_end    = word_end && column_end && row_end && right_end && down_end;
  wire        compared   = compare_q + 9'd1 == outputs[8:0];
  wire        tile_end   = phase_q == WORDS   ? map_end && !index_wanted && !sum_wanted
                         : phase_q == COMPARE ? compared && !tiles_end
                         : phase_q == EMIT;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) phase_q <= NONE;
    else if (start_i) phase_q <= descriptor_i[`D_OPERATION] == `OP_VECTOR ? WORDS : NONE;
    else if (!run_i) phase_q <= NONE;
    else if (advance_i)
      case (phase_q)
        WORDS:
          if (map_end) begin
            if (index_wanted) phase_q <= COMPARE;
            else if (sum_wanted) phase_q <= EMIT;
            else phase_q <= tiles_end ? NONE : WORDS;
          end
        COMPARE: if (compared) phase_q <= tiles_end ? EMIT : WORDS;
        EMIT: phase_q <= tiles_end ? NONE : WORDS;
        default: phase_q <= NONE;
      endcase

  always @(posedge clk_i)
    if (start_i || (advance_i && phase_q != NONE)) begin
      if (start_i || tile_end) begin
        channels_left_q <= start_i ? descriptor_i[`D_OUTPUT_CHANNELS] : channels_left_q - PO;
        lane_q          <= start_i ? 24'd0 : lane_q + tile_lanes;
        rows_left_q     <= descriptor_i[`D_INPUT_HEIGHT];
        columns_left_q  <= descriptor_i[`D_INPUT_WIDTH];
        tap_rows_q      <= pool_rows;
        tap_columns_q   <= pool_columns;
        number_q        <= 16'd0;
        band_q          <= descriptor_i[`D_SOURCE_BASE];
        window_q        <= descriptor_i[`D_SOURCE_BASE];
        line_q          <= descriptor_i[`D_SOURCE_BASE];
        pixel_q         <= descriptor_i[`D_SOURCE_BASE];
        compare_q       <= 9'd0;
        fresh_q         <= 1'b1;
        sum_fresh_q     <= 1'b1;
      end else begin
        fresh_q <= 1'b0;
        if (phase_q == COMPARE) compare_q <= compare_q + 9'd1;
        if (phase_q == WORDS) begin
          if (!word_end) number_q <= number_q + 16'd1;
          else begin
            number_q <= 16'd0;
            if (!column_end) begin
              tap_columns_q <= tap_columns_q - 6'd1;
              pixel_q       <= pixel_q + words_in_i;
            end else begin
              tap_columns_q <= pool_columns;
              if (!row_end) begin
                tap_rows_q <= tap_rows_q - 6'd1;
                line_q     <= line_q + row_i;
                pixel_q    <= line_q + row_i;
              end else begin
                tap_rows_q  <= pool_rows;
                sum_fresh_q <= 1'b0;
                if (!right_end) begin
                  columns_left_q <= columns_left_q - stride_columns;
                  window_q       <= window_q + column_step_i;
                  line_q         <= window_q + column_step_i;
                  pixel_q        <= window_q + column_step_i;
                end else begin
                  columns_left_q <= descriptor_i[`D_INPUT_WIDTH];
                  rows_left_q    <= rows_left_q - stride_rows;
                  band_q         <= band_q + row_step_i;
                  window_q       <= band_q + row_step_i;
                  line_q         <= band_q + row_step_i;
                  pixel_q        <= band_q + row_step_i;
                end
              end
            end
          end
        end
      end
    end

  wire [23:0] rotate = lane_q & (PI - 24'd1);

  assign issue_o        = phase_q != NONE;
  assign read_o         = phase_q == WORDS;
  assign address_o      = pixel_q + first_word + {8'd0, number_q};
  assign number_o       = number_q;
  assign rotate_o       = rotate[8:0];
  assign value_o        = phase_q == WORDS && word_end;
  assign window_first_o = tap_rows_q == pool_rows && tap_columns_q == pool_columns;
  assign window_last_o  = column_end && row_end;
  assign sum_first_o    = sum_fresh_q;
  assign compare_o      = phase_q == COMPARE;
  assign lane_o         = compare_q;
  assign emit_o         = phase_q == EMIT;
  assign tile_first_o   = read_o && fresh_q;
  assign tile_last_o    = tile_end;
  assign outputs_o      = outputs[8:0];
  assign finish_o       = run_i && phase_q == NONE && empty_i;
endmodule
`default_nettype wire
