"""The database's history: the n-th entry leads from version n - 1 to version n (``PRAGMA user_version``).

What has been released is never changed; what comes later is added at the end, and to the tables in ``tables.py``.
"""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT: users type ids, and an id that came back would restore another text. Texts stand last,
        # because lists and sums read what stands before them without touching their pages.
        """
        CREATE TABLE restore_points (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uri TEXT NOT NULL,
            name TEXT NOT NULL,
            task TEXT NOT NULL,
            job TEXT NOT NULL,
            made_at_ms INTEGER NOT NULL,
            changed_lines INTEGER,
            size INTEGER NOT NULL,
            before BLOB NOT NULL,
            after BLOB
        )
        """,
        "CREATE INDEX restore_points_of_document ON restore_points (uri, id)",
        "CREATE INDEX restore_points_sizes ON restore_points (size)",
    ),
)
