"""Engine tests run once for each level of the machine, where they ask for `level`."""

from __future__ import annotations

import pytest

from codesign.engine._numba import features
from tests.engine.levels import HERE, only


@pytest.fixture(params=[level.name for level in HERE])
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A level's name; the faster ones are switched off."""
    name = str(request.param)
    monkeypatch.setenv(features.VARIABLE, only(name))
    return name
