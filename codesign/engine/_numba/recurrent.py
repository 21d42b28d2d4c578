"""Kernels of recurrent layers: every image at once, step by step."""

from __future__ import annotations

from codesign.engine._numba.layout import Prepare, by_definition

KERNELS: dict[str, Prepare] = dict.fromkeys(("lstm", "lstm_hidden", "gru"), by_definition)
