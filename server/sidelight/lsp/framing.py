"""Bytes to JSON-RPC messages, and back (LSP 3.18, base protocol). Pure: fed with any cut, it never reads or writes.

Forgiving where nothing is lost by it: header names in any case and order, LF for CRLF. Bad framing never makes it
deaf: it skips to the next ``Content-Length`` header, which cannot occur inside a JSON text, since JSON strings hold no
raw line ends. A message over the limit is skipped in the same way, without being kept.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_HEADER_BYTES = 8192

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NEXT_HEADER = re.compile(rb"content-length[ \t]*:[ \t]*[0-9]{1,15}[ \t]*\r?\n", re.IGNORECASE)
# A header that is cut at the end of what has come must stay in the buffer while skipping.
_LONGEST_HEADER_LINE = 64


@dataclass(frozen=True, slots=True)
class Received:
    """One JSON value from the client; whether it is a request is for the reader to see."""

    value: Any


@dataclass(frozen=True, slots=True)
class NotJson:
    """A body that is not JSON in UTF-8."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A message that announced more bytes than the limit allows."""

    announced: int


@dataclass(frozen=True, slots=True)
class BadFraming:
    """Bytes that are no message; they were skipped up to the next header."""


Incoming = Received | NotJson | TooLarge | BadFraming


class MessageDecoder:
    """Splits a stream into messages of at most ``limit_bytes`` each."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._buffer = bytearray()
        self._length: int | None = None  # of the body that is awaited; None while in headers
        self._is_skipping = False

    def set_limit(self, limit_bytes: int) -> None:
        """Take messages of this size from now on."""
        self._limit = limit_bytes

    def feed(self, chunk: bytes) -> list[Incoming]:
        """Take bytes; return what they complete."""
        self._buffer += chunk
        incoming: list[Incoming] = []
        while self._step(incoming):
            pass
        return incoming

    def _step(self, incoming: list[Incoming]) -> bool:
        """Go on by one header block or body; false when more bytes are needed."""
        if self._is_skipping and not self._skip():
            return False
        if self._length is None:
            return self._headers(incoming)
        if len(self._buffer) < self._length:
            return False
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length = None
        incoming.append(self._parsed(body))
        return True

    def _headers(self, incoming: list[Incoming]) -> bool:
        end = _BLANK_LINE.search(self._buffer)
        if end is None:
            if len(self._buffer) <= MAX_HEADER_BYTES:
                return False
            return self._lose_track(incoming)
        length = _content_length(bytes(self._buffer[: end.start()]))
        if length is None:
            return self._lose_track(incoming)
        del self._buffer[: end.end()]
        if length > self._limit:
            incoming.append(TooLarge(length))
            self._is_skipping = True
        else:
            self._length = length
        return True

    def _lose_track(self, incoming: list[Incoming]) -> bool:
        """Skip what stands at the front, at least one byte of it, to the next header."""
        incoming.append(BadFraming())
        del self._buffer[:1]
        self._is_skipping = True
        return True

    def _skip(self) -> bool:
        """Drop bytes up to the next header; false when none has come yet."""
        header = _NEXT_HEADER.search(self._buffer)
        if header is None:
            del self._buffer[:-_LONGEST_HEADER_LINE]
            return False
        del self._buffer[: header.start()]
        self._is_skipping = False
        return True

    def _parsed(self, body: bytes) -> Incoming:
        try:
            return Received(_json(body))
        except (ValueError, RecursionError):
            pass
        # A length that was too long has swallowed the next header: give that back.
        if header := _NEXT_HEADER.search(body):
            self._buffer[:0] = body[header.start() :]
            try:
                return Received(_json(body[: header.start()]))
            except (ValueError, RecursionError):
                pass
        return NotJson()


def _json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8"))


def _content_length(block: bytes) -> int | None:
    """Return the length that a header block announces; None when the block is not one."""
    length: int | None = None
    for line in block.splitlines():
        name, colon, value = line.partition(b":")
        if not colon:
            return None
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit():
                return None
            length = int(value) if len(value) < 32 else 1 << 62
    return length


def encode_message(message: Any) -> bytes:
    """Return the frame of one message. Everything outside ASCII is escaped, so lone surrogates do no harm."""
    return frame(json.dumps(message, separators=(",", ":")).encode("ascii"))


def frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
