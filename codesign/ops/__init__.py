"""The vocabulary: one `OpSpec` per operation, one file per family."""

from codesign.ops import (
    coding,
    decision,
    generated,
    linear,
    pooling,
    recurrent,
    rescale,
    residual,
    shape,
)

__all__ = [
    "coding",
    "decision",
    "generated",
    "linear",
    "pooling",
    "recurrent",
    "rescale",
    "residual",
    "shape",
]
