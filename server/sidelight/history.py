"""Restore points in a terminal: which edits there were, the text from before one, and bringing it back.

Results go to stdout, notes to stderr. A file is written only with ``--apply``, and what it held is kept first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sidelight.core.ports import RestorePoint, RestorePoints, RestorePointSummary
from sidelight.editing.merge import merge_ended
from sidelight.editing.text import lines_of
from sidelight.errors import UsageError
from sidelight.files import read_text
from sidelight.messages import Translator, msg
from sidelight.terminal import DONE, Source, Terminal, Writer, key_of, name_in_diff, printable, unified_diff
from sidelight.uris import file_path

_BOM = "\ufeff"


def show_edits(points: RestorePoints, file: str | None, limit: int, terminal: Terminal) -> int:
    """List restore points, newest first: id, local time, task, file, and how much the edit changed."""
    found = points.latest(None, limit) if file is None else _of_file(points, Path(file), limit)
    for point in found:
        print("\t".join(_row(point, terminal.translate)))
    if not found:
        terminal.note(msg("There are no restore points."))
    return DONE


def show_text(points: RestorePoints, id_: int) -> int:
    """Print the text from before an edit, byte for byte where no terminal reads it."""
    text = _point(points, id_).before
    if sys.stdout.isatty():
        print(printable(text, sys.stdout), end="", flush=True)
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
        sys.stdout.buffer.flush()
    return DONE


def restore(points: RestorePoints, id_: int, terminal: Terminal, *, apply: bool) -> int:
    """Print what taking an edit back does to its file as a unified diff; with ``apply``, write the file."""
    point = _point(points, id_)
    source = _source(point)
    text, conflicts = restored(point, source.text)
    if point.after is None:
        terminal.note(msg("That edit never ended: the text from before it replaces the whole file."))
    if conflicts:
        terminal.note(
            msg("Places where the file was changed since, and where both texts stand now: {count}", count=conflicts)
        )
    if text == source.text:
        terminal.note(msg("{path} needs no change.", path=str(source.path)))
        return DONE
    diff = "".join(unified_diff(source.text, text, name_in_diff(source.path)))
    print(printable(diff, sys.stdout), end="", flush=True)
    if apply:
        Writer(points, "restore").write(source, text, terminal)
    return DONE


def clear(points: RestorePoints, terminal: Terminal) -> int:
    """Remove all restore points."""
    terminal.note(msg("Restore points removed: {count}", count=points.clear()))
    return DONE


def restored(point: RestorePoint, now: str) -> tuple[str, int]:
    """Return a file's text with an edit taken back, and in how many places later changes met it: both stand there.

    Byte order mark and line ends are the file's: editors leave the one out, and some show CRLF as LF.
    """
    mark = _BOM if now.startswith(_BOM) else ""
    mine = now.removeprefix(_BOM)
    before, after = (None if it is None else _as_in(mine, it.removeprefix(_BOM)) for it in (point.before, point.after))
    assert before is not None
    if after is None or after == mine:
        return mark + before, 0
    merged = merge_ended(lines_of(after), lines_of(mine), lines_of(before), _line_end(mine))
    text = "".join(merged.lines)
    return mark + (text if mine.endswith(("\n", "\r")) else text.rstrip("\r\n")), merged.conflicts


def _as_in(mine: str, text: str) -> str:
    """Return the text with the file's line ends, where both have one kind only and it is not the same."""
    return text.replace("\n", "\r\n") if _line_end(mine) == "\r\n" and "\r" not in text else text


def _line_end(text: str) -> str:
    """Return CRLF where a text has no other line ends, else LF."""
    pairs = text.count("\r\n")
    return "\r\n" if pairs and pairs == text.count("\n") == text.count("\r") else "\n"


def _point(points: RestorePoints, id_: int) -> RestorePoint:
    point = points.get(id_)
    if point is None:
        raise UsageError(
            msg("There is no restore point {id}.", id=id_), msg("sidelight history edits lists those there are.")
        )
    return point


def _source(point: RestorePoint) -> Source:
    path = file_path(point.uri)
    by_hand = msg("sidelight history show {id} prints the text from before the edit.", id=point.id)
    if path is None:
        raise UsageError(msg("{name} is not a file.", name=point.name), by_hand)
    if not path.exists():
        raise UsageError(msg("{path} is not there any more.", path=str(path)), by_hand)
    return Source(path, read_text(path))


def _of_file(points: RestorePoints, path: Path, limit: int) -> list[RestorePointSummary]:
    """Find by the path as it was written, else by where it leads to: editors name a file either way."""
    return points.latest(key_of(path), limit) or points.latest(key_of(Path(os.path.realpath(path))), limit)


def _row(point: RestorePointSummary, translate: Translator) -> list[str]:
    path = file_path(point.uri)
    changed = point.changed_lines
    return [
        str(point.id),
        point.made_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        point.task,
        _on_one_line(point.uri if path is None else str(path)),
        translate(msg("unfinished") if changed is None else msg("lines changed: {count}", count=changed)),
    ]


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
