"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.files import folder_atomic, need_writable, write_atomic


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


def test_text_in_pieces(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_atomic(target, (piece for piece in ("a", "\u00e4", "")))
    assert target.read_bytes() == "a\u00e4".encode()

    def broken() -> Iterator[str]:
        yield "b"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(target, broken())
    assert target.read_text() == "a\u00e4"
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


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "made"
    for content in ("old", "new"):
        with folder_atomic(target) as folder:
            (folder / content).write_text(content)
            assert folder.parent == tmp_path
        assert [path.name for path in target.iterdir()] == [content]
    assert list(tmp_path.iterdir()) == [target]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o777 & ~umask


def test_a_folder_half_filled_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "made"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(KeyboardInterrupt), folder_atomic(target) as folder:
        (folder / "new").touch()
        raise KeyboardInterrupt
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_renamed_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "made"
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def refuse(self: Path, place: Path) -> Path:
        if (self / "new").exists():
            raise OSError(28, "No space left on device")
        return rename(self, place)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CodesignError) as caught, folder_atomic(target) as folder:
        (folder / "new").touch()
    assert str(caught.value) == refused(target, "no space left on device")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_linked_folder_stays_linked(tmp_path: Path) -> None:
    target, link = tmp_path / "made", tmp_path / "link"
    target.mkdir()
    link.symlink_to(target)
    with folder_atomic(link) as folder:
        (folder / "new").touch()
    assert link.is_symlink()
    assert [path.name for path in target.iterdir()] == ["new"]


def test_a_folder_needs_a_place(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "made"
    with pytest.raises(CodesignError) as caught, folder_atomic(target):
        pass
    assert str(caught.value) == refused(target, "no such file or directory")
