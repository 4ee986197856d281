"""The database as a file: private, known again when another stands in its place, and moved aside when it is broken."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from sidelight.messages import Message, msg

_log = logging.getLogger(__name__)

Identity = tuple[int, int]
_ASIDE = "broken"


def identity(path: Path) -> Identity | None:
    """Return by what the file that stands there now is known; None where there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def make_private(path: Path) -> None:
    """Make folder and file for this user alone; SQLite gives -wal and -shm the mode of the file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Only a file that is new is opened here: closing one that SQLite has open ends the locks that SQLite holds.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if os.name == "posix":
        _take_from_others(path.parent, 0o700)
        for file in _files(path):
            _take_from_others(file, 0o600)


def _take_from_others(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):  # not there, or another user's: then it cannot be written either
        if path.stat().st_mode & 0o077:
            path.chmod(mode)


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]


def move_aside(path: Path, seen: Identity | None) -> Message | None:
    """Rename the broken file, unless it is not the one that was ``seen`` broken: another process was faster.

    Returns what the user should know of it.
    """
    with _alone_in(path.parent):
        if seen is None or identity(path) != seen:
            return None
        mark = datetime.now(timezone.utc).strftime(f"{_ASIDE}-%Y%m%d-%H%M%S-%f")
        # The log of recent writes first: beside a new database it would be taken for that one's.
        for file in reversed(_files(path)):
            with contextlib.suppress(FileNotFoundError):
                os.replace(file, path.with_name(file.name.replace(path.name, f"{path.name}.{mark}", 1)))
    _log.error("%s is broken; it was moved to %s.%s, and a new one is begun", path, path.name, mark)
    return msg(
        "{path} is broken; it was moved to {aside}, and a new one is begun.",
        path=str(path),
        aside=f"{path.name}.{mark}",
    )


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one process in at a time. Windows needs no help: a file that another process has open is not renamed."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_broken(path: Path) -> None:
    """Delete the broken files that were moved aside: there are texts in them, too."""
    for file in path.parent.glob(f"{path.name}.{_ASIDE}-*"):
        file.unlink(missing_ok=True)
