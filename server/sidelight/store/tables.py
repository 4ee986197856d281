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
