"""Restore points in SQLite: the text of a document from before each edit, for some days and up to some MiB.

Texts are kept compressed, to the letter: any line ends, and half characters (lone surrogates) as editors send them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from sidelight.core.ports import RestorePoint, RestorePointError, RestorePointSummary
from sidelight.editing.line_diff import hunks
from sidelight.editing.text import split_lines
from sidelight.messages import msg
from sidelight.processes import is_running
from sidelight.store.database import FILE_NAME, Database
from sidelight.store.database_errors import Purpose
from sidelight.store.packing import pack, storable, unpack

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select, Table

PURPOSE = Purpose(RestorePointError, msg("restore points"), "SIDELIGHT_RESTORE_POINTS")
_SUMMARY = ("id", "uri", "name", "task", "job", "made_at_ms", "changed_lines")
_LARGEST_ID = 2**63 - 1
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# What a row needs beside its texts, about: many points of small files need room too.
_ROW_BYTES = 500
_LONGEST_EDIT_MS = 2 * 3_600_000  # a preview may be open for an hour
# Before any edit of this process begins.
_LOADED_MS = int(time() * 1000)


class NoRestorePoints:
    """Restore points are switched off: keeps nothing, and makes no file."""

    def prepare(self) -> None:
        """Do nothing."""

    def add(self, uri: str, name: str, task: str, job: str, before: str) -> int:  # noqa: ARG002, the port's signature
        """Keep nothing; 0 is nobody's id."""
        return 0

    def finish(self, id_: int, after: str) -> None:
        """Keep nothing."""

    def forget(self, id_: int) -> None:
        """Remove nothing."""

    def latest(self, uri: str | None = None, limit: int = 50) -> list[RestorePointSummary]:  # noqa: ARG002, the port's signature
        """Return no points."""
        return []

    def get(self, id_: int) -> RestorePoint | None:  # noqa: ARG002, the port's signature
        """Return None."""
        return None

    def clear(self) -> int:
        """Remove nothing."""
        return 0

    def close(self) -> None:
        """Do nothing."""


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class StoredRestorePoints:
    """The restore points in ``folder``, of all processes of this user; see the port for what the methods promise.

    The oldest go when they are older than ``days``, or when all texts (compressed) need more than ``budget_bytes``;
    never the one that was just added. SQLAlchemy is imported at the first call.
    """

    def __init__(self, folder: Path, *, days: int, budget_bytes: int, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = Database(folder / FILE_NAME, PURPOSE)
        self._days = days
        self._budget_bytes = budget_bytes
        self._now = now

    def prepare(self) -> None:
        """Import SQLAlchemy, and open the file where there is one."""
        self._database.prepare()

    def add(self, uri: str, name: str, task: str, job: str, before: str) -> int:
        """Keep a text; raises ``RestorePointError`` for one that alone is larger than the budget."""
        packed = self._pack(before, name)
        values = {
            "uri": storable(uri), "name": storable(name), "task": storable(task), "job": storable(job),
            "made_at_ms": _milliseconds(self._now()), "before": packed, "size": len(packed) + _ROW_BYTES,
        }  # fmt: skip

        def work(connection: Connection) -> int:
            key = connection.execute(_table().insert().values(values)).inserted_primary_key
            assert key is not None
            self._prune(connection, key[0])
            _begin(connection, key[0])
            return int(key[0])

        return self._database.write(work)

    def finish(self, id_: int, after: str) -> None:
        """Add what the edit made of the text."""
        point = self.get(id_)
        if point is None:
            return
        packed = self._pack(after, point.name)
        changed = _changed_lines(point.before, after)

        def work(connection: Connection) -> None:
            table = _table()
            row = table.update().where(table.c.id == id_, table.c.after.is_(None))
            values = {"after": packed, "changed_lines": changed, "size": table.c.size + len(packed)}
            if connection.execute(row.values(values)).rowcount:
                self._prune(connection, id_)
            _end(connection, id_)

        self._database.write(work)

    def forget(self, id_: int) -> None:
        """Remove a point whose edit did not happen."""
        if 0 < id_ <= _LARGEST_ID and self._database.exists():

            def work(connection: Connection) -> None:
                table = _table()
                connection.execute(table.delete().where(table.c.id == id_))
                _end(connection, id_)

            self._database.write(work)

    def latest(self, uri: str | None = None, limit: int = 50) -> list[RestorePointSummary]:
        """Return the latest points, newest first."""
        if not self._database.exists():
            return []

        def work(connection: Connection) -> list[RestorePointSummary]:
            table = _table()
            query = table.select().with_only_columns(*(table.c[name] for name in _SUMMARY))
            if uri is not None:
                query = query.where(table.c.uri == storable(uri))
            rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit))
            owners = _under_way(connection)
            return [
                RestorePointSummary(
                    **_summary(row),
                    is_running=row.changed_lines is None and _may_run(owners.get(row.id), row.made_at_ms),
                )
                for row in rows
            ]

        return self._database.read(work)

    def get(self, id_: int) -> RestorePoint | None:
        """Return a point with its texts."""
        if not 0 < id_ <= _LARGEST_ID or not self._database.exists():
            return None
        row = self._database.read(lambda connection: connection.execute(_by_id(id_)).one_or_none())
        if row is None:
            return None
        after = None if row.after is None else _unpack(row.after, id_)
        return RestorePoint(**_summary(row), before=_unpack(row.before, id_), after=after)

    def clear(self) -> int:
        """Remove every point, and the broken files that were moved aside, in which there are texts too."""
        if not self._database.exists():
            return 0
        count = self._database.write(lambda connection: connection.execute(_table().delete()).rowcount)
        self._database.forget_deleted()
        self._database.remove_broken()
        return count

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _pack(self, text: str, name: str) -> bytes:
        packed = pack(text)
        if len(packed) > self._budget_bytes:
            raise RestorePointError(
                msg("{name} is larger than all restore points may be together.", name=name),
                msg("Raise SIDELIGHT_RESTORE_MIB, or set SIDELIGHT_RESTORE_POINTS=0 to keep no restore points."),
            )
        return packed

    def _prune(self, connection: Connection, spared: int) -> None:
        table = _table()
        others = table.c.id != spared
        too_old = max(0, _milliseconds(self._now()) - self._days * _DAY_MS)
        connection.execute(table.delete().where(table.c.made_at_ms < too_old, others))
        if last := _last_in_excess(connection, self._budget_bytes, spared):
            connection.execute(table.delete().where(table.c.id <= last, others))


