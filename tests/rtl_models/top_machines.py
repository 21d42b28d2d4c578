"""The machines that test_top.py builds whole: small memories, a few pixels a block."""

from __future__ import annotations

import os

from codesign.hw import Hardware
from codesign.rtl.parameters import parameters

_YAML = """
schema: 1
name: {name}
clock: 50 MHz
lanes: {{input: {input}, output: {output}, weight: {weight} b}}
weight_word: {word} b
bias: 16 b
accumulator: {{pixels: 6, width: {width} b}}
memories:
  weights: {{capacity: {weights} b}}
  parameters: {{capacity: 1300 b}}
  program: {{capacity: 4500 b}}
  activations: {{capacity: {activations} b, banks: {banks}}}
{skip}"""
#: Small memories, of no power of two, so that an address is soon beyond their end; blocks of a few
#: pixels. The second one has words of 4 b in bytes of stream, three banks and skip.
MACHINES = {
    "square": Hardware.parse(
        _YAML.format(
            name="square", input=4, output=4, weight=3, word=12, width=20, weights=4000,
            activations=4000, banks=2, skip="",
        )
    ),
    "narrow": Hardware.parse(
        _YAML.format(
            name="narrow", input=2, output=5, weight=4, word=13, width=24, weights=4000,
            activations=3600, banks=3, skip="  skip: {capacity: 900 b}\n",
        )
    ),
}  # fmt: skip


def chosen() -> Hardware:
    """The machine that pytest has built."""
    return MACHINES[os.environ["MACHINE"]]


def built(hardware: Hardware) -> dict[str, int]:
    """The machine's parameters as `legality` asks for them."""
    made = parameters(hardware)
    return {**made, "AllBanks": made["Banks"] + int(made["SkipDepth"] > 0)}
