"""From a network to the Verilog: the machine's program and memory words, and running them there."""

from __future__ import annotations

from codesign.rtl.accelerator import Accelerator, Gaps, MachineError, Step
from codesign.rtl.image import Entry, Image, image
from codesign.rtl.words import Map, pack, unpack

__all__ = [
    "Accelerator",
    "Entry",
    "Gaps",
    "Image",
    "MachineError",
    "Map",
    "Step",
    "image",
    "pack",
    "unpack",
]
