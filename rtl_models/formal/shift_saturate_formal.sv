// bit_shift_norm and step_unit together are clip((value + bias) >> shift, 0, 2^bits - 1), and each
// activation is its formula. Combinational: one step is a proof for all inputs.
`default_nettype none
`include "codesign.vh"
module shift_saturate_formal (
  input wire signed [21:0] value,
  input wire signed [15:0] bias,
  input wire               bias_en,
  input wire [5:0]         shift,
  input wire [3:0]         bits,
  input wire [1:0]         activation,
  input wire signed [21:0] low,
  input wire signed [21:0] high
);
  wire signed [21:0] normalized, code, saturated;
  wire signed [21:0] most = (22'sd1 <<< bits) - 22'sd1;

  bit_shift_norm #(.ValueBits(22), .BiasBits(16)) norm_i (
    .value_i   (value),
    .bias_i    (bias),
    .bias_en_i (bias_en),
    .shift_i   (shift),
    .value_o   (normalized)
  );
  step_unit #(.ValueBits(22), .HasThreshold(1)) any_i (
    .value_i      (normalized),
    .activation_i (activation),
    .low_i        (low),
    .high_i       (high),
    .code_o       (code)
  );
  // built without thresholds: what is left is HWMSB
  step_unit #(.ValueBits(22), .HasThreshold(0)) hwmsb_i (
    .value_i      (normalized),
    .activation_i (`ACT_CLIP),
    .low_i        (low),
    .high_i       (most),
    .code_o       (saturated)
  );

  // the sum is exact in more bits than the unit has
  wire signed [47:0] sum = value + (bias_en ? bias : 48'sd0);
  // floor: floored * 2^shift <= sum < (floored + 1) * 2^shift
  wire signed [47:0] floored = normalized;

  always @* begin
    // the compiler proves the interval of the value: the sum fits
    assume (value >= -22'sd1048576 && value < 22'sd1048576);
    assume (bits >= 4'd1 && bits <= 4'd8);
    if (shift < 6'd24) begin
      assert ((floored <<< shift) <= sum);
      assert (sum < ((floored + 48'sd1) <<< shift));
    end else assert (floored == (sum < 48'sd0 ? -48'sd1 : 48'sd0));
    // HWMSB, case by case
    if (sum < 48'sd0) assert (saturated == 22'sd0);
    else if ((sum >>> shift) > most) assert (saturated == most);
    else assert (saturated == (sum >>> shift));
    // the activations
    case (activation)
      `ACT_NONE: assert (code == normalized);
      `ACT_HEAVISIDE: assert (code == (floored > 48'sd0 ? 22'sd1 : 22'sd0));
      `ACT_SIGN: assert (code == (floored >= 48'sd0 ? 22'sd1 : -22'sd1));
      default:
        if (low <= high) begin
          assert (code >= low && code <= high);
          assert (code == normalized || (code == low && normalized < low)
                  || (code == high && normalized > high));
          if (normalized >= low && normalized <= high) assert (code == normalized);
        end
    endcase
  end
endmodule
