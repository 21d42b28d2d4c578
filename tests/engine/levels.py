"""The ways that this machine multiplies bytes, for tests that go through all of them."""

from __future__ import annotations

from codesign.engine._numba import features

#: Levels that the machine has, the fastest first.
HERE = features.levels()


def only(name: str) -> str:
    """The environment variable's value that leaves level `name` the fastest."""
    names = [level.name for level in features.LEVELS]
    return ",".join(names[: names.index(name)])
