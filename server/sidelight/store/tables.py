"""The tables as the code addresses them; ``migrations.py`` makes them. Importing this imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

RESTORE_POINTS = Table(
    "restore_points",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("made_at_ms", Integer, nullable=False),
    Column("changed_lines", Integer),
    Column("size", Integer, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("after", LargeBinary),
    sqlite_autoincrement=True,
)

EDITS_UNDER_WAY = Table(
    "edits_under_way",
    METADATA,
    Column("point", Integer, primary_key=True, autoincrement=False),
    Column("machine", Text, nullable=False),
    Column("process", Integer, nullable=False),
)

CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("is_indexed", Integer, nullable=False),
    Column("began_at_us", Integer, nullable=False),
    Column("changed_at_us", Integer, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    sqlite_autoincrement=True,
)

TURNS = Table(
    "turns",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("began_at_us", Integer, nullable=False),
    Column("task", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("finish", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("first_text_ms", Integer),
    Column("duration_ms", Integer),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("is_indexed", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("instruction", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("reasoning", LargeBinary, nullable=False),
    Column("notes", LargeBinary, nullable=False),
    Column("sent", LargeBinary, nullable=False),
    Column("about", Text, nullable=False),
    Column("sent_to", Text, nullable=False),
    Column("parts", LargeBinary),
    Column("warnings", LargeBinary),
)

SOURCES = Table(
    "sources",
    METADATA,
    Column("turn", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),
)
