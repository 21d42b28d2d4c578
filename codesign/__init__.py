"""codesign: from a quantized PyTorch network to a bit-exact hardware report."""

__version__ = "0.1.0"
