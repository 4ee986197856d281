"""What goes wrong with the database, in the words of those who use it.

SQLite, SQLAlchemy, the disk or a missing package may say so. Both packages are imported when they have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sidelight.errors import SidelightError
from sidelight.messages import Message, msg

# What SQLite says, by which its errors are told apart.
BROKEN = ("file is not a database", "malformed", "file is encrypted")
BUSY = ("database is locked", "database table is locked", "database is busy")
_FULL = ("database or disk is full",)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What somebody keeps in the file: the error that tells of trouble, and the setting that does without it."""

    error: type[SidelightError]
    things: Message
    setting: str

    def hint(self, first: Message) -> Message:
        """Return a hint that ends with the way to do without."""
        return msg(
            "{first}, or set {setting}=0 to keep no {things}.", first=first, setting=self.setting, things=self.things
        )


@contextlib.contextmanager
def told(path: Path, purpose: Purpose) -> Iterator[None]:
    """Turn what goes wrong below into the error of those who use the file."""
    try:
        yield
    except ImportError as error:
        raise purpose.error(
            msg("To keep {things} takes the package {name}.", things=purpose.things, name=error.name or "sqlalchemy"),
            purpose.hint(msg("Install it (python -m pip install sqlalchemy)")),
        ) from error
    except OSError as error:
        raise _unusable(path, purpose, error.strerror or str(error)) from error
    except Exception as error:
        if (reason := _database_error(error)) is None:
            raise
        raise _store_error(path, purpose, reason) from error


def _database_error(error: Exception) -> str | None:
    """Return what SQLite or SQLAlchemy says; None for errors that are not theirs."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    if isinstance(error, DBAPIError):  # str() of this one would quote the statement with its values: the user's text
        return str(error.orig)
    return str(error) if isinstance(error, (sqlite3.Error, SQLAlchemyError)) else None


def says(error: Exception, signs: tuple[str, ...]) -> bool:
    """Whether SQLite means one of these; Python 3.10 does not tell its error codes."""
    reason = _database_error(error)
    return reason is not None and any(sign in reason for sign in signs)


def _store_error(path: Path, purpose: Purpose, reason: str) -> SidelightError:
    if any(sign in reason for sign in BUSY):
        return busy(path, purpose)
    if any(sign in reason for sign in _FULL):
        return purpose.error(
            msg("There is no room on the disk for {path}.", path=str(path)), purpose.hint(msg("Make room"))
        )
    return _unusable(path, purpose, reason)


def busy(path: Path, purpose: Purpose) -> SidelightError:
    """Say that another program does not let go of the file."""
    return purpose.error(
        msg("{path} has been in use by another program for too long.", path=str(path)),
        msg("Try again; if it stays so, close other programs that have the file open."),
    )


def _unusable(path: Path, purpose: Purpose, reason: str) -> SidelightError:
    return purpose.error(
        msg("{path} cannot be used: {reason}", path=str(path), reason=reason),
        purpose.hint(msg("Check that its folder can be written")),
    )
