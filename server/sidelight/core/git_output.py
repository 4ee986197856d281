"""What git writes about changes, read into values. Pure; ``git.py`` runs git."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from sidelight.core.changes import ChangedFile, State

_STATES: dict[str, State] = {
    "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "U": "unmerged", "M": "changed", "T": "changed",
}  # fmt: skip
_HEADER = "diff --git "
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"t": 9, b"n": 10, b"r": 13, b"a": 7, b"b": 8, b"f": 12, b"v": 11}


def read_files(text: str) -> list[ChangedFile]:
    """Read ``git diff --raw --numstat -z``: all files of the first, with the line counts of the second."""
    fields = text.split("\0")
    found: dict[str, ChangedFile] = {}
    counts: dict[str, tuple[int | None, int | None]] = {}
    at = 0
    while at < len(fields) - 1:
        head = fields[at]
        if head.startswith(":"):
            state = _STATES.get(head.split(" ")[4][:1], "changed")
            has_two = state in ("renamed", "copied")
            path, before = fields[at + 1 + has_two], fields[at + 1] if has_two else ""
            found[path] = ChangedFile(path, state, None, None, before=before)
            at += 2 + has_two
            continue
        added, removed, path = head.split("\t", 2)
        if not path:  # renamed: both names follow
            path, at = fields[at + 2], at + 2
        counts[path] = (_count(added), _count(removed))
        at += 1
    return [
        ChangedFile(one.path, one.state, *counts.get(one.path, (None, None)), before=one.before)
        for one in found.values()
    ]


def _count(number: str) -> int | None:
    return int(number) if number.isdigit() else None


def patches_of(text: str) -> dict[str, str]:
    """Cut a diff into those of its files: path -> patch. A file that became another kind has two, one after another."""
    patches: dict[str, str] = {}
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if line.startswith(_HEADER)]
    for first, end in pairwise([*starts, len(lines)]):
        path = _path(lines[first:end])
        patch = "\n".join(lines[first:end]).rstrip("\n") + "\n"
        patches[path] = patches.get(path, "") + patch
    return patches


def _path(lines: Sequence[str]) -> str:
    """Return the path that a file's patch is about: what it is called now, or was."""
    for line in lines[1:]:
        if line.startswith("@@"):
            break
        if line.startswith(("rename to ", "copy to ")):
            return _unquoted(line.partition(" to ")[2])
    names = lines[0][len(_HEADER) :]
    if names.endswith('"') and ' "b/' in names:
        return _unquoted(names[names.index(' "b/') + 1 :]).removeprefix("b/")
    return names[len(names) // 2 + 1 :].removeprefix("b/")  # the same name twice


def _unquoted(name: str) -> str:
    """Return a name as it is, from what git makes of one with quotes, control characters or letters beyond ASCII."""
    if not name.startswith('"'):
        return name
    # What is escaped are bytes: a diff that comes through a pipe has core.quotePath as git sets it.
    written = name[1:-1].encode("utf-8", "surrogatepass")
    return _ESCAPE.sub(lambda found: bytes([_code(found[1])]), written).decode("utf-8", "replace")


def _code(escaped: bytes) -> int:
    return int(escaped, 8) & 0xFF if len(escaped) > 1 else _ESCAPED.get(escaped, escaped[0])
