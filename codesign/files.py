"""Files and folders written whole or not at all: beside the target first, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from codesign.errors import CodesignError


def write_atomic(path: str | Path, data: bytes | str | Iterable[str]) -> Path:
    """Write `data` to `path`; a reader sees the old file or the whole new one, never a part.

    Text is written as UTF-8, whole or in pieces. A link's target is replaced, not the link; a
    device or a pipe is written to. Raises CodesignError (one line) where the folder is missing,
    read-only or full; the old file, if any, is untouched then.
    """
    target = Path(path)
    raw = _pieces(data)
    temporary: str | None = None
    try:
        if _is_stream(target):
            with target.open("wb") as stream:
                stream.writelines(raw)
            return target
        target = target.resolve()
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(raw)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # noqa: PTH101 (a file descriptor's path)
        os.replace(temporary, target)  # noqa: PTH105
        temporary = None
    except OSError as error:
        raise _refused(Path(path), error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
    return Path(path)


def _pieces(data: bytes | str | Iterable[str]) -> Iterable[bytes]:
    if isinstance(data, bytes):
        return (data,)
    return (piece.encode("utf-8") for piece in ((data,) if isinstance(data, str) else data))


def need_writable(path: str | Path) -> None:
    """Refuse a target that `write_atomic` could not write, before the work that fills it.

    Raises the same CodesignError as `write_atomic`; a folder that will be full is not foreseen.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if _is_stream(target):
            return
        target = target.resolve()
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
        os.unlink(temporary)  # noqa: PTH108
    except OSError as error:
        raise _refused(Path(path), error) from error


@contextlib.contextmanager
def folder_atomic(path: str | Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `path` when the block ends well.

    A reader sees the old folder or the whole new one, never a part; where the block raises, nothing
    is left of the new one. What was in an old folder is lost, so ask before. A link's target is
    replaced, not the link. Raises CodesignError (one line) where the folder around it is missing,
    read-only or full.
    """
    target = Path(path)
    made: Path | None = None
    try:
        place = target.resolve()
        made = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        made.chmod(0o777 & ~_umask())
        yield made
        _take_place(made, place)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)  # it is the new folder no more, or of no use


def _take_place(made: Path, place: Path) -> None:
    """Rename `made` to `place`; what is there goes aside first, and comes back on an error."""
    if not place.is_dir():
        made.rename(place)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    old = aside / place.name
    try:
        place.rename(old)
        try:
            made.rename(place)
        except OSError:
            old.rename(place)
            raise
    except OSError:
        with contextlib.suppress(OSError):
            aside.rmdir()  # where the old folder could not go back it stays in there
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _is_stream(target: Path) -> bool:
    """Whether `target` is a device or a pipe: to be written to, never renamed over."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _refused(target: Path, error: OSError) -> CodesignError:
    reason = (error.strerror or str(error)).lower()
    return CodesignError(
        f"{target}: cannot be written ({reason}); choose a folder that exists, "
        "is writable and has room"
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
