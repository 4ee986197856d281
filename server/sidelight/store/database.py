"""One SQLite file that several processes use at once: opened at first use, private, and never in the way of the work.

A file from a newer version is refused. A broken one is moved aside, not deleted, and a new one is begun. Whatever
SQLite, SQLAlchemy or the disk says becomes here an error of those who use it: ``restore_points.py``,
``conversations.py``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from sidelight.errors import SidelightError
from sidelight.messages import Message, msg
from sidelight.store.migrations import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")
_Identity = tuple[int, int]

FILE_NAME = "sidelight.db"
BUSY_S = 5.0
# Who waits for another process lets the other threads of this one in so often: readers need not wait at all.
_BUSY_AT_ONCE_S = 0.1
_LETTING_IN_S = 0.005
# WAL files grow with the largest transaction; afterwards they are cut back to this.
_WAL_BYTES = 4 << 20
_ASIDE = "broken"
_BROKEN = ("file is not a database", "malformed", "file is encrypted")
_BUSY = ("database is locked", "database table is locked", "database is busy")
_FULL = ("database or disk is full",)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What somebody keeps in the file: the error that tells of trouble, and the setting that does without it."""

    error: type[SidelightError]
    things: Message
    setting: str

    def hint(self, first: Message) -> Message:
        """Return a hint that ends with the way to do without."""
        return msg(
            "{first}, or set {setting}=0 to keep no {things}.", first=first, setting=self.setting, things=self.things
        )


class Database:
    """The file ``path``. Any thread may call; one connection goes from thread to thread, so that none waits in vain.

    SQLite makes writers wait by polling, without an order: threads of one process queue here instead, and none holds
    the others up while it waits for another process.
    """

    def __init__(self, path: Path, purpose: Purpose, busy_s: float = BUSY_S) -> None:
        self.path = path
        self.moved_aside: Message | None = None
        # Goes up with every other file that was opened: what was written to one is not in the next.
        self.generation = 0
        self._purpose = purpose
        self._busy_s = busy_s
        self._engine: Engine | None = None
        self._opened: _Identity | None = None
        self._lock = RLock()

    def exists(self) -> bool:
        """Whether there is a file: who only reads need not make one."""
        return _identity(self.path) is not None

    def load(self) -> None:
        """Load what opening takes."""
        with _told(self.path, self._purpose):
            import sidelight.store.tables  # noqa: F401, loads SQLAlchemy: nearly all of the first call's time

    def prepare(self) -> None:
        """Load what opening takes, and open the file where there is one."""
        self.load()
        if self.exists():
            self.read(lambda _connection: None)

    def read(self, work: Callable[[Connection], _Result], patience_s: float | None = None) -> _Result:
        """Do ``work`` in a transaction that sees one state of the database.

        With ``patience_s``, no longer is waited for other threads, and for other processes, than that.
        """
        return self._run(work, "BEGIN", patience_s)

    def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do ``work`` in a transaction that is on disk when this returns, and undone as a whole when it raises."""
        return self._run(work, "BEGIN IMMEDIATE")

    def forget_deleted(self) -> None:
        """Empty the log of recent writes, which still holds what was deleted."""
        with self._lock, _told(self.path, self._purpose):
            connection = self._ready().raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout = {round(self._busy_s * 1000)}").fetchall()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                cursor.execute(f"PRAGMA busy_timeout = {round(_BUSY_AT_ONCE_S * 1000)}").fetchall()
            finally:
                connection.close()

    def remove_broken(self) -> None:
        """Delete the broken files that were moved aside: there are texts in them, too."""
        with self._lock, _told(self.path, self._purpose):
            for file in self.path.parent.glob(f"{self.path.name}.{_ASIDE}-*"):
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.dispose()

    def _run(self, work: Callable[[Connection], _Result], begin: str, patience_s: float | None = None) -> _Result:
        deadline = monotonic() + (self._busy_s if patience_s is None else patience_s)
        with _told(self.path, self._purpose):
            while True:
                if not self._lock.acquire(timeout=-1 if patience_s is None else max(0.0, deadline - monotonic())):
                    raise _busy(self.path, self._purpose)
                try:
                    return self._mended(work, begin)
                except Exception as error:
                    if not _says(error, _BUSY) or monotonic() >= deadline:
                        raise
                finally:
                    self._lock.release()
                sleep(_LETTING_IN_S)

    def _mended(self, work: Callable[[Connection], _Result], begin: str) -> _Result:
        """Do ``work``, on a new file where this one is broken."""
        try:
            return self._once(work, begin)
        except Exception as error:
            if not _says(error, _BROKEN):
                raise
        # What broke may be this connection's own view, of a file that another process has moved aside meanwhile.
        self.close()
        seen = _identity(self.path)
        try:
            return self._once(work, begin)
        except Exception as error:
            if not _says(error, _BROKEN):
                raise
        self.close()
        self.moved_aside = _move_aside(self.path, seen) or self.moved_aside
        return self._once(work, begin)

    def _once(self, work: Callable[[Connection], _Result], begin: str) -> _Result:
        with self._ready().execution_options(begin=begin).begin() as connection:
            return work(connection)

    def _ready(self) -> Engine:
        """Return the engine of the file that stands there now: it may have been deleted, or moved aside."""
        if self._opened != _identity(self.path):
            self.close()
            self.generation += 1
        if self._engine is None:
            _make_private(self.path)
            self._engine = _open(self.path, self._purpose)
            self._opened = _identity(self.path)
        return self._engine


# Opening


def _open(path: Path, purpose: Purpose) -> Engine:
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: _connect(path, purpose),
        poolclass=sqlalchemy.QueuePool,
        pool_size=1,
        max_overflow=0,
    )
    sqlalchemy.event.listen(engine, "begin", _begin)
    try:
        _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _connect(path: Path, purpose: Purpose) -> sqlite3.Connection:
    import sqlite3

    # isolation_level None: transactions begin where we say so (``_begin``), not where Python guesses.
    connection = sqlite3.connect(path, timeout=_BUSY_AT_ONCE_S, isolation_level=None, check_same_thread=False)
    try:
        _refuse_newer(connection.execute("PRAGMA user_version").fetchone()[0], path, purpose)
        # Takes effect on a new file alone, and only before anything else is written to it.
        connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        _use_wal(connection)
        # FULL: what was committed survives a power cut too, for some milliseconds at each edit.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite does not wait by itself while another process does the same."""
    import sqlite3

    deadline = monotonic() + _BUSY_AT_ONCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if not _says(error, _BUSY) or monotonic() > deadline:
                raise
            sleep(0.02)


