"""How good a choice of numbers is, before a network is trained on it."""

from codesign.quality.automaton import AutomatonQuality, automaton_quality, longest_row

__all__ = ["AutomatonQuality", "automaton_quality", "longest_row"]
