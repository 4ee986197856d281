"""What of a root is in a workspace, kept on disk: one small file for each workspace and root, private to the user.

A line of JSON is one fact; of one document, the last line counts. So each document costs one short line, and whoever
is killed loses at most the line being written. Opened for writing, the file is written anew without what no longer
counts. One process at a time works on a root (``alone``); the system lets go of the lock of a process that dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidelight.errors import SidelightError
from sidelight.messages import msg

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as it was brought there. ``old``: locations of what it replaces, to be removed after it is in."""

    digest: str
    location: str
    is_embedded: bool = False
    old: tuple[str, ...] = ()


@dataclass(slots=True)
class Ledger:
    """``asked``: the files and folders that the user added; ``without``: what was removed again of those folders."""

    path: Path
    about: dict[str, str]
    asked: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, address: str, workspace: str, root: Path) -> Ledger:
        """Read what is known; nothing, where there is no file yet. Raises ``SidelightError``."""
        about = {"address": address, "workspace": workspace, "root": os.path.normcase(root)}
        ledger = cls(folder / f"{_digest(*about.values())}.jsonl", about)
        try:
            lines = ledger.path.read_bytes().splitlines()
        except FileNotFoundError:
            return ledger
        except OSError as error:
            raise _unusable(ledger.path, error) from error
        for number, line in enumerate(lines):
            ledger._take(line, is_first=number == 0)
        return ledger

    def begin(self) -> None:
        """Write all of it anew, at once or not at all. Raises ``SidelightError``."""
        import tempfile

        head = {"version": _VERSION, **self.about, "asked": sorted(self.asked), "without": sorted(self.without)}
        facts = [head, *(_fact(name, entry) for name, entry in self.entries.items())]
        try:
            make_private(self.path.parent)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.writelines(map(_line, facts))
                    file.flush()
                    os.fsync(descriptor)
                os.replace(temporary, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise _unusable(self.path, error) from error

    def set(self, name: str, entry: Entry | None) -> None:
        """Keep what has become of a document; None forgets it. It is on disk then. Raises ``SidelightError``."""
        if entry is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = entry
        try:
            with open(self.path, "ab") as file:
                file.write(_line(_fact(name, entry)))
        except OSError as error:
            raise _unusable(self.path, error) from error

    def _take(self, line: bytes, *, is_first: bool) -> None:
        """Take in a fact; one that was cut off, or that nobody of ours wrote, counts for nothing."""
        try:
            fact = json.loads(line)
        except (ValueError, RecursionError):
            fact = None
        match fact:
            case {"version": int(version), "asked": list(asked), "without": list(without)} if is_first:
                if version != _VERSION:
                    raise _unusable(self.path, msg("it is of another version of Sidelight"))
                self.asked, self.without = set(map(str, asked)), set(map(str, without))
            case {"name": str(name), "digest": str(digest), "location": str(location), "embedded": bool(is_embedded)}:
                old = fact.get("old")
                entry = Entry(digest, location, is_embedded, tuple(map(str, old)) if isinstance(old, list) else ())
                self.entries[name] = entry
            case {"name": str(name), "gone": True}:
                self.entries.pop(name, None)
            case _ if is_first:
                raise _unusable(self.path, msg("it is damaged"))


@contextlib.contextmanager
def alone(folder: Path, root: Path) -> Iterator[None]:
    """Be the only process that works on a root. Raises ``SidelightError`` where another one does."""
    path = folder / f"{_digest(os.path.normcase(root))}.lock"
    try:
        make_private(folder)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        try:
            _lock(descriptor)
        except OSError:
            raise SidelightError(
                msg("Another process is just bringing {root} up to date.", root=str(root)),
                msg("Wait until it is done, or stop it, then try again."),
            ) from None
        yield
    finally:
        os.close(descriptor)  # which lets go of the lock, too


def _lock(descriptor: int) -> None:
    """Lock an open file. Raises OSError where somebody else has."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def make_private(folder: Path) -> None:
    """Make a folder that nobody else can look into. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _fact(name: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"name": name, "gone": True}
    known = {"digest": entry.digest, "location": entry.location, "embedded": entry.is_embedded}
    return {"name": name, **known, **({"old": list(entry.old)} if entry.old else {})}


def _line(fact: dict[str, Any]) -> bytes:
    return json.dumps(fact).encode("ascii") + b"\n"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _unusable(path: Path, reason: object) -> SidelightError:
    if isinstance(reason, OSError):
        reason = reason.strerror or str(reason)
    return SidelightError(
        msg("{path} cannot be used: {reason}", path=str(path), reason=reason),
        msg("Move that file away and add the files again: what is there already is recognised and not sent twice."),
    )
