"""Golden vectors, and the first value that two runs disagree on."""

from codesign.verify.compare import Comparison, compare_engines, compare_models
from codesign.verify.difference import Divergence
from codesign.verify.golden import Golden, bless, read_golden, verify
from codesign.verify.replay import layer_graph

__all__ = [
    "Comparison",
    "Divergence",
    "Golden",
    "bless",
    "compare_engines",
    "compare_models",
    "layer_graph",
    "read_golden",
    "verify",
]
