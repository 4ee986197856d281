"""A document as a list of lines that is edited in place.

Lines end at LF, CRLF or CR, as LSP has it; form feed, U+0085 and U+2028 are characters like any other. The last line
never has a line end, so a document has at least one line. An edit costs O(what it touches), not O(document).
Places are (line, column) with columns in code points; ``Units`` converts columns counted in UTF-8 or UTF-16 units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

Units = Literal["utf-8", "utf-16", "utf-32"]

_LINE = re.compile(r"[^\r\n]+(?:\r\n|\r|\n)?|\r\n|\r|\n")


class Place(NamedTuple):
    """A line and a column in it, both from 0, the column in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` up to and without ``end``."""

    start: Place
    end: Place

    EMPTY: ClassVar[Range]

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies between start and end."""
        return self.start == self.end

    @property
    def end_line(self) -> int:
        """The line after the last line that the range touches; an end at column 0 does not touch its line."""
        if self.end.column == 0 and self.end.line > self.start.line:
            return self.end.line
        return self.end.line + 1


Range.EMPTY = Range(Place(0, 0), Place(0, 0))


def split_lines(text: str) -> list[str]:
    """Split into lines that keep their line ends; the last has none and may be empty."""
    lines: list[str] = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def lines_of(text: str) -> list[str]:
    """Split into lines with their line ends; after a final line end there is no line."""
    lines = split_lines(text)
    return lines if lines[-1] else lines[:-1]


def without_line_end(line: str) -> str:
    """Return the line without its LF, CRLF or CR."""
    return line.rstrip("\r\n")


def column_from_units(line: str, units: int, encoding: Units) -> int:
    """Return the column (code points) that lies ``units`` code units into the line.

    Past the end means the end; inside a character means after it.
    """
    content = without_line_end(line)
    if encoding == "utf-32" or content.isascii():
        return min(units, len(content))
    seen = 0
    for column, character in enumerate(content):
        if seen >= units:
            return column
        seen += _width(character, encoding)
    return len(content)


def units_from_column(line: str, column: int, encoding: Units) -> int:
    """Return how many code units lie before ``column`` (code points) of the line."""
    if encoding == "utf-32" or line.isascii():
        return column
    return sum(_width(character, encoding) for character in line[:column])


def _width(character: str, encoding: Units) -> int:
    if encoding == "utf-16":
        return 2 if character > "\uffff" else 1
    # A lone surrogate has no UTF-8 form; clients count the replacement character's three bytes.
    return len(character.encode("utf-8", "surrogatepass"))


class Text:
    """The text of one document."""

    def __init__(self, text: str = "") -> None:
        self._lines = split_lines(text)
        self._joined: str | None = text

    @property
    def lines(self) -> list[str]:
        """The lines with their line ends; not to be changed by the caller."""
        return self._lines

    def __str__(self) -> str:
        if self._joined is None:
            self._joined = "".join(self._lines)
        return self._joined

    @property
    def end(self) -> Place:
        """The place after the last character."""
        return Place(len(self._lines) - 1, len(self._lines[-1]))

    @property
    def line_end(self) -> str:
        """The line end of the first line that has one; LF in a document of one line."""
        first = self._lines[0]
        return first[len(without_line_end(first)) :] or "\n"

    def clamp(self, place: Place) -> Place:
        """Move a place that lies outside the text to the nearest place inside."""
        if place.line < 0:
            return Place(0, 0)
        if place.line >= len(self._lines):
            return self.end
        length = len(without_line_end(self._lines[place.line]))
        return Place(place.line, min(max(place.column, 0), length))

    def between(self, range_: Range) -> str:
        """Return the text of the range."""
        start, end = self.clamp(range_.start), self.clamp(range_.end)
        if start.line == end.line:
            return self._lines[start.line][start.column : end.column]
        middle = self._lines[start.line + 1 : end.line]
        return "".join([self._lines[start.line][start.column :], *middle, self._lines[end.line][: end.column]])

    def lines_in(self, range_: Range) -> list[str]:
        """Return the text of the range as lines with their line ends; after a final line end there is none."""
        start, end = self.clamp(range_.start), self.clamp(range_.end)
        lines = self._lines[start.line : end.line + 1]
        lines[-1] = lines[-1][: end.column]
        lines[0] = lines[0][start.column :]
        if not lines[-1]:
            lines.pop()
        return lines

    def replace(self, range_: Range, text: str) -> Range:
        """Put ``text`` in the place of the range; returns the range that was replaced, clamped and in order."""
        start, end = sorted((self.clamp(range_.start), self.clamp(range_.end)))
        lines, first = self._lines, start.line
        together = lines[first][: start.column] + text + lines[end.line][end.column :]
        if together.startswith("\n") and first and lines[first - 1].endswith("\r"):
            first -= 1  # the CR above and this LF are one line end now
            together = lines[first] + together
        lines[first : end.line + 1] = self._pieces(together, end.line)
        self._joined = None
        return Range(start, end)

    def _pieces(self, together: str, last: int) -> list[str]:
        pieces = split_lines(together)
        if last + 1 < len(self._lines) and not pieces[-1]:
            pieces.pop()  # the text went up to a line end: only the document's last line stands without one
        return pieces