def _last_in_excess(connection: Connection, budget_bytes: int, spared: int) -> int:
    """Return the id up to which points must go, oldest first, for the rest to fit; 0 when everything fits."""
    from sqlalchemy import func, select

    table = _table()
    excess = (connection.scalar(select(func.sum(table.c.size))) or 0) - budget_bytes
    if excess <= 0:
        return 0
    last = 0
    oldest_first = select(table.c.id, table.c.size).where(table.c.id != spared).order_by(table.c.id)
    for id_, size in connection.execute(oldest_first):
        if excess <= 0:
            break
        last, excess = id_, excess - size
    return last


def _table() -> Table:
    from sidelight.store.tables import RESTORE_POINTS

    return RESTORE_POINTS


def _begin(connection: Connection, id_: int) -> None:
    """Take note of an edit that begins, and forget those whose points have gone."""
    from sidelight.store.tables import EDITS_UNDER_WAY as EDITS

    connection.execute(EDITS.delete().where(EDITS.c.point.not_in(_table().select().with_only_columns(_table().c.id))))
    connection.execute(EDITS.insert().values(point=id_, machine=platform.node(), process=os.getpid()))


def _end(connection: Connection, id_: int) -> None:
    from sidelight.store.tables import EDITS_UNDER_WAY as EDITS

    connection.execute(EDITS.delete().where(EDITS.c.point == id_))


def _under_way(connection: Connection) -> dict[int, tuple[str, int]]:
    """Return the edits that have not ended, by their points: on which machine and in which process they began."""
    from sidelight.store.tables import EDITS_UNDER_WAY as EDITS

    return {row.point: (row.machine, row.process) for row in connection.execute(EDITS.select())}


def _may_run(owner: tuple[str, int] | None, made_at_ms: int) -> bool:
    """Whether the process of an edit may still be at it; one of which nobody can say is given some time."""
    is_there = None
    if owner is not None and owner[0] == platform.node():
        process = owner[1]
        if process == os.getpid():
            return made_at_ms >= _LOADED_MS  # else it was another's, which had this id before
        is_there = is_running(process)
    return time() * 1000 - made_at_ms < _LONGEST_EDIT_MS if is_there is None else is_there


def _by_id(id_: int) -> Select[Any]:
    table = _table()
    return table.select().where(table.c.id == id_)


def _summary(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _SUMMARY}
    made_at = _EPOCH + timedelta(milliseconds=values.pop("made_at_ms"))
    return {**values, "made_at": made_at}


def _unpack(packed: bytes, id_: int) -> str:
    try:
        return unpack(packed)
    except ValueError as error:
        raise RestorePointError(
            msg("The text of restore point {id} is damaged.", id=id_), msg("Choose an older or a newer one.")
        ) from error


def _changed_lines(before: str, after: str) -> int:
    """Count a changed line once, not as one that went and one that came."""
    differences = hunks(split_lines(before), split_lines(after))
    return sum(max(hunk.end - hunk.first, hunk.new_end - hunk.new_first) for hunk in differences)


def _milliseconds(moment: datetime) -> int:
    return round((moment - _EPOCH).total_seconds() * 1000)
