"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.files import need_writable, write_atomic


def refused(path: Path, reason: str) -> str:
    return (
        f"{path}: cannot be written ({reason}); choose a folder that exists, "
        "is writable and has room"
    )


def test_replaces_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    assert write_atomic(target, "old") == target
    write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.json"
    write_atomic(target, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CodesignError) as caught:
        write_atomic(target, "new")
    assert str(caught.value) == refused(target, "no space left on device")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "a.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    need_writable(link)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_and_stays_one() -> None:
    device = Path("/dev/full")  # every write to it finds no space
    if not device.is_char_device():
        pytest.skip("this system has no /dev/full")
    need_writable(device)
    with pytest.raises(CodesignError) as caught:
        write_atomic(device, "text")
    assert str(caught.value) == refused(device, "no space left on device")
    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize("function", [need_writable, lambda path: write_atomic(path, "text")])
def test_refusals(tmp_path: Path, function: object) -> None:
    assert callable(function)
    for path, reason in (
        (tmp_path / "none" / "a.json", "no such file or directory"),
        (tmp_path, "is a directory"),
    ):
        with pytest.raises(CodesignError) as caught:
            function(path)
        assert str(caught.value) == refused(path, reason)
    assert list(tmp_path.iterdir()) == []
