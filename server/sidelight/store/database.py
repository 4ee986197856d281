"""One SQLite file that several processes use at once: opened at first use, private, and never in the way of the work.

A file from a newer version is refused. A broken one is moved aside, not deleted (``database_file.py``), and a new one
is begun. Whatever SQLite, SQLAlchemy or the disk says becomes an error (``database_errors.py``) of those who use it:
``restore_points.py``, ``conversations.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from sidelight.messages import Message, msg
from sidelight.store.database_errors import BROKEN, BUSY, Purpose, busy, says, told
from sidelight.store.database_file import Identity, identity, make_private, move_aside, remove_broken
from sidelight.store.migrations import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine

_Result = TypeVar("_Result")

FILE_NAME = "sidelight.db"
BUSY_S = 5.0
# Who waits for another process lets the other threads of this one in so often: readers need not wait at all.
_BUSY_AT_ONCE_S = 0.1
_LETTING_IN_S = 0.005
# WAL files grow with the largest transaction; afterwards they are cut back to this.
_WAL_BYTES = 4 << 20


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
        self._opened: Identity | None = None
        self._lock = RLock()

    def exists(self) -> bool:
        """Whether there is a file: who only reads need not make one."""
        return identity(self.path) is not None

    def load(self) -> None:
        """Load what opening takes."""
        with told(self.path, self._purpose):
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
        with self._lock, told(self.path, self._purpose):
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
        with self._lock, told(self.path, self._purpose):
            remove_broken(self.path)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.dispose()

    def _run(self, work: Callable[[Connection], _Result], begin: str, patience_s: float | None = None) -> _Result:
        deadline = monotonic() + (self._busy_s if patience_s is None else patience_s)
        with told(self.path, self._purpose):
            while True:
                if not self._lock.acquire(timeout=-1 if patience_s is None else max(0.0, deadline - monotonic())):
                    raise busy(self.path, self._purpose)
                try:
                    return self._mended(work, begin)
                except Exception as error:
                    if not says(error, BUSY) or monotonic() >= deadline:
                        raise
                finally:
                    self._lock.release()
                sleep(_LETTING_IN_S)

    def _mended(self, work: Callable[[Connection], _Result], begin: str) -> _Result:
        """Do ``work``, on a new file where this one is broken."""
        try:
            return self._once(work, begin)
        except Exception as error:
            if not says(error, BROKEN):
                raise
        # What broke may be this connection's own view, of a file that another process has moved aside meanwhile.
        self.close()
        seen = identity(self.path)
        try:
            return self._once(work, begin)
        except Exception as error:
            if not says(error, BROKEN):
                raise
        self.close()
        self.moved_aside = move_aside(self.path, seen) or self.moved_aside
        return self._once(work, begin)

    def _once(self, work: Callable[[Connection], _Result], begin: str) -> _Result:
        with self._ready().execution_options(begin=begin).begin() as connection:
            return work(connection)

    def _ready(self) -> Engine:
        """Return the engine of the file that stands there now: it may have been deleted, or moved aside."""
        if self._opened != identity(self.path):
            self.close()
            self.generation += 1
        if self._engine is None:
            make_private(self.path)
            self._engine = _open(self.path, self._purpose)
            self._opened = identity(self.path)
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
            if not says(error, BUSY) or monotonic() > deadline:
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
