"""Where the text from before each edit is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sidelight.errors import SidelightError


class RestorePointError(SidelightError):
    """Restore points cannot be kept or read: the disk is full, the database is locked, the text is too large."""

    kind = "restore"


@dataclass(frozen=True, slots=True)
class RestorePointSummary:
    """A restore point without its texts, for lists.

    ``name`` is the document's for people. ``made_at`` is in UTC. ``changed_lines`` is None when the edit never ended,
    or has not ended yet: then it ``is_running``, in this process or in another.
    """

    id: int
    uri: str
    name: str
    task: str
    job: str
    made_at: datetime
    changed_lines: int | None
    is_running: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RestorePoint(RestorePointSummary):
    """The whole text of a document ``before`` an edit, and ``after`` it; None when the edit never ended."""

    before: str
    after: str | None


class RestorePoints(Protocol):
    """Where the text from before each edit is kept, so that it outlives the editor.

    Every method may be called from any thread, blocks (call it off the loop) and raises ``RestorePointError``.
    A document is known by one spelling of its URI, which the caller gives (``uris.document_key``).
    """

    def prepare(self) -> None:
        """Load what the first call would have to, so that it is quick; nothing is kept by this."""
        ...

    def add(self, uri: str, name: str, task: str, job: str, before: str) -> int:
        """Keep a text that is about to be edited; returns the point's id. What it returns outlives the process."""
        ...

    def finish(self, id_: int, after: str) -> None:
        """Add what the edit made of the text; without effect where the point is no longer kept."""
        ...

    def forget(self, id_: int) -> None:
        """Remove a point whose edit did not happen; without effect where it is no longer kept."""
        ...

    def latest(self, uri: str | None = None, limit: int = 50) -> list[RestorePointSummary]:
        """Return the latest points, of one document or of all, newest first."""
        ...

    def get(self, id_: int) -> RestorePoint | None:
        """Return a point with its texts; None when it is not kept, or no longer."""
        ...

    def clear(self) -> int:
        """Remove every point and return how many there were; nothing of their texts stays in the files."""
        ...

    def close(self) -> None:
        """Let go of the files; whatever is called later opens them again."""
        ...
