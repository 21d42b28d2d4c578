"""Memory words as text for `$readmemh`, and what a frame makes the machine hold and send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from codesign.ir import IntArray
from codesign.rtl.codes import Operation
from codesign.rtl.image import Entry, Image
from codesign.rtl.interpret import frame, maps
from codesign.rtl.words import lanes_to_words, pack

#: Most letters of a layer's name in the name of its file.
_NAME = 32


def hex_text(words: Sequence[int], bits: int) -> str:
    """A word a line, as many digits as `bits` need, the most significant first."""
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def layer_name(number: int, entry: Entry) -> str:
    """A layer's name in file names and Verilog strings: letters that need no quotes anywhere."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", entry.name).strip("._")
    return f"layer_{number:02}_{plain[:_NAME]}"


def frame_texts(image: Image, inputs: Mapping[str, IntArray]) -> Iterator[tuple[str, str]]:
    """File names and texts of one frame: the stream in, every map that is written, the stream out.

    `inputs` has an array without a batch axis for each input map. Lanes that no code is in are
    zero; in a bank they may hold anything, in the streams they are zero.
    """
    bits = image.hardware.activation_word
    yield "input.hex", hex_text(lanes_to_words(frame(image, inputs)), bits)
    sent: list[int] = []
    for number, (entry, values) in enumerate(maps(image, inputs)):
        words = lanes_to_words(pack(entry.map, values))
        if entry.operation is Operation.STORE:
            sent += words
        else:
            yield f"{layer_name(number, entry)}.hex", hex_text(words, bits)
    yield "output.hex", hex_text(sent, bits)
