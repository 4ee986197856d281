"""A real HTTP server on loopback that plays any model server, from written or recorded bytes, and what reads it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sidelight.core.answers import Answer, AnswerEvent
from sidelight.core.context import Context
from sidelight.core.ports import Prompt, Provider, Request
from sidelight.core.stopping import Stop
from sidelight.errors import SidelightError
from sidelight.messages import translator
from sidelight.providers.http_stream import Decoder
from support.anythingllm import (
    STREAM_END,
    AnythingLLMServer,
    Pause,
    Script,
    Seen,
    chunk,
    json_reply,
    one_byte_at_a_time,
    random_cuts,
    reply,
)

__all__ = ["STREAM_END", "Pause", "Script", "Seen", "chunk", "json_reply", "one_byte_at_a_time", "random_cuts", "reply"]

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "model-servers"
KEY = "sk-sample-of-no-account"
HTML = reply(b"<!DOCTYPE html><title>Hello</title>", "text/html; charset=utf-8")
NOT_FOUND = reply(b"404 page not found", "text/plain", "404 Not Found")

Response = bytes | Callable[[], Script]  # fmt: skip


class Vendor(AnythingLLMServer):
    """Answers by ``routes``: from method and path to a whole answer, or to what makes a script for each question."""

    def __init__(self) -> None:
        self.routes: dict[str, Response] = {}
        super().__init__()

    def usual(self, seen: Seen) -> bytes | Script:
        response = self.routes.get(f"{seen.method} {seen.path}", NOT_FOUND)
        return response if isinstance(response, bytes) else response()

    def close(self) -> None:
        """Stop listening, and end every connection; the threads close them."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()
        super().close()

    def asked(self, path: str) -> list[Seen]:
        """Return the requests to a path, in their order."""
        return [seen for seen in self.seen if seen.path == path]


def capture(name: str) -> bytes:
    """Return a recorded answer, headers and all."""
    return (CAPTURES / f"{name}.raw").read_bytes()


def body_of(raw: bytes) -> bytes:
    """Return the body of a recorded answer without its chunking."""
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return body
    parts = []
    while (match := re.match(rb"([0-9a-fA-F]+)\r\n", body)) and (size := int(match[1], 16)):
        parts.append(body[match.end() : match.end() + size])
        body = body[match.end() + size + 2 :]
    return b"".join(parts)


def head(content_type: str = "text/event-stream", *, is_chunked: bool = True) -> bytes:
    """Return the head of a streamed answer; without chunks, its end is the end of the connection."""
    how = "Transfer-Encoding: chunked" if is_chunked else "Connection: close"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{how}\r\n\r\n".encode()


def streamed(pieces: Iterable[bytes], content_type: str = "text/event-stream") -> bytes:
    """Return a whole streamed answer, one chunk a piece."""
    return b"".join([head(content_type), *map(chunk, pieces), STREAM_END])


def request(user: str = "What is it?", **more: Any) -> Request:
    """Return a question."""
    return Request("ask", Prompt("Be brief.", user), Context(), "conversation-1", **more)


def ask(provider: Provider, question: Request | None = None, stop: Stop | None = None) -> Answer:
    """Return the whole answer."""
    return folded(provider.stream(question or request(), stop or Stop()))


def folded(events: Iterable[AnswerEvent]) -> Answer:
    """Take in all events."""
    answer = Answer()
    for event in events:
        answer.add(event)
    return answer


def decoded(decoder: Decoder, pieces: Iterable[Any]) -> list[AnswerEvent]:
    """Return all that a decoder makes of a body that comes in these pieces."""
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


def outcome(answer: Answer) -> tuple[str, str, str, str]:
    """Return text, reasoning, how it finished, and the kind of its error."""
    finished = answer.finished
    assert finished is not None
    return answer.text, answer.reasoning, finished.finish, finished.error.kind if finished.error else ""


def shown(error: SidelightError | None) -> str:
    """Return an error with its hint, which it must have, after it was written in every language; no key is in it."""
    assert error is not None
    assert error.hint is not None, str(error)
    for language in ("en", "zh-cn"):
        write = translator(language)
        text = write(error.message) + write(error.hint)
        assert KEY not in text
        assert KEY[:12] not in text
    return str(error)


def eventually(condition: Callable[[], object], seconds: float = 2.0) -> bool:
    """Wait until a condition holds; tells whether it came to that."""
    until = monotonic() + seconds
    while not condition():
        if monotonic() > until:
            return False
        sleep(0.002)
    return True


def sockets() -> int:
    """Return how many sockets this process holds; 0 where nobody tells."""
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return 0
    return sum(_is_socket(name) for name in names)


def _is_socket(name: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    except OSError:
        return False


class Hanging:
    """An answer that says something and then no more; ``reached`` is set when it has come so far."""

    def __init__(self, beginning: bytes) -> None:
        self.reached = threading.Event()
        self._beginning = beginning

    def __call__(self) -> Script:
        if self._beginning:
            yield self._beginning
        self.reached.set()
        yield Pause(30)


def json_frame(data: Any) -> bytes:
    """Return one server-sent event of JSON."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def lines(*values: Any) -> Iterator[bytes]:
    """Yield one line of JSON a value."""
    for value in values:
        yield json.dumps(value).encode() + b"\n"