def _migrate(engine: Engine) -> None:
    """Bring the file to our version. Who comes second waits for the first, and finds nothing left to do."""
    with engine.connect() as connection:
        if _version(connection) == len(MIGRATIONS):
            return
    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        for number, statements in enumerate(MIGRATIONS[_version(connection) :], _version(connection) + 1):
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {number}")


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _refuse_newer(version: int, path: Path, purpose: Purpose) -> None:
    if version > len(MIGRATIONS):
        raise purpose.error(
            msg("{path} was written by a newer version of Sidelight.", path=str(path)),
            msg("Update Sidelight, or move that file away: a new one is begun then."),
        )


# The file


def _identity(path: Path) -> _Identity | None:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def _make_private(path: Path) -> None:
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


def _move_aside(path: Path, seen: _Identity | None) -> Message | None:
    """Rename the broken file, unless it is not the one that was ``seen`` broken: another process was faster.

    Returns what the user should know of it.
    """
    with _alone_in(path.parent):
        if seen is None or _identity(path) != seen:
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


# Errors


@contextlib.contextmanager
def _told(path: Path, purpose: Purpose) -> Iterator[None]:
    """Turn what goes wrong below into the error of those who use the file."""
    try:
        yield
    except ImportError as error:
        raise purpose.error(
            msg("To keep {things} takes the package {name}.", things=purpose.things, name=error.name or "sqlalchemy"),
            purpose.hint(msg("Install it (python -m pip install sqlalchemy)")),
        ) from error
    except OSError as error:
        raise _unusable(path, purpose, error.strerror or str(error)) from error
    except Exception as error:
        if (reason := _database_error(error)) is None:
            raise
        raise _store_error(path, purpose, reason) from error


def _database_error(error: Exception) -> str | None:
    """Return what SQLite or SQLAlchemy says; None for errors that are not theirs."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    if isinstance(error, DBAPIError):  # str() of this one would quote the statement with its values: the user's text
        return str(error.orig)
    return str(error) if isinstance(error, (sqlite3.Error, SQLAlchemyError)) else None


def _says(error: Exception, signs: tuple[str, ...]) -> bool:
    """Whether SQLite means one of these; Python 3.10 does not tell its error codes."""
    reason = _database_error(error)
    return reason is not None and any(sign in reason for sign in signs)


def _store_error(path: Path, purpose: Purpose, reason: str) -> SidelightError:
    if any(sign in reason for sign in _BUSY):
        return _busy(path, purpose)
    if any(sign in reason for sign in _FULL):
        return purpose.error(
            msg("There is no room on the disk for {path}.", path=str(path)), purpose.hint(msg("Make room"))
        )
    return _unusable(path, purpose, reason)


def _busy(path: Path, purpose: Purpose) -> SidelightError:
    return purpose.error(
        msg("{path} has been in use by another program for too long.", path=str(path)),
        msg("Try again; if it stays so, close other programs that have the file open."),
    )


def _unusable(path: Path, purpose: Purpose, reason: str) -> SidelightError:
    return purpose.error(
        msg("{path} cannot be used: {reason}", path=str(path), reason=reason),
        purpose.hint(msg("Check that its folder can be written")),
    )
