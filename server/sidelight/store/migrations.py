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
    (
        # A turn's id is its conversation's and its number in one (``turn_ids.py``), so that the turns of a
        # conversation lie together, no number is there twice, and the index of words, whose rows have the same ids,
        # tells a conversation without a look at its turns. The index itself is made by ``word_index.py``, where SQLite
        # has what it takes; ``is_indexed`` is 0 where it has not.
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            folder TEXT NOT NULL,
            title TEXT NOT NULL,
            is_indexed INTEGER NOT NULL,
            began_at_us INTEGER NOT NULL,
            changed_at_us INTEGER NOT NULL,
            turns INTEGER NOT NULL,
            size INTEGER NOT NULL
        )
        """,
        "CREATE INDEX conversations_by_change ON conversations (changed_at_us, size)",
        "CREATE INDEX conversations_of_folder ON conversations (folder, changed_at_us)",
        "CREATE INDEX conversations_not_indexed ON conversations (id) WHERE is_indexed = 0",
        """
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            began_at_us INTEGER NOT NULL,
            task TEXT NOT NULL,
            place TEXT NOT NULL,
            finish TEXT NOT NULL,
            error TEXT NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            first_text_ms INTEGER,
            duration_ms INTEGER,
            prompt_tokens INTEGER,
            completion_tokens INTEGER,
            is_indexed INTEGER NOT NULL,
            size INTEGER NOT NULL,
            instruction BLOB NOT NULL,
            answer BLOB NOT NULL,
            reasoning BLOB NOT NULL,
            notes BLOB NOT NULL,
            sent BLOB NOT NULL
        )
        """,
        "CREATE INDEX turns_not_indexed ON turns (id) WHERE is_indexed = 0",
        """
        CREATE TABLE sources (
            turn INTEGER NOT NULL,
            position INTEGER NOT NULL,
            title TEXT NOT NULL,
            uri TEXT NOT NULL,
            text BLOB NOT NULL,
            PRIMARY KEY (turn, position)
        )
        """,
    ),
    (
        # Edits under way, by their restore points, and whose they are: a row that is left over tells of an edit that
        # its process did not live to end. Not a column of theirs, which would stand behind the texts.
        """
        CREATE TABLE edits_under_way (
            point INTEGER PRIMARY KEY,
            machine TEXT NOT NULL,
            process INTEGER NOT NULL
        )
        """,
    ),
    (
        # Behind the texts, but read with them alone: an explanation is found by the index. ``parts`` is NULL where
        # nobody wrote down what was sent.
        "ALTER TABLE turns ADD COLUMN about TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE turns ADD COLUMN sent_to TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE turns ADD COLUMN parts BLOB",
        "CREATE INDEX turns_about ON turns (about, began_at_us) WHERE about <> ''",
    ),
    (
        # Those of the notes that are warnings; NULL where there is none, or nobody wrote down which.
        "ALTER TABLE turns ADD COLUMN warnings BLOB",
    ),
)
