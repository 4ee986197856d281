"""The database file: private, of the right version, and never a reason to lose anything."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from sidelight.core.ports import RestorePointError
from sidelight.store import database, database_file
from sidelight.store.database import Database
from sidelight.store.migrations import MIGRATIONS
from sidelight.store.restore_points import PURPOSE, StoredRestorePoints
from sidelight.store.tables import METADATA, RESTORE_POINTS

SERVER = Path(__file__).resolve().parents[2] / "server"
posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
not_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sidelight.db"


@pytest.fixture
def points(file: Path) -> Iterator[StoredRestorePoints]:
    points = StoredRestorePoints(file.parent, days=30, budget_bytes=1 << 20)
    yield points
    points.close()


def add(points: StoredRestorePoints, text: str = "x") -> int:
    return points.add("file:///a.py", "a.py", "fix", "", text)


def pragma(file: Path, name: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# The file


@posix
def test_folder_and_files_are_for_the_user_alone(points: StoredRestorePoints, file: Path) -> None:
    old = os.umask(0)
    try:
        add(points)
    finally:
        os.umask(old)
    assert mode(file.parent) == 0o700
    assert {path.name: mode(path) for path in file.parent.iterdir()} == {
        "sidelight.db": 0o600, "sidelight.db-wal": 0o600, "sidelight.db-shm": 0o600,
    }  # fmt: skip


@posix
def test_a_folder_that_others_may_read_is_closed_to_them(points: StoredRestorePoints, file: Path) -> None:
    file.parent.mkdir(mode=0o755)
    file.touch(0o644)
    add(points)
    assert (mode(file.parent), mode(file)) == (0o700, 0o600)


def test_it_writes_ahead_and_gives_room_back(points: StoredRestorePoints, file: Path) -> None:
    add(points)
    assert (pragma(file, "journal_mode"), pragma(file, "auto_vacuum")) == ("wal", 1)


def test_the_tables_are_what_the_migrations_make(points: StoredRestorePoints, file: Path) -> None:
    add(points)
    assert pragma(file, "user_version") == len(MIGRATIONS)
    with closing(sqlite3.connect(file)) as connection:
        for table in METADATA.tables.values():
            made = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
            meant = [(it.name, not it.nullable and not it.primary_key, it.primary_key) for it in table.columns]
            found = [(name, bool(required and not key), bool(key)) for _, name, _, required, _, key in made]
            assert found == meant, table.name


def test_importing_the_store_does_not_import_sqlalchemy() -> None:
    code = (
        "import sys; from pathlib import Path; import sidelight.cli, sidelight.store.restore_points as store\n"
        "store.StoredRestorePoints(Path('x'), days=1, budget_bytes=1)\n"
        "sys.exit('sqlalchemy' in sys.modules or 'sqlite3' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SERVER, check=True)


def test_preparing_imports_sqlalchemy_and_opens_what_is_there(points: StoredRestorePoints, file: Path) -> None:
    file.parent.mkdir()
    code = (
        "import sys; from pathlib import Path; import sidelight.store.restore_points as store\n"
        f"points = store.StoredRestorePoints(Path({str(file.parent)!r}), days=1, budget_bytes=1)\n"
        "points.prepare()\n"
        "sys.exit('sqlalchemy' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SERVER, check=True)
    assert not file.exists()
    file.touch()
    points.prepare()
    assert pragma(file, "user_version") == len(MIGRATIONS)


# What it does not touch, and what it cannot use


def test_a_newer_version_is_refused_and_left_as_it_is(points: StoredRestorePoints, file: Path) -> None:
    add(points)
    points.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    was = file.read_bytes()
    for call in (lambda: add(points), points.latest, points.clear):
        with pytest.raises(RestorePointError, match="newer version of Sidelight"):
            call()
    assert file.read_bytes() == was
    assert [path.name for path in file.parent.iterdir()] == ["sidelight.db"]


@pytest.mark.parametrize("broken", [b"no database at all " * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_broken_file_is_moved_aside_and_said(
    points: StoredRestorePoints, file: Path, caplog: pytest.LogCaptureFixture, broken: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(broken)
    with caplog.at_level(logging.ERROR):
        id_ = add(points)
    assert points.get(id_) is not None
    aside = list(file.parent.glob("sidelight.db.broken-*"))
    assert [path.read_bytes() for path in aside] == [broken]
    assert aside[0].name in caplog.text


def test_a_file_that_breaks_while_it_is_open_is_moved_aside(points: StoredRestorePoints, file: Path) -> None:
    for number in range(20):
        add(points, f"{number}" * 5000)
    points.close()
    content = bytearray(file.read_bytes())
    points.latest()
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    points.close()
    id_ = add(points)
    assert points.get(id_) is not None
    assert len(list(file.parent.glob("sidelight.db.broken-*"))) == 1


def test_only_the_file_that_was_seen_broken_is_moved_aside(points: StoredRestorePoints, file: Path) -> None:
    id_ = add(points)
    database_file.move_aside(file, (1, 1))
    assert not list(file.parent.glob("*broken*"))
    assert points.get(id_) is not None


def test_clearing_removes_broken_files_too(points: StoredRestorePoints, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no database " * 500)
    add(points)
    assert points.clear() == 1
    assert not list(file.parent.glob("*broken*"))


def test_who_has_the_moved_file_open_goes_over_to_the_new_one(points: StoredRestorePoints, file: Path) -> None:
    if os.name == "nt":
        pytest.skip("an open file cannot be moved there")
    add(points)
    for path in list(file.parent.iterdir()):
        path.rename(path.with_name(path.name + ".aside"))
    with closing(StoredRestorePoints(file.parent, days=30, budget_bytes=1 << 20)) as other:
        theirs = add(other)
        mine = add(points)
        assert {point.id for point in other.latest()} == {theirs, mine}


def test_a_locked_file_is_an_error_after_a_while(file: Path) -> None:
    waiting = Database(file, PURPOSE, busy_s=0.2)
    waiting.write(lambda connection: connection.execute(RESTORE_POINTS.delete()))
    with closing(waiting), closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(RestorePointError, match="in use by another program") as raised:
            waiting.write(lambda connection: connection.execute(RESTORE_POINTS.delete()))
        assert 0.1 < time.monotonic() - began < 3
        assert raised.value.hint
        other.execute("ROLLBACK")
        waiting.write(lambda connection: connection.execute(RESTORE_POINTS.delete()))
        assert database.BUSY_S == 5


def test_switching_to_writing_ahead_waits_for_a_writer(points: StoredRestorePoints, file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("CREATE TABLE t (x)")
        writer.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, writer.execute, ("ROLLBACK",))
        timer.start()
        id_ = add(points)
        timer.join()
    assert points.get(id_) is not None
    assert pragma(file, "journal_mode") == "wal"


def test_a_writer_keeps_others_from_writing_from_its_first_look_on(file: Path) -> None:
    def look(connection: sqlalchemy.Connection) -> None:
        connection.execute(RESTORE_POINTS.select()).all()
        other = sqlite3.connect(file, timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    with closing(Database(file, PURPOSE)) as opened:
        opened.write(look)


def test_no_room_on_the_disk_is_an_error_that_says_so(file: Path) -> None:
    full = Database(file, PURPOSE)
    with closing(full):
        with pytest.raises(RestorePointError, match="no room on the disk") as raised:
            full.write(fill)
        assert "SIDELIGHT_RESTORE_POINTS=0" in str(raised.value.hint)
        assert full.read(lambda connection: connection.execute(RESTORE_POINTS.select()).all()) == []


def fill(connection: sqlalchemy.Connection) -> None:
    """Let SQLite find no more room, as it does on a full disk."""
    connection.exec_driver_sql("PRAGMA max_page_count = 20").fetchall()
    values = {"uri": "u", "name": "n", "task": "t", "job": "j", "made_at_ms": 1, "size": 1, "before": b"x" * 500_000}
    connection.execute(RESTORE_POINTS.insert().values(values))


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    points = StoredRestorePoints(tmp_path / "file" / "data", days=1, budget_bytes=1 << 20)
    with pytest.raises(RestorePointError) as raised:
        add(points)
    assert "cannot be used" in str(raised.value.message)
    assert "SIDELIGHT_RESTORE_POINTS=0" in str(raised.value.hint)


def test_a_folder_in_the_place_of_the_file_is_an_error(points: StoredRestorePoints, file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(RestorePointError, match="cannot be used"):
        add(points)


@not_root
def test_a_read_only_folder_is_an_error_with_a_hint(points: StoredRestorePoints, file: Path) -> None:
    file.parent.mkdir()
    file.parent.chmod(0o500)
    try:
        with pytest.raises(RestorePointError, match="cannot be used"):
            add(points)
    finally:
        file.parent.chmod(0o700)


def test_an_error_does_not_quote_the_text(points: StoredRestorePoints, file: Path) -> None:
    add(points)
    points.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON restore_points BEGIN SELECT RAISE(ABORT, 'no'); END")
        connection.commit()
    with pytest.raises(RestorePointError) as raised:
        points.add("file:///secret.py", "secret.py", "fix", "", "password")
    assert "secret" not in str(raised.value)


def test_a_mistake_of_ours_is_not_dressed_as_a_broken_disk(file: Path) -> None:
    def mistaken(_connection: object) -> None:
        raise ZeroDivisionError

    with closing(Database(file, PURPOSE)) as opened, pytest.raises(ZeroDivisionError):
        opened.write(mistaken)
