"""Newline-delimited JSON: one value a line; lines end at LF only, since JSON text may hold any other line end raw."""

from __future__ import annotations

from sidelight.core.wire.event_stream import MAX_LINE_BYTES, LineTooLong


class NdjsonDecoder:
    """Turns the bytes of an ``application/x-ndjson`` body, cut anywhere, into lines of JSON text."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Take bytes; return the lines that they complete, blank ones left out. Raises ``LineTooLong``."""
        *complete, rest = chunk.split(b"\n")
        if complete:
            complete[0] = b"".join([*self._parts, complete[0]])
            self._parts, self._held = [], 0
        self._parts.append(rest)
        self._held += len(rest)
        if self._held > MAX_LINE_BYTES or any(len(line) > MAX_LINE_BYTES for line in complete):
            raise LineTooLong
        return [text for line in complete if (text := _text(line))]

    def finish(self) -> list[str]:
        """Say that the body has ended; returns the last line if it has no line end."""
        line, self._parts, self._held = b"".join(self._parts), [], 0
        return [text] if (text := _text(line)) else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r").strip(" \t")
