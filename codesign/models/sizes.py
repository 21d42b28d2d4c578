"""How large the networks are, so that listing them needs no torch; a test measures them again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Of a network with its default options.

    Attributes:
        weights: how many there are, generated ones too.
        macs: multiply-accumulates for one input.
        stored_bits: of the weights in memory.
        generated_bits: of the weights that an automaton makes.
    """

    weights: int
    macs: int
    stored_bits: int
    generated_bits: int = 0


SIZES = {
    "billnet": Size(390_560, 2_022_182_272, 390_560),
    "digits": Size(9_680, 378_176, 19_824),
    "fbnn": Size(2_824_704, 548_500_992, 2_824_704),
    "fbnn_4mb": Size(4_021_632, 623_933_952, 4_021_632),
    "mognet": Size(1_427_840, 202_047_488, 1_512_192, 1_343_488),
    "muxornet11": Size(4_762_304, 454_759_424, 9_524_608),
    "nqe": Size(446_656, 83_167_744, 897_600),
    "nqe_codec": Size(448_192, 83_230_720, 894_016),
    "ornet11": Size(4_762_304, 454_759_424, 9_524_608),
}
