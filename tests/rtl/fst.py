"""A reader of FST waveforms, as far as names go: whether others could read one."""

from __future__ import annotations

from pathlib import Path


def hierarchy(path: Path) -> set[bytes]:
    """The names in an FST file: its block 6 holds them as one LZ4 block."""
    raw, at = path.read_bytes(), 0
    while raw[at] != 6:
        at += 1 + int.from_bytes(raw[at + 1 : at + 9], "big")
    size = int.from_bytes(raw[at + 1 : at + 9], "big")
    whole = int.from_bytes(raw[at + 9 : at + 17], "big")
    text = unpacked(raw[at + 17 : at + 1 + size])
    assert len(text) == whole
    # a name may have two bytes of its kind before it, and a range behind it
    parts = [part.split(b" ")[0] for part in text.split(b"\0")]
    return {*parts, *(part[2:] for part in parts)}


def unpacked(block: bytes) -> bytes:
    """An LZ4 block: literals and matches, as its format's description says."""
    out, at = bytearray(), 0

    def length(nibble: int) -> int:
        nonlocal at
        while nibble >= 15:
            nibble, at, more = nibble + block[at], at + 1, block[at] == 255
            if not more:
                break
        return nibble

    while at < len(block):
        token = block[at]
        at += 1
        count = length(token >> 4)
        out += block[at : at + count]
        at += count
        if at == len(block):
            break
        distance = block[at] | block[at + 1] << 8
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-distance])
    return bytes(out)
