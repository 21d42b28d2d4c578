"""Golden vectors, the Verilog, and the first value that two runs disagree on."""

from codesign.verify.compare import Comparison, compare_engines, compare_models
from codesign.verify.cosim import Cosimulation, cosimulate
from codesign.verify.difference import Divergence
from codesign.verify.golden import Golden, bless, read_golden, verify
from codesign.verify.replay import layer_graph

__all__ = [
    "Comparison",
    "Cosimulation",
    "Divergence",
    "Golden",
    "bless",
    "compare_engines",
    "compare_models",
    "cosimulate",
    "layer_graph",
    "read_golden",
    "verify",
]
