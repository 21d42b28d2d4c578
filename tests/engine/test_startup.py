"""Compiled kernels on disk: found again, safe when processes start together, never stale."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import codesign
from codesign.engine._numba import jit

#: Prints how many kernels the process compiled, then a digest of everything that it computed.
PROGRAM = """
import hashlib, sys
from numba.core import event
import codesign
from codesign.engine import create
from codesign.sim.inputs import from_random
with event.install_recorder("numba:compile") as compiled:
    graph = codesign.load("nqe_cifar10")
    codes = next(from_random(graph, 1, 5).batches()).arrays
    found = create("numba", graph, threads=1).run(codes, graph.results)
digest = hashlib.sha256(b"".join(found[name].tobytes() for name in sorted(found))).hexdigest()
print(sum(event.is_start for _, event in compiled.buffer), digest)
"""


def start(cache: Path, **environment: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(codesign.__file__).parents[1],
    )


def result(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    count, digest = out.split()
    return int(count), digest


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache that two processes filled at the same time, and what they computed."""
    cache = tmp_path_factory.mktemp("cache")
    together = [start(cache), start(cache)]
    (first, one), (second, two) = map(result, together)
    assert first > 0 and second > 0 and one == two
    return cache, one


def test_what_two_processes_compiled_together_the_next_one_finds(filled: tuple[Path, str]) -> None:
    cache, digest = filled
    assert result(start(cache)) == (0, digest)


def test_a_processor_with_other_features_has_kernels_of_its_own(
    filled: tuple[Path, str], tmp_path: Path
) -> None:
    import llvmlite.binding as llvm

    cache = shutil.copytree(filled[0], tmp_path / "cache")
    features = llvm.get_host_cpu_features()
    fewer = ",".join(
        f"{'+' if on and 'avx512' not in name else '-'}{name}" for name, on in features.items()
    )
    off = ",".join(level.name for level in codesign.engine._numba.features.LEVELS[:-1])
    other = {"NUMBA_CPU_FEATURES": fewer, "CODESIGN_CPU_OFF": off}
    again = {"CODESIGN_CPU_OFF": off}
    compiled, digest = result(start(cache, **other))
    assert compiled > 0 and digest == filled[1]
    if any("avx512" in name and on for name, on in features.items()):
        # the machine with all features does not take what the lesser one has left
        assert result(start(cache, **again))[0] > 0
    assert result(start(cache, **other)) == (0, digest)


def test_kernels_are_kept_by_the_digest_of_all_their_sources(
    filled: tuple[Path, str],
) -> None:
    indices = list(filled[0].rglob("*.nbi"))
    assert indices and all(jit.sources() in index.name for index in indices)


def test_costs_alone_import_no_compiler() -> None:
    program = (
        "import sys; from codesign.cli import main\n"
        "try: main(['simulate', 'nqe_cifar10', '--hw', 'asic_1mb'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'numba', 'llvmlite', 'torch', 'onnxruntime', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_terminal_is_told_once_that_kernels_are_compiled(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "codesign",
        "simulate",
        "nqe_cifar10",
        "--hw",
        "asic_1mb",
        "--count=2",
    ]
    cache = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = []
    for _ in range(2):
        ours, theirs = pty.openpty()
        done = subprocess.run(command, env=cache, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        try:
            said.append(os.read(ours, 4096).decode())
        except OSError:  # nothing was written, and nobody can any more
            said.append("")
        os.close(ours)
        assert done.returncode == 0
    notice = "compiling kernels for this processor; later starts find them on disk"
    assert said == [f"codesign: {notice}\r\n", ""]
    quiet = subprocess.run(
        command, env={**cache, "NUMBA_CACHE_DIR": str(tmp_path / "new")}, capture_output=True
    )
    assert quiet.returncode == 0 and quiet.stderr == b""
