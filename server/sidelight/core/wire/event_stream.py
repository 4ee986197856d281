"""Server-sent events, by the WHATWG algorithm (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6).

Rules: lines end at CR, LF or CRLF; bytes are UTF-8, with one leading BOM dropped; a line that starts with a colon is a
comment; ``data`` lines of one event are joined by LF; a blank line dispatches; an event without data is dropped.
One stated departure: at the end of the body a last event whose data is complete JSON is dispatched although its blank
line is missing, because servers that die politely leave it so.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

MAX_LINE_BYTES = 16 << 20

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class LineTooLong(Exception):
    """A line of the stream is longer than ``MAX_LINE_BYTES``; what follows cannot be trusted."""


class ServerEvent(NamedTuple):
    """One dispatched event; ``type`` is ``message`` unless the stream said otherwise."""

    data: str
    type: str = "message"
    id: str = ""


class EventStreamDecoder:
    """Turns the bytes of a ``text/event-stream`` body, cut anywhere, into events.

    ``retry_ms`` is the reconnection time that the stream asked for, if it did.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the beginning of a line whose end has not come
        self._held = 0
        self._is_first_line = True
        self._after_cr = False
        self._data: list[str] = []
        self._type = ""
        self._id = ""
        self.retry_ms: int | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take bytes; return the events that they complete. Raises ``LineTooLong``."""
        if not chunk:
            return []
        events: list[ServerEvent] = []
        begin = 1 if self._after_cr and chunk.startswith(b"\n") else 0
        self._after_cr = chunk.endswith(b"\r")
        for end in _LINE_END.finditer(chunk, begin):
            self._line(self._complete(chunk[begin : end.start()]), events)
            begin = end.end()
        self._hold(chunk[begin:])
        return events

    def finish(self) -> list[ServerEvent]:
        """Say that the body has ended; returns the last event if only its blank line was missing."""
        events: list[ServerEvent] = []
        if last := self._complete(b""):
            self._line(last, events)
        if self._data and _is_json("\n".join(self._data)):
            self._dispatch(events)
        return events

    def _complete(self, end: bytes) -> bytes:
        if not self._parts:
            return end
        line = b"".join([*self._parts, end])
        self._parts, self._held = [], 0
        return line

    def _hold(self, rest: bytes) -> None:
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
            if self._held > MAX_LINE_BYTES:
                raise LineTooLong

    def _line(self, line: bytes, events: list[ServerEvent]) -> None:
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BOM)
        if line.startswith(b"data: "):  # nearly every line of every stream
            self._data.append(line[6:].decode("utf-8", "replace"))
            return
        if not line:
            if self._data:
                self._dispatch(events)
            self._type = ""
            return
        if len(line) > MAX_LINE_BYTES:
            raise LineTooLong
        name, _, raw = line.partition(b":")
        self._field(name, raw.removeprefix(b" ").decode("utf-8", "replace"))

    def _field(self, name: bytes, value: str) -> None:
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value
        elif name == b"id" and "\0" not in value:
            self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)

    def _dispatch(self, events: list[ServerEvent]) -> None:
        data = self._data[0] if len(self._data) == 1 else "\n".join(self._data)
        events.append(ServerEvent(data, self._type or "message", self._id))
        self._data = []
        self._type = ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
