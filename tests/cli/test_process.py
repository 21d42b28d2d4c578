"""The installed command as a process: speed of import, signals, pipes, limits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "codesign"]


def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, **options  # type: ignore[call-overload]
    )  # fmt: skip


def test_exit_codes_and_streams(folder: Path) -> None:
    job = start("simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png", "--json",
                stdout=subprocess.PIPE)  # fmt: skip
    out, err = job.communicate()
    assert (job.returncode, err) == (0, "")
    assert json.loads(out)["results"]["inputs"][0]["input"] == "cat.png"
    job = start("simulate", "cat.png", "--hw", "tiny", stdout=subprocess.PIPE)
    out, err = job.communicate()
    assert (job.returncode, out) == (2, "")
    assert err == (
        "codesign: error: cat.png: is not an ONNX file, or is cut short; "
        "give a whole file that codesign exported\n"
    )


def test_what_costs_and_help_import(folder: Path) -> None:
    """Costs need no array compiler, no engine and no image library; help needs nothing."""
    code = (
        "import sys\n"
        "from codesign.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )

    def imported(*arguments: str) -> set[str]:
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        return set(run.stderr.split())

    heavy = {"torch", "numba", "onnxruntime", "PIL", "sklearn", "scipy"}
    assert imported("simulate", "small.onnx", "--hw", "tiny") & heavy == set()
    # an input needs its engine, but never torch
    job = ("simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png")
    assert imported(*job) & {"torch", "onnxruntime", "sklearn"} == set()
    assert imported("--help") & (heavy | {"numpy", "onnx", "pydantic", "rich", "yaml"}) == set()


def test_what_is_to_be_done_at_the_end_is_done(folder: Path) -> None:
    """The process ends fast, but not before its exit functions."""
    code = (
        "import atexit, sys\n"
        "from codesign.cli import main\n"
        "atexit.register(lambda: print('last'))\n"
        "sys.argv[1:] = ['simulate', sys.argv[1], '--hw', 'tiny']\n"
        "main()\n"
    )
    for model, exit_code in (("small.onnx", 0), ("no.onnx", 2)):
        run = subprocess.run([sys.executable, "-c", code, model], capture_output=True, text=True)
        assert run.returncode == exit_code
        assert run.stdout.endswith("last\n")


def test_a_thread_that_is_at_work_is_waited_for(folder: Path) -> None:
    code = (
        "import sys, threading, time\n"
        "from codesign.cli import main\n"
        "def work():\n    time.sleep(0.5)\n    print('done')\n"
        "threading.Thread(target=work).start()\n"
        "sys.argv[1:] = ['inspect', 'no.onnx']\n"
        "main()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "done\n")


def _hear_interrupts() -> None:
    """As in a terminal: a shell starts what runs in its background deaf to them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupt_is_clean(folder: Path) -> None:
    """Ctrl-C between two inputs: one line, exit 130, no report, no file left beside it."""
    os.mkfifo(folder / "slow.png")
    before = sorted(folder.iterdir())
    job = start("simulate", "small.onnx", "--hw", "tiny", "--input", "cat.png",
                "--input", "slow.png", "--report", "r.json", stdout=subprocess.PIPE,
                preexec_fn=_hear_interrupts)  # fmt: skip
    with (folder / "slow.png").open("wb"):  # opens when the command has got there, and waits
        job.send_signal(signal.SIGINT)
        out, err = job.communicate()
    # the first newline ends the line on which a terminal has shown ^C
    assert (job.returncode, out, err) == (130, "", "\ncodesign: interrupted\n")
    assert sorted(folder.iterdir()) == before


def test_broken_pipe_is_quiet(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    job = start("inspect", "small.onnx", stdout=write)
    os.close(write)
    assert job.communicate()[1] == ""
    assert job.returncode == -signal.SIGPIPE


def test_file_too_large_leaves_the_old_one(folder: Path) -> None:
    resource = pytest.importorskip("resource")
    (folder / "r.json").write_text("old")
    job = start(
        "simulate", "small.onnx", "--hw", "tiny", "--report", "r.json",
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    _, err = job.communicate()
    assert job.returncode == 2
    assert err == (
        "codesign: error: r.json: cannot be written (file too large); choose a folder that "
        "exists, is writable and has room\n"
    )
    assert (folder / "r.json").read_text() == "old"
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_full_standard_output(folder: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        job = start("inspect", "small.onnx", stdout=full)
        _, err = job.communicate()
    assert job.returncode == 2
    assert err == "codesign: error: output: no space left on device; check it and try again\n"


def test_completion_completes(folder: Path) -> None:
    words = os.environ | {
        "_CODESIGN_COMPLETE": "bash_complete",
        "COMP_WORDS": "codesign simulate small.onnx --hw asic_",
        "COMP_CWORD": "4",
    }
    job = start(stdout=subprocess.PIPE, env=words)
    out, _ = job.communicate()
    assert "plain,asic_1mb" in out.splitlines()


def test_names_that_the_terminal_cannot_show(folder: Path) -> None:
    (folder / "cat.png").rename(folder / "k\u00e4t.png")
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    job = start("simulate", "small.onnx", "--hw", "tiny", "--input", "k\u00e4t.png",
                stdout=subprocess.PIPE, env=ascii_only)  # fmt: skip
    out, _ = job.communicate()
    assert job.returncode == 0
    assert "k\\xe4t.png" in out
