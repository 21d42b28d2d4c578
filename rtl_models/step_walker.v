// step_walker: the loop nest of a product layer, one step (weight tile x pixel block) ahead of the
// array.
//
//   for output tile / for block / for tap row / for tap column / for input tile
//
// Its outputs describe the step that comes next: the weight fetch works from them while the array
// is busy, and the array takes them over with advance_i. start_i puts it before the first step.
//
//   move_o   where the step's block lies: 0 as the step before, 1 to the right of the block before,
//            2 at the left, below the last band, 3 at the top left (a new output tile)
`default_nettype none
`include "codesign.vh"
module step_walker #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        start_i,
  input  wire                        advance_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 words_in_i,
  input  wire [23:0]                 row_i,
  output wire [8:0]                  outputs_o,      // output channels of the tile
  output wire [8:0]                  rotate_o,       // lane of the tile's first channel in its word
  output wire [8:0]                  lanes_o,        // lanes that the input tile fills
  output reg  [3:0]                  inputs_log_o,   // log2 of its channels, rounded up
  output wire [23:0]                 offset_o,       // words from a window's origin to the tap
  output wire [5:0]                  tap_row_o,
  output wire [5:0]                  tap_column_o,
  output wire [1:0]                  move_o,
  output wire [11:0]                 block_rows_o,
  output wire [11:0]                 block_columns_o,
  output wire                        first_step_o,   // of its turn
  output wire                        last_step_o,    // of its turn
  output wire                        tile_end_o,     // the turn is the last of its output tile
  output wire                        layer_end_o     // the turn is the last of the layer
);
  localparam PiLog = $clog2(InputLanes);
  localparam [23:0] PI = InputLanes[23:0];
  localparam [15:0] PO = OutputLanes[15:0];

  wire [2:0]  lanes_log     = descriptor_i[`D_INPUT_LANES];
  wire [15:0] group_outputs = descriptor_i[`D_GROUP_OUTPUTS];
  wire [23:0] group_lanes   = {8'd0, descriptor_i[`D_GROUP_INPUTS]} << lanes_log;
  wire [11:0] block_rows    = descriptor_i[`D_BLOCK_ROWS];
  wire [11:0] block_columns = descriptor_i[`D_BLOCK_COLUMNS];

  // output tile
  reg [15:0] channels_left_q;  // of the layer, this tile included
  reg [15:0] outputs_left_q;   // of the group, this tile included
  reg [23:0] group_lane_q;     // lane of the group's first channel, from the pixel's first word on
  // block
  reg [11:0] rows_left_q, columns_left_q;
  reg [1:0]  move_q;
  // tap
  reg [5:0]  tap_row_q, tap_column_q;
  reg [23:0] row_offset_q, tap_offset_q;
  // input tile
  reg [23:0] lanes_left_q;     // of the group, this tile included
  reg [23:0] lane_q;           // the tile's first lane, counted from the pixel's first word
  reg        fresh_q;          // the first step of its turn

  wire [15:0] outputs    = outputs_left_q < PO ? outputs_left_q : PO;
  wire        group_end  = outputs_left_q <= PO;
  wire        tiles_end  = channels_left_q <= outputs;
  wire        right_end  = columns_left_q <= block_columns;
  wire        down_end   = rows_left_q <= block_rows;
  wire        column_end = tap_column_q + 6'd1 == descriptor_i[`D_KERNEL_COLUMNS];
  wire        row_end    = tap_row_q + 6'd1 == descriptor_i[`D_KERNEL_ROWS];
  wire [23:0] rotate     = lane_q & (PI - 24'd1);
  wire [23:0] room       = PI - rotate;
  wire [23:0] lanes      = lanes_left_q < room ? lanes_left_q : room;
  wire        input_end  = lanes_left_q == lanes;

  wire turn_end  = input_end && column_end && row_end;
  wire block_end = right_end && down_end;

  wire [23:0] next_group = group_lane_q + group_lanes;
  wire [23:0] first_lane = start_i ? 24'd0
                         : turn_end && block_end && group_end ? next_group : group_lane_q;

  always @(posedge clk_i)
    if (start_i || advance_i) begin
      fresh_q <= start_i || turn_end;
      move_q  <= 2'd0;
      if (!start_i && !input_end) begin
        lanes_left_q <= lanes_left_q - lanes;
        lane_q       <= lane_q + lanes;
      end else begin
        lanes_left_q <= group_lanes;
        lane_q       <= first_lane;
        if (!start_i && !column_end) begin
          tap_column_q <= tap_column_q + 6'd1;
          tap_offset_q <= tap_offset_q + words_in_i;
        end else begin
          tap_column_q <= 6'd0;
          if (!start_i && !row_end) begin
            tap_row_q    <= tap_row_q + 6'd1;
            tap_offset_q <= row_offset_q + row_i;
            row_offset_q <= row_offset_q + row_i;
          end else begin
            tap_row_q    <= 6'd0;
            tap_offset_q <= 24'd0;
            row_offset_q <= 24'd0;
            if (!start_i && !right_end) begin
              columns_left_q <= columns_left_q - block_columns;
              move_q         <= 2'd1;
            end else begin
              columns_left_q <= descriptor_i[`D_OUTPUT_WIDTH];
              if (!start_i && !down_end) begin
                rows_left_q <= rows_left_q - block_rows;
                move_q      <= 2'd2;
              end else begin
                rows_left_q  <= descriptor_i[`D_OUTPUT_HEIGHT];
                move_q       <= 2'd3;
                group_lane_q <= first_lane;
                if (start_i) begin
                  channels_left_q <= descriptor_i[`D_OUTPUT_CHANNELS];
                  outputs_left_q  <= group_outputs;
                end else begin
                  channels_left_q <= channels_left_q - outputs;
                  outputs_left_q  <= group_end ? group_outputs : outputs_left_q - PO;
                end
              end
            end
          end
        end
      end
    end

  // channels of the input tile, rounded up to a power of two
  wire [23:0] inputs = lanes >> lanes_log;
  integer power;
  always @* begin
    inputs_log_o = 4'd0;
    for (power = 0; power < PiLog; power = power + 1)
      if (inputs > (24'd1 << power)) inputs_log_o = power[3:0] + 4'd1;
  end

  assign outputs_o       = outputs[8:0];
  assign rotate_o        = rotate[8:0];
  assign lanes_o         = lanes[8:0];
  assign offset_o        = tap_offset_q + (lane_q >> PiLog);
  assign tap_row_o       = tap_row_q;
  assign tap_column_o    = tap_column_q;
  assign move_o          = move_q;
  assign block_rows_o    = down_end ? rows_left_q : block_rows;
  assign block_columns_o = right_end ? columns_left_q : block_columns;
  assign first_step_o    = fresh_q;
  assign last_step_o     = turn_end;
  assign tile_end_o      = block_end;
  assign layer_end_o     = block_end && tiles_end;
endmodule
`default_nettype wire
