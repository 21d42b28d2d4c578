// datapath_units: the small modules of the datapath side by side, for their tests: one model to build.
//
// Every module has its own ports, named after it. chain_i lets the accumulators add what mac_array gives.
`default_nettype none
module datapath_units #(
  parameter InputLanes  = 4,
  parameter OutputLanes = 4,
  parameter WeightBits  = 3,
  parameter WeightWord  = 12,
  parameter BiasBits    = 16,
  parameter AccBits     = 20,
  parameter Pixels      = 16,
  parameter ValueBits   = AccBits + 2 > 17 ? AccBits + 2 : 17,
  parameter Codes       = InputLanes * OutputLanes
) (
  input  wire                                clk_i,

  input  wire [ValueBits-1:0]                bit_shift_norm_value_i,
  input  wire [BiasBits-1:0]                 bit_shift_norm_bias_i,
  input  wire                                bit_shift_norm_bias_en_i,
  input  wire [5:0]                          bit_shift_norm_shift_i,
  output wire [ValueBits-1:0]                bit_shift_norm_value_o,

  input  wire [ValueBits-1:0]                step_unit_value_i,
  input  wire [1:0]                          step_unit_activation_i,
  input  wire [ValueBits-1:0]                step_unit_low_i,
  input  wire [ValueBits-1:0]                step_unit_high_i,
  output wire [ValueBits-1:0]                step_unit_code_o,
  output wire [ValueBits-1:0]                step_unit_plain_code_o,  // built without thresholds

  input  wire                                pool_unit_en_i,
  input  wire                                pool_unit_first_i,
  input  wire                                pool_unit_last_i,
  input  wire                                pool_unit_sum_first_i,
  input  wire [ValueBits-1:0]                pool_unit_code_i,
  output wire [ValueBits-1:0]                pool_unit_maximum_o,
  output wire [ValueBits-1:0]                pool_unit_sum_o,
  output wire [ValueBits-1:0]                pool_unit_plain_maximum_o,    // built without pooling

  input  wire                                argmax_unit_start_i,
  input  wire                                argmax_unit_en_i,
  input  wire [ValueBits-1:0]                argmax_unit_score_i,
  output wire [15:0]                         argmax_unit_index_o,

  input  wire [2*InputLanes-1:0]             lane_rotate_word_i,
  input  wire [8:0]                          lane_rotate_rotate_i,
  output wire [2*InputLanes-1:0]             lane_rotate_word_o,

  input  wire                                lane_decoder_en_i,
  input  wire [2*InputLanes-1:0]             lane_decoder_word_i,
  input  wire                                lane_decoder_pad_i,
  input  wire [7:0]                          lane_decoder_pad_code_i,
  input  wire [8:0]                          lane_decoder_lanes_i,
  input  wire [1:0]                          lane_decoder_form_i,
  input  wire [2:0]                          lane_decoder_lanes_log_i,
  output wire [3*InputLanes-1:0]             lane_decoder_operands_o,

  input  wire                                gather_en_i,
  input  wire [2*InputLanes-1:0]             gather_word_i,
  input  wire [15:0]                         gather_number_i,
  input  wire [8:0]                          gather_rotate_i,
  input  wire [1:0]                          gather_form_i,
  input  wire [2:0]                          gather_lanes_log_i,
  output wire [OutputLanes*ValueBits-1:0]    gather_values_o,

  input  wire                                channel_order_start_i,
  input  wire                                channel_order_step_i,
  input  wire [8:0]                          channel_order_outputs_i,
  input  wire [15:0]                         channel_order_groups_i,
  input  wire [15:0]                         channel_order_span_i,
  output wire [OutputLanes*16-1:0]           channel_order_targets_o,

  input  wire                                weight_decoder_load_i,
  input  wire [WeightWord-1:0]               weight_decoder_word_i,
  input  wire [16:0]                         weight_decoder_number_i,
  input  wire [3:0]                          weight_decoder_bits_i,
  output wire [Codes*WeightBits-1:0]         weight_decoder_codes_o,

  input  wire                                mac_row_en_i,
  input  wire [3*InputLanes-1:0]             mac_row_operands_i,
  input  wire [InputLanes*WeightBits-1:0]    mac_row_codes_i,
  input  wire [2:0]                          mac_row_lanes_log_i,
  input  wire                                mac_row_double_i,
  input  wire [AccBits-1:0]                  mac_row_offset_i,
  output wire [AccBits-1:0]                  mac_row_sum_o,

  input  wire                                mac_array_en_i,
  input  wire [3*InputLanes-1:0]             mac_array_operands_i,
  input  wire [Codes*WeightBits-1:0]         mac_array_codes_i,
  input  wire [3:0]                          mac_array_inputs_log_i,
  input  wire [2:0]                          mac_array_lanes_log_i,
  input  wire [8:0]                          mac_array_low_i,
  input  wire                                mac_array_double_i,
  output wire [OutputLanes*AccBits-1:0]      mac_array_sums_o,

  input  wire                                accumulators_chain_i,
  input  wire                                accumulators_add_read_i,
  input  wire                                accumulators_add_set_i,
  input  wire [11:0]                         accumulators_add_index_i,
  input  wire                                accumulators_add_first_i,
  input  wire [OutputLanes*AccBits-1:0]      accumulators_sums_i,
  input  wire                                accumulators_add_write_i,
  input  wire                                accumulators_drain_read_i,
  input  wire                                accumulators_drain_set_i,
  input  wire [11:0]                         accumulators_drain_index_i,
  output wire [OutputLanes*AccBits-1:0]      accumulators_drain_o
);
  bit_shift_norm #(
    .ValueBits (ValueBits),
    .BiasBits  (BiasBits)
  ) bit_shift_norm_i (
    .value_i   (bit_shift_norm_value_i),
    .bias_i    (bit_shift_norm_bias_i),
    .bias_en_i (bit_shift_norm_bias_en_i),
    .shift_i   (bit_shift_norm_shift_i),
    .value_o   (bit_shift_norm_value_o)
  );

  step_unit #(
    .ValueBits    (ValueBits),
    .HasThreshold (1)
  ) step_unit_i (
    .value_i      (step_unit_value_i),
    .activation_i (step_unit_activation_i),
    .low_i        (step_unit_low_i),
    .high_i       (step_unit_high_i),
    .code_o       (step_unit_code_o)
  );

  step_unit #(
    .ValueBits    (ValueBits),
    .HasThreshold (0)
  ) step_unit_plain_i (
    .value_i      (step_unit_value_i),
    .activation_i (step_unit_activation_i),
    .low_i        (step_unit_low_i),
    .high_i       (step_unit_high_i),
    .code_o       (step_unit_plain_code_o)
  );

  pool_unit #(
    .ValueBits (ValueBits),
    .HasPool   (1)
  ) pool_unit_i (
    .clk_i       (clk_i),
    .en_i        (pool_unit_en_i),
    .first_i     (pool_unit_first_i),
    .last_i      (pool_unit_last_i),
    .sum_first_i (pool_unit_sum_first_i),
    .code_i      (pool_unit_code_i),
    .maximum_o   (pool_unit_maximum_o),
    .sum_o       (pool_unit_sum_o)
  );

  pool_unit #(
    .ValueBits (ValueBits),
    .HasPool   (0)
  ) pool_unit_plain_i (
    .clk_i       (clk_i),
    .en_i        (pool_unit_en_i),
    .first_i     (pool_unit_first_i),
    .last_i      (pool_unit_last_i),
    .sum_first_i (pool_unit_sum_first_i),
    .code_i      (pool_unit_code_i),
    .maximum_o   (pool_unit_plain_maximum_o),
    .sum_o       ()
  );

  argmax_unit #(
    .ValueBits (ValueBits)
  ) argmax_unit_i (
    .clk_i   (clk_i),
    .start_i (argmax_unit_start_i),
    .en_i    (argmax_unit_en_i),
    .score_i (argmax_unit_score_i),
    .index_o (argmax_unit_index_o)
  );

  lane_rotate #(
    .InputLanes (InputLanes)
  ) lane_rotate_i (
    .word_i   (lane_rotate_word_i),
    .rotate_i (lane_rotate_rotate_i),
    .word_o   (lane_rotate_word_o)
  );

  lane_decoder #(
    .InputLanes (InputLanes)
  ) lane_decoder_i (
    .clk_i       (clk_i),
    .en_i        (lane_decoder_en_i),
    .word_i      (lane_decoder_word_i),
    .pad_i       (lane_decoder_pad_i),
    .pad_code_i  (lane_decoder_pad_code_i),
    .lanes_i     (lane_decoder_lanes_i),
    .form_i      (lane_decoder_form_i),
    .lanes_log_i (lane_decoder_lanes_log_i),
    .operands_o  (lane_decoder_operands_o)
  );

  gather #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .ValueBits   (ValueBits)
  ) gather_i (
    .clk_i       (clk_i),
    .en_i        (gather_en_i),
    .word_i      (gather_word_i),
    .number_i    (gather_number_i),
    .rotate_i    (gather_rotate_i),
    .form_i      (gather_form_i),
    .lanes_log_i (gather_lanes_log_i),
    .values_o    (gather_values_o)
  );

  channel_order #(
    .OutputLanes (OutputLanes)
  ) channel_order_i (
    .clk_i     (clk_i),
    .start_i   (channel_order_start_i),
    .step_i    (channel_order_step_i),
    .outputs_i (channel_order_outputs_i),
    .groups_i  (channel_order_groups_i),
    .span_i    (channel_order_span_i),
    .targets_o (channel_order_targets_o)
  );

  weight_decoder #(
    .WeightBits (WeightBits),
    .WeightWord (WeightWord),
    .Codes      (Codes)
  ) weight_decoder_i (
    .clk_i    (clk_i),
    .load_i   (weight_decoder_load_i),
    .word_i   (weight_decoder_word_i),
    .number_i (weight_decoder_number_i),
    .bits_i   (weight_decoder_bits_i),
    .codes_o  (weight_decoder_codes_o)
  );

  mac_row #(
    .InputLanes (InputLanes),
    .WeightBits (WeightBits),
    .AccBits    (AccBits)
  ) mac_row_i (
    .clk_i       (clk_i),
    .en_i        (mac_row_en_i),
    .operands_i  (mac_row_operands_i),
    .codes_i     (mac_row_codes_i),
    .lanes_log_i (mac_row_lanes_log_i),
    .double_i    (mac_row_double_i),
    .offset_i    (mac_row_offset_i),
    .sum_o       (mac_row_sum_o)
  );

  mac_array #(
    .InputLanes  (InputLanes),
    .OutputLanes (OutputLanes),
    .WeightBits  (WeightBits),
    .AccBits     (AccBits)
  ) mac_array_i (
    .clk_i        (clk_i),
    .en_i         (mac_array_en_i),
    .operands_i   (mac_array_operands_i),
    .codes_i      (mac_array_codes_i),
    .inputs_log_i (mac_array_inputs_log_i),
    .lanes_log_i  (mac_array_lanes_log_i),
    .low_i        (mac_array_low_i),
    .double_i     (mac_array_double_i),
    .sums_o       (mac_array_sums_o)
  );

  accumulators #(
    .OutputLanes (OutputLanes),
    .AccBits     (AccBits),
    .Pixels      (Pixels)
  ) accumulators_i (
    .clk_i         (clk_i),
    .add_read_i    (accumulators_add_read_i),
    .add_set_i     (accumulators_add_set_i),
    .add_index_i   (accumulators_add_index_i),
    .add_first_i   (accumulators_add_first_i),
    .sums_i        (accumulators_chain_i ? mac_array_sums_o : accumulators_sums_i),
    .add_write_i   (accumulators_add_write_i),
    .drain_read_i  (accumulators_drain_read_i),
    .drain_set_i   (accumulators_drain_set_i),
    .drain_index_i (accumulators_drain_index_i),
    .drain_o       (accumulators_drain_o)
  );
endmodule
`default_nettype wire
