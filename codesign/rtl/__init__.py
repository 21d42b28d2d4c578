"""From a network to the Verilog: the machine's program and memory words."""

from __future__ import annotations

from codesign.rtl.image import Entry, Image, image
from codesign.rtl.words import Map, pack, unpack

__all__ = ["Entry", "Image", "Map", "image", "pack", "unpack"]
