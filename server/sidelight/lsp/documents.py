"""The documents that the client has open, and where their files are.

One document has one key, however a client spells its URI: ``file:///c%3A/x`` and ``file:///C:/x`` are the same.
What is sent back to the client is the URI as the client wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from lsprotocol import types

from sidelight.editing.line_diff import hunks
from sidelight.editing.text import Place, Range, Text, Units, column_from_units, split_lines, units_from_column
from sidelight.editing.tracked import TrackedRange, end_of
from sidelight.errors import UsageError
from sidelight.files import language_of, read_text
from sidelight.messages import msg
from sidelight.uris import document_key, file_path, file_uri, name_of

__all__ = ["Document", "Documents", "document_key", "file_path", "file_uri", "name_of"]


class Document:
    """One open document: its text now, its version, and the ranges that follow its changes."""

    def __init__(self, uri: str, language_id: str, version: int | None, text: str, encoding: Units) -> None:
        self.uri = uri
        self.key = document_key(uri)
        self.language_id = language_id
        self.version = version
        self.text = Text(text)
        self.is_open = True
        self.is_changing = False
        self.edits = asyncio.Lock()  # held while an edit of ours is under way
        self._encoding = encoding
        self._tracked: list[TrackedRange] = []

    @property
    def name(self) -> str:
        """The file's name."""
        return name_of(self.uri)

    def place(self, position: types.Position) -> Place:
        """Return a position of the client's as a place; outside the text, the nearest one inside."""
        lines = self.text.lines
        if position.line >= len(lines):
            return self.text.end
        return Place(position.line, column_from_units(lines[position.line], position.character, self._encoding))

    def range(self, range_: types.Range) -> Range:
        """Return a range of the client's, its ends in order."""
        start, end = sorted((self.place(range_.start), self.place(range_.end)))
        return Range(start, end)

    def lsp_range(self, range_: Range) -> dict[str, Any]:
        """Return a range as the client counts."""
        return {"start": self._position(range_.start), "end": self._position(range_.end)}

    def _position(self, place: Place) -> dict[str, int]:
        units = units_from_column(self.text.lines[place.line], place.column, self._encoding)
        return {"line": place.line, "character": units}

    def track(self, range_: Range, *, grows: bool = False) -> TrackedRange:
        """Return a range that follows its text from now on, until ``untrack``."""
        tracked = TrackedRange(range_, grows=grows)
        self._tracked.append(tracked)
        return tracked

    def untrack(self, tracked: TrackedRange) -> None:
        """Let a tracked range go; one that has gone already is no matter."""
        self._tracked = [other for other in self._tracked if other is not tracked]

    def follows(self, tracked: TrackedRange) -> bool:
        """Whether a tracked range follows this text still."""
        return any(other is tracked for other in self._tracked)

    def change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Apply one change of a ``didChange``."""
        whole = Range(Place(0, 0), self.text.end)
        place = self.range(change.range) if isinstance(change, types.TextDocumentContentChangePartial) else whole
        if place.start.line == place.end.line:
            return self._replace(place, change.text)
        # A client that sends many lines, or the whole text, has not touched them all: some send one change from the
        # first difference to the last, with an edit of ours and what the user typed in it. Ranges follow the lines.
        first, end = place.start.line, place.end.line + 1
        old = self.text.lines[first:end]
        new = split_lines(old[0][: place.start.column] + change.text + old[-1][place.end.column :])
        if end < len(self.text.lines) and not new[-1]:
            new.pop()
        found = hunks(old, new)
        if len(found) == 1 and found[0].first == 0 and found[0].end == len(old):
            return self._replace(place, change.text)
        for hunk in reversed(found):
            text = "".join(new[hunk.new_first : hunk.new_end])
            self._replace(Range(Place(first + hunk.first, 0), self._start_of(first + hunk.end)), text)

    def _start_of(self, line: int) -> Place:
        return Place(line, 0) if line < len(self.text.lines) else self.text.end

    def _replace(self, range_: Range, text: str) -> None:
        replaced = self.text.replace(range_, text)
        new_end = end_of(replaced.start, text)
        for tracked in self._tracked:
            tracked.change(replaced, text, new_end)


class Documents:
    """All open documents, by key."""

    def __init__(self) -> None:
        self.encoding: Units = "utf-16"
        self._open: dict[str, Document] = {}
        self._listeners: list[Callable[[Document], None]] = []
        self._openings: list[Callable[[Document], None]] = []

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._open.values()))

    def listen(self, listener: Callable[[Document], None]) -> Callable[[], None]:
        """Call ``listener`` after every change and close; returns what ends that.

        While ``Document.is_changing``, more changes of the same ``didChange`` follow.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def listen_to_openings(self, listener: Callable[[Document], None]) -> None:
        """Call ``listener`` with every document that is opened from now on."""
        self._openings.append(listener)

    def opened(self, uri: str) -> Document | None:
        """Return the open document of that URI, or None."""
        return self._open.get(document_key(uri))

    def open(self, item: types.TextDocumentItem) -> Document:
        """Take a document in; one that is open already begins anew."""
        if old := self._open.get(document_key(item.uri)):
            self._close(old)
        document = Document(item.uri, str(item.language_id), item.version, item.text, self.encoding)
        self._open[document.key] = document
        for listener in self._openings:
            listener(document)
        return document

    def change(
        self, identifier: types.VersionedTextDocumentIdentifier, changes: list[types.TextDocumentContentChangeEvent]
    ) -> None:
        """Apply a ``didChange``; one for a document that was never opened has nothing to change."""
        document = self.opened(identifier.uri)
        if document is None:
            return
        document.version = identifier.version
        for number, change in enumerate(changes, 1):
            document.change(change)
            document.is_changing = number < len(changes)
            self._tell(document)

    def close(self, uri: str) -> None:
        """Forget a document."""
        if document := self._open.pop(document_key(uri), None):
            self._close(document)

    def _close(self, document: Document) -> None:
        document.is_open = False
        self._tell(document)

    def _tell(self, document: Document) -> None:
        for listener in list(self._listeners):
            listener(document)

    def read(self, uri: str) -> Document:
        """Return the open document, else its file as it is on disk, without a version. Raises ``UsageError``."""
        if document := self.opened(uri):
            return document
        path = file_path(uri)
        if path is None:
            raise UsageError(
                msg("{uri} is not open in the editor.", uri=uri), msg("Open it, then try again.")
            )  # fmt: skip
        document = Document(uri, language_of(path), None, read_text(path), self.encoding)
        document.is_open = False
        return document
