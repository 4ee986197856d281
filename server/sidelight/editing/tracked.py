"""Ranges that move with every change of the document."""

from __future__ import annotations

from sidelight.editing.text import Place, Range, split_lines


class TrackedRange:
    """A range that follows its text while the user types around it.

    Text typed exactly at a border stays outside, or with ``grows`` becomes part of it. ``is_touched`` once something
    inside has changed.
    """

    def __init__(self, range_: Range, *, grows: bool = False) -> None:
        self.range = range_
        self.is_touched = False
        self._grows = grows

    def change(self, replaced: Range, text: str, new_end: Place | None = None) -> None:
        """Take note that ``replaced`` (as it was before) became ``text``, which ends at ``new_end`` now."""
        new_end = new_end or end_of(replaced.start, text)
        is_above = replaced.end.line < self.range.start.line
        if (is_above and new_end.line == replaced.end.line) or replaced.start.line > self.range.end.line:
            return  # nearly all of what is typed: as quick as can be
        if replaced.start > self.range.end:
            return
        start, end = self.range.start, self.range.end
        grows = self._grows and replaced.is_empty and start <= replaced.start <= end
        if replaced.end <= start and not grows:
            self.range = Range(_moved(start, replaced, new_end), _moved(end, replaced, new_end))
            return
        if replaced.start >= end and not grows:
            return
        self.is_touched = True
        start = min(start, replaced.start)
        end = _moved(end, replaced, new_end) if replaced.end <= end else new_end
        self.range = Range(start, end)


def _moved(place: Place, replaced: Range, new_end: Place) -> Place:
    """Return where a place at or after the end of ``replaced`` stands after that ends at ``new_end``."""
    if place.line == replaced.end.line:
        return Place(new_end.line, new_end.column + place.column - replaced.end.column)
    return Place(place.line + new_end.line - replaced.end.line, place.column)


def end_of(start: Place, text: str) -> Place:
    """Return the place after ``text``, which begins at ``start``."""
    lines = split_lines(text)
    if len(lines) == 1:
        return Place(start.line, start.column + len(text))
    return Place(start.line + len(lines) - 1, len(lines[-1]))
