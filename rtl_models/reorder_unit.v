// reorder_unit: moves every code of a map to its place in a map of another shape, channel by
// channel.
//
// Both maps are walked channel by channel, row by row, column by column; a code (a word of it,
// where it is wider than a word) a cycle:
//
//   cycle    t         t+1           t+2
//            address   word, shift   write
`default_nettype none
`include "codesign.vh"
module reorder_unit #(
  parameter InputLanes = 4
) (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        start_i,
  input  wire                        run_i,
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  input  wire [23:0]                 words_in_i,
  input  wire [23:0]                 words_out_i,
  output wire                        read_o,
  output wire [23:0]                 read_address_o,
  input  wire [2*InputLanes-1:0]     word_i,
  output wire                        write_o,
  output wire [23:0]                 write_address_o,
  output wire [2*InputLanes-1:0]     data_o,
  output wire [InputLanes-1:0]       mask_o,
  output wire                        finish_o
);
  localparam PiLog    = $clog2(InputLanes);
  localparam WordBits = 2 * InputLanes;
  localparam [23:0] PI = InputLanes[23:0];

  wire [2:0]  lanes_log = descriptor_i[`D_INPUT_LANES];
  wire [5:0]  span      = 6'd1 << lanes_log;
  wire [5:0]  parts     = span >> PiLog > 6'd0 ? span >> PiLog : 6'd1;

  reg        busy_q;
  reg [5:0]  part_q;
  wire       part_end = part_q + 6'd1 == parts;
  wire       next     = run_i && busy_q && part_end;
  wire       from_end;
  wire [23:0] from_pixel, from_lane, to_pixel, to_lane;

  map_walker from_i (
    .clk_i      (clk_i),
    .start_i    (start_i),
    .next_i     (next),
    .base_i     (descriptor_i[`D_SOURCE_BASE]),
    .channels_i (descriptor_i[`D_INPUT_CHANNELS]),
    .height_i   (descriptor_i[`D_INPUT_HEIGHT]),
    .width_i    (descriptor_i[`D_INPUT_WIDTH]),
    .words_i    (words_in_i),
    .span_i     (span),
    .pixel_o    (from_pixel),
    .lane_o     (from_lane),
    .last_o     (from_end)
  );
  wire to_end;
  map_walker to_i (
    .clk_i      (clk_i),
    .start_i    (start_i),
    .next_i     (next),
    .base_i     (descriptor_i[`D_TARGET_BASE]),
    .channels_i (descriptor_i[`D_OUTPUT_CHANNELS]),
    .height_i   (descriptor_i[`D_OUTPUT_HEIGHT]),
    .width_i    (descriptor_i[`D_OUTPUT_WIDTH]),
    .words_i    (words_out_i),
    .span_i     (span),
    .pixel_o    (to_pixel),
    .lane_o     (to_lane),
    .last_o     (to_end)
  );

  // word on the memory's output, then word to write
  reg        read_q, write_q;
  reg [8:0]  slot_q, target_slot_q;
  reg [23:0] target_q, address_q;
  reg [WordBits-1:0]   data_q;
  reg [InputLanes-1:0] mask_q;
  wire [23:0] from_slot = from_lane & (PI - 24'd1);
  wire [23:0] to_slot   = to_lane & (PI - 24'd1);
  wire [InputLanes-1:0] lane_ones = ~({InputLanes{1'b1}} << span);

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      read_q  <= 1'b0;
      write_q <= 1'b0;
    end else begin
      if (start_i) busy_q <= 1'b1;
      else if (!run_i || (next && from_end)) busy_q <= 1'b0;
      read_q  <= read_o;
      write_q <= run_i && read_q;
    end

  always @(posedge clk_i) begin
    if (start_i) part_q <= 6'd0;
    else if (busy_q) part_q <= part_end ? 6'd0 : part_q + 6'd1;
    if (read_o) begin
      slot_q        <= from_slot[8:0];
      target_slot_q <= to_slot[8:0];
      target_q      <= to_pixel + (to_lane >> PiLog) + {18'd0, part_q};
    end
    if (read_q) begin
      address_q <= target_q;
      data_q    <= (word_i >> {slot_q, 1'b0}) << {target_slot_q, 1'b0};
      mask_q    <= lane_ones << target_slot_q;
    end
  end

  assign read_o          = run_i && busy_q;
  assign read_address_o  = from_pixel + (from_lane >> PiLog) + {18'd0, part_q};
  assign write_o         = run_i && write_q;
  assign write_address_o = address_q;
  assign data_o          = data_q;
  assign mask_o          = mask_q;
  assign finish_o        = run_i && !busy_q && !read_q && write_q;
  wire unused = &{1'b0, to_end, from_slot[23:9], to_slot[23:9]};
endmodule
`default_nettype wire
