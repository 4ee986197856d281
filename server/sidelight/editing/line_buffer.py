"""Text that arrives in any cut, divided into lines."""

from __future__ import annotations

from io import StringIO

from sidelight.editing.text import split_lines


class LineBuffer:
    """Divides text, fed in any cut, into lines without their ends; a line over the limit is cut to one over it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = StringIO()
        self._size = 0
        self._ends_in_cr = False

    def feed(self, text: str) -> list[str]:
        """Return the lines that are complete. A CR counts at once; the LF that may follow it is passed over."""
        if self._ends_in_cr and text:
            text = text.removeprefix("\n")
            self._ends_in_cr = False
        if "\n" not in text and "\r" not in text:
            self._add(text)
            return []
        self._ends_in_cr = text.endswith("\r")
        pieces = split_lines(text)
        lines = []
        for piece in pieces[:-1]:
            self._add(piece.rstrip("\r\n"))
            lines.append(self._taken())
        self._add(pieces[-1])
        return lines

    def finish(self) -> list[str]:
        """Return the last line if it had no line end."""
        return [self._taken()] if self._size else []

    def _add(self, text: str) -> None:
        if self._size <= self._most:
            self._size += self._rest.write(text[: self._most + 1 - self._size])

    def _taken(self) -> str:
        if not self._size:
            return ""
        line = self._rest.getvalue()
        self._rest, self._size = StringIO(), 0
        return line
