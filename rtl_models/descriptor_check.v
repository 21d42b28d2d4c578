// descriptor_check: the first reason why a descriptor cannot run, as an error code. Combinational.
//
// It keeps the machine from hanging and from units that are not built. Addresses are checked where
// they are used; a descriptor that passes and is wrong otherwise writes wrong codes, and ends.
`default_nettype none
`include "codesign.vh"
module descriptor_check #(
  parameter InputLanes   = 4,
  parameter WeightBits   = 3,
  parameter Pixels       = 16,
  parameter AllBanks     = 2,
  parameter HasThreshold = 1,
  parameter HasPool      = 1,
  parameter HasArgmax    = 1
) (
  input  wire [`DESCRIPTOR_BITS-1:0] descriptor_i,
  output reg  [3:0]                  error_o
);
  localparam [4:0]  BANKS  = AllBanks[4:0];
  localparam [4:0]  WIDEST = WeightBits[4:0];
  localparam [23:0] PIXELS = Pixels[23:0];
  localparam [8:0]  LANES  = InputLanes[8:0];

  wire [2:0] operation = descriptor_i[`D_OPERATION];
  wire load    = operation == `OP_LOAD;
  wire store   = operation == `OP_STORE;
  wire product = operation == `OP_PRODUCT;
  wire vector  = operation == `OP_VECTOR;
  wire reorder = operation == `OP_REORDER;
  wire passes  = product || vector;             // through the result unit
  wire moves   = passes || reorder;             // from bank to bank

  wire [3:0]  source_bank  = descriptor_i[`D_SOURCE_BANK];
  wire [3:0]  target_bank  = descriptor_i[`D_TARGET_BANK];
  wire [15:0] channels_in  = descriptor_i[`D_INPUT_CHANNELS];
  wire [11:0] height_in    = descriptor_i[`D_INPUT_HEIGHT];
  wire [11:0] width_in     = descriptor_i[`D_INPUT_WIDTH];
  wire [15:0] channels_out = descriptor_i[`D_OUTPUT_CHANNELS];
  wire [11:0] height_out   = descriptor_i[`D_OUTPUT_HEIGHT];
  wire [11:0] width_out    = descriptor_i[`D_OUTPUT_WIDTH];
  wire [15:0] group_in     = descriptor_i[`D_GROUP_INPUTS];
  wire [15:0] group_out    = descriptor_i[`D_GROUP_OUTPUTS];
  wire [11:0] block_rows   = descriptor_i[`D_BLOCK_ROWS];
  wire [11:0] block_columns = descriptor_i[`D_BLOCK_COLUMNS];
  wire [5:0]  pool_rows    = descriptor_i[`D_POOL_ROWS];
  wire [5:0]  pool_columns = descriptor_i[`D_POOL_COLUMNS];
  wire [5:0]  pool_stride_rows    = descriptor_i[`D_POOL_STRIDE_ROWS];
  wire [5:0]  pool_stride_columns = descriptor_i[`D_POOL_STRIDE_COLUMNS];
  wire [3:0]  weight_bits  = descriptor_i[`D_WEIGHT_BITS];
  wire [1:0]  weight_step  = descriptor_i[`D_WEIGHT_STEP];
  wire [1:0]  form_in      = descriptor_i[`D_INPUT_FORM];
  wire [1:0]  form_out     = descriptor_i[`D_OUTPUT_FORM];
  wire [2:0]  lanes_in     = descriptor_i[`D_INPUT_LANES];
  wire [2:0]  lanes_out    = descriptor_i[`D_OUTPUT_LANES];
  wire [1:0]  activation   = descriptor_i[`D_ACTIVATION];
  wire [1:0]  reduce       = descriptor_i[`D_REDUCE];

  wire bad_operation = !(load || store || moves);
  wire bad_bank = (!load && {1'b0, source_bank} >= BANKS)
                  || (!store && {1'b0, target_bank} >= BANKS)
                  || (moves && source_bank == target_bank);
  wire zero_in  = channels_in == 16'd0 || height_in == 12'd0 || width_in == 12'd0;
  wire zero_out = channels_out == 16'd0 || height_out == 12'd0 || width_out == 12'd0;
  wire zero_pool = pool_rows == 6'd0 || pool_columns == 6'd0
                   || pool_stride_rows == 6'd0 || pool_stride_columns == 6'd0;
  wire bad_product = product && (group_in == 16'd0 || group_out == 16'd0 || group_in > channels_in
                     || group_out > channels_out || descriptor_i[`D_KERNEL_ROWS] == 6'd0
                     || descriptor_i[`D_KERNEL_COLUMNS] == 6'd0
                     || descriptor_i[`D_STRIDE_ROWS] == 4'd0
                     || descriptor_i[`D_STRIDE_COLUMNS] == 4'd0
                     || pool_stride_rows != pool_rows || pool_stride_columns != pool_columns);
  wire bad_vector = vector && (channels_out > channels_in || {6'd0, pool_rows} > height_in
                    || {6'd0, pool_columns} > width_in);
  wire bad_index = reduce == `REDUCE_INDEX && (height_out != 12'd1 || width_out != 12'd1);
  wire bad_size = zero_in || (moves && zero_out)
                  || (passes && (zero_pool || bad_product || bad_vector || bad_index
                                 || descriptor_i[`D_SHUFFLE] == 16'd0
                                 || descriptor_i[`D_SHUFFLE_CHANNELS] == 16'd0));
  wire bad_weights = product && (weight_bits == 4'd0 || {1'b0, weight_bits} > WIDEST
                                 || weight_step == 2'd0 || weight_step == 2'd3);
  wire bad_form = lanes_in > 3'd5 || (moves && lanes_out > 3'd5) || form_in == 2'd3
                  || (moves && form_out == 2'd3)
                  || (product && (lanes_in > 3'd2 || (9'd1 << lanes_in) > LANES))
                  || (passes && form_in == `FORM_BIPOLAR && lanes_in != 3'd0)
                  || (reorder && lanes_in != lanes_out);
  wire [23:0] block = {12'd0, block_rows} * {12'd0, block_columns};
  wire bad_block = product && (block == 24'd0 || block > PIXELS || {6'd0, pool_rows} > block_rows
                               || {6'd0, pool_columns} > block_columns);
  wire thresholds = activation == `ACT_HEAVISIDE || activation == `ACT_SIGN
                    || (activation == `ACT_CLIP && descriptor_i[`D_CLIP_LOW] != 32'd0);
  wire pools = descriptor_i[`D_POOL] || pool_rows != 6'd1 || pool_columns != 6'd1
               || reduce == `REDUCE_SUM;
  wire bad_unit = passes && (reduce == 2'd3 || (HasThreshold == 0 && thresholds)
                             || (HasPool == 0 && pools)
                             || (HasArgmax == 0 && reduce == `REDUCE_INDEX));

  always @*
    if (bad_operation)    error_o = `E_OPERATION;
    else if (bad_bank)    error_o = `E_BANK;
    else if (bad_size)    error_o = `E_SIZE;
    else if (bad_weights) error_o = `E_WEIGHTS;
    else if (bad_form)    error_o = `E_FORM;
    else if (bad_block)   error_o = `E_BLOCK;
    else if (bad_unit)    error_o = `E_UNIT;
    else                  error_o = `E_NONE;
endmodule
`default_nettype wire
