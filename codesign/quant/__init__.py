"""The papers' quantizer mathematics on plain arrays: NumPy arrays and torch tensors alike."""

from codesign.quant.activations import heaviside, hwmsb, sign
from codesign.quant.btq import ternary_codes, ternary_edge, ternary_threshold
from codesign.quant.heq import MODES, codes, edge, level_set, occupancy_entropy, step_from_quantiles
from codesign.quant.mixture import (
    BernoulliMixture,
    MixtureCodes,
    fit_mixture,
    in_order,
    log_tables,
    score_constants,
)
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
    "BernoulliMixture",
    "MixtureCodes",
    "bit_shift_norm",
    "codes",
    "count_thresholds",
    "edge",
    "fit_mixture",
    "fold",
    "full_scale_exponent",
    "heaviside",
    "hwmsb",
    "in_order",
    "integer_bias",
    "level_set",
    "log_tables",
    "occupancy_entropy",
    "round_half_up",
    "score_constants",
    "shift_for",
    "sign",
    "step_from_quantiles",
    "ternary_codes",
    "ternary_edge",
    "ternary_threshold",
]
