"""The built wheel and sdist are whole: the main job runs from a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist that it was built from."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_contents(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "codesign/py.typed",
        "codesign/models/zoo/nqe_cifar10.onnx",
        "codesign/hw_configs/asic_1mb.yaml",
        "codesign/hw_configs/asic_2mb.yaml",
        "codesign/hw_configs/asic_3mb.yaml",
        "codesign/hw_configs/asic_4mb.yaml",
        "codesign/hw_configs/asic_video.yaml",
        "codesign/hw_configs/tiny.yaml",
        "codesign/rtl/harness.cpp",
        "codesign/rtl/fst/lz4.h",
        "codesign/rtl_models/codesign.vh",
        "codesign/rtl_models/codesign_accelerator.v",
        "codesign/rtl_models/tb/testbench.v",
    ):
        assert name in names
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "hw_configs/asic_1mb.yaml", "Makefile"} <= members
    assert "rtl_models/host_interface.v" in members


def test_main_job_from_a_clean_environment(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    installed = run(*pip, str(wheel))
    assert installed.returncode == 0, installed.stderr
    assert run(str(python), "-c", "import torch").returncode != 0  # the base install has no torch
    find = "from codesign.rtl import sources; print(len(sources.files()))"
    found = run(str(python), "-c", find)
    assert int(found.stdout) > 2, found.stderr  # the Verilog, out of the wheel

    pixels = np.random.default_rng(0).integers(0, 256, (48, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    job = run(
        str(home / "bin" / "codesign"),
        "simulate", "nqe_cifar10", "--hw", "asic_1mb", "--input", "noise.png", "--json",
    )  # fmt: skip
    assert job.returncode == 0, job.stderr
    report = json.loads(job.stdout)
    assert list(report) == [
        "schema", "model", "hardware", "memory", "operations", "cycles", "budget", "results",
        "not_modelled",
    ]  # fmt: skip
    assert all(line["ok"] for line in report["budget"])
