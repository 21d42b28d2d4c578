"""The vocabulary: one `OpSpec` per operation, one file per family."""

from codesign.ops import decision, generated, linear, pooling, rescale, residual, shape

__all__ = ["decision", "generated", "linear", "pooling", "rescale", "residual", "shape"]
