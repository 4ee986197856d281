"""The index of words: SQLite's FTS5, fed with the words that ``core/words.py`` finds, so that both mean the same.

Its table is no migration: an SQLite without FTS5 opens the file too, leaves what it writes marked as not indexed, and
searches by reading. The rows are those of ``turns``, and one of number 0 for each title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidelight.core.words import Phrase, indexed

if TYPE_CHECKING:
    from sqlalchemy import Connection

# ascii: only folds A to Z and parts at ASCII's signs; the words come folded and parted. prefix: the beginning of one
# letter would otherwise be put together from a large part of the index.
_MAKE = "CREATE VIRTUAL TABLE {name} USING {module}(question, place, answer, tokenize = 'ascii', prefix = '1')"
# CROSS JOIN: what was met is gone through, not the conversations.
_LATEST = """
SELECT conversations.id, met.place
FROM (SELECT rowid >> 20 AS id, max(rowid) AS place FROM words WHERE words MATCH ? GROUP BY 1) AS met
CROSS JOIN conversations USING (id)
WHERE {conditions}
ORDER BY changed_at_us DESC, conversations.id DESC
LIMIT ?
"""


class WordIndex:
    """The index in one database. ``module`` is SQLite's for full-text search."""

    def __init__(self, module: str = "fts5") -> None:
        self._module = module
        self._is_possible: bool | None = None

    def can(self, connection: Connection) -> bool:
        """Whether this SQLite has full-text search."""
        from sqlalchemy.exc import OperationalError

        if self._is_possible is None:
            try:
                connection.exec_driver_sql(_MAKE.format(name="temp.words_tried", module=self._module))
                connection.exec_driver_sql("DROP TABLE temp.words_tried")
                self._is_possible = True
            except OperationalError as error:
                if "no such module" not in str(error.orig):
                    raise
                self._is_possible = False
        return self._is_possible

    def is_there(self, connection: Connection) -> bool:
        """Whether the file has an index, and this SQLite can use it."""
        return self.can(connection) and self._is_made(connection)

    def make(self, connection: Connection) -> bool:
        """Make the index where there is none; tells whether there is one now."""
        if not self.can(connection):
            return False
        if not self._is_made(connection):
            connection.exec_driver_sql(_MAKE.format(name="words", module=self._module))
        return True

    def put(self, connection: Connection, id_: int, question: str, place: str = "", answer: str = "") -> None:
        """Add a row, or replace it."""
        values = (id_, indexed(question), indexed(place), indexed(answer))
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO words (rowid, question, place, answer) VALUES (?, ?, ?, ?)", values
        )

    def latest_with_all(
        self, connection: Connection, looked_for: list[Phrase], folder: str | None, limit: int
    ) -> list[tuple[int, int]]:
        """Return conversations that have all phrases, the one last changed first, each with a row that has one."""
        conditions = ["conversations.id IN (SELECT rowid >> 20 FROM words WHERE words MATCH ?)"] * (len(looked_for) - 1)
        values: list[str | int] = [f'"{" ".join(phrase)}"*' for phrase in looked_for]
        if folder is not None:
            conditions.append("folder = ?")
            values.append(folder)
        query = _LATEST.format(conditions=" AND ".join(conditions) or "TRUE")
        return [(row[0], row[1]) for row in connection.exec_driver_sql(query, (*values, limit))]

    def forget_deleted(self, connection: Connection, *, entirely: bool) -> None:
        """Remove the rows of conversations that are gone; ``entirely``: also what merging would remove later."""
        if not self.is_there(connection):
            return
        connection.exec_driver_sql("DELETE FROM words WHERE rowid >> 20 NOT IN (SELECT id FROM conversations)")
        if entirely:
            connection.exec_driver_sql("INSERT INTO words (words) VALUES ('optimize')")

    def drop(self, connection: Connection) -> None:
        """Remove the index with all that is in it."""
        if self.is_there(connection):
            connection.exec_driver_sql("DROP TABLE words")

    def _is_made(self, connection: Connection) -> bool:
        made = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'words'")
        return made.first() is not None
