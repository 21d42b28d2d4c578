"""The ways that this machine multiplies bytes, for tests that go through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from codesign.engine._numba import features, products
from codesign.engine._numba.features import Level
from tests.engine import amx

#: Levels that the machine has, the fastest first.
HERE = features.levels()
#: Those of bytes, and tiles that are emulated where the machine has none.
OF_BYTES = [
    *([] if amx.NATIVE or amx.missing() else [amx.LEVEL]),
    *(level for level in HERE if not level.bits),
]


def only(name: str) -> str:
    """The environment variable's value that leaves level `name` the fastest."""
    names = [level.name for level in features.LEVELS]
    return ",".join(names[: names.index(name)])


def of_bytes() -> list[Any]:
    """`OF_BYTES` as parameters; one that cannot be tested here says why."""
    skipped = pytest.mark.skip(reason=amx.missing())
    lacking = [pytest.param(amx.LEVEL, marks=skipped, id="amx")] if amx.missing() else []
    return [*lacking, *(pytest.param(level, id=level.name) for level in OF_BYTES)]


@contextmanager
def first(level: Level) -> Iterator[None]:
    """`level` is the fastest, and takes every product that it is exact on, however small."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv(features.VARIABLE, only(level.name))
        if level.tiles:
            patch.setattr(products, "suits", lambda *_: True)
            stack.enter_context(amx.machine())
        yield
