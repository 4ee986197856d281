"""Marks: whose each line of a document is that an edit is writing.

A mark is the number of an old line that nobody has touched (0 and up), or one of those below.
"""

from __future__ import annotations

OURS = -1
USERS = -2
USERS_VERSION = -3  # of old line n: USERS_VERSION - n


def old_line(mark: int) -> int | None:
    """Return the number of the old line that a line is, or is the user's version of."""
    if mark >= 0:
        return mark
    return USERS_VERSION - mark if mark <= USERS_VERSION else None
