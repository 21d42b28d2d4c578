"""The command line in this process, in a folder of its own with a model and images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from codesign.cli import main
from codesign.convert import save
from tests.small import small


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: small.onnx, other.onnx (one bias differs), cat.png and eight.png."""
    monkeypatch.chdir(tmp_path)
    save(small(), tmp_path / "small.onnx")
    save(small(bias=5), tmp_path / "other.onnx")
    pixels = np.random.RandomState(1).randint(0, 256, (20, 31, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    Image.fromarray(pixels[:8, :8]).save(tmp_path / "eight.png")
    return tmp_path


@pytest.fixture
def codesign(folder: Path) -> Command:
    """Runs `codesign ARGUMENTS` in the working folder."""

    def run(*arguments: object) -> Ended:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run
