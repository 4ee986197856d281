"""Which conversations are meant, said without SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Those of an id, of ids that begin so, or of a folder; all where nothing is said."""

    id: str | None = None
    beginning: str | None = None
    folder: str | None = None
