"""The papers' quantizer mathematics on plain arrays: NumPy arrays and torch tensors alike."""

from codesign.quant.activations import heaviside, hwmsb, sign
from codesign.quant.btq import ternary_codes, ternary_edge, ternary_threshold
from codesign.quant.heq import MODES, codes, edge, level_set, occupancy_entropy, step_from_quantiles
from codesign.quant.shift import (
    bit_shift_norm,
    full_scale_exponent,
    integer_bias,
    round_half_up,
    shift_for,
)
from codesign.quant.threshold import count_thresholds, fold

__all__ = [
    "MODES",
    "bit_shift_norm",
    "codes",
    "count_thresholds",
    "edge",
    "fold",
    "full_scale_exponent",
    "heaviside",
    "hwmsb",
    "integer_bias",
    "level_set",
    "occupancy_entropy",
    "round_half_up",
    "shift_for",
    "sign",
    "step_from_quantiles",
    "ternary_codes",
    "ternary_edge",
    "ternary_threshold",
]
