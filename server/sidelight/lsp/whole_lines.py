"""Places of whole lines, without the last one's line end: where they are, what stands there, and where they are now."""

from __future__ import annotations

from collections.abc import Sequence

from sidelight.editing.line_diff import Hunk
from sidelight.editing.text import Place, Range, without_line_end
from sidelight.lsp.documents import Document


def stripped(lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines without indentation and line ends: what a finding is about."""
    return tuple(line.strip() for line in lines)


def lines_in(document: Document, place: Range) -> list[str]:
    """Return the whole lines that a place touches."""
    return document.text.lines[place.start.line : place.end.line + 1]


def whole_lines(document: Document, first: int, end: int) -> Range:
    """Return the lines ``first`` up to ``end``, without the last one's line end."""
    last = min(max(end, first + 1), len(document.text.lines)) - 1
    first = min(first, last)
    return Range(Place(first, 0), Place(last, len(without_line_end(document.text.lines[last]))))


def visible(document: Document, place: Range) -> Range:
    """Return the place without the indentation of its first line."""
    line = without_line_end(document.text.lines[place.start.line])
    column = len(line) - len(line.lstrip())
    start = Place(place.start.line, column if column < len(line) else 0)
    return Range(start, max(start, place.end))


def lines_now(place: Range, changes: Sequence[Hunk], document: Document) -> Range | None:
    """Return where lines of the snapshot are in the document now; None where they have changed."""
    first, end = place.start.line, place.end.line + 1
    by = 0
    for hunk in changes:
        if hunk.end <= first:
            by += (hunk.new_end - hunk.new_first) - (hunk.end - hunk.first)
        elif hunk.first < end:
            return None
    return whole_lines(document, first + by, end + by)


def touch(one: Range, other: Range) -> bool:
    """Whether two places have a line in common."""
    return one.start.line <= other.end.line and other.start.line <= one.end.line
