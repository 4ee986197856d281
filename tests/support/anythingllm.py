"""A real HTTP server on loopback that plays AnythingLLM from recorded bytes, with faults that a test chooses."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "anythingllm"
KEY = "SAMPLE1-TEST001-ANYTHNG-LLM0001"

Script = Iterator["bytes | Pause | str"]


@dataclass(frozen=True)
class Pause:
    """Wait this long, or until the client has gone."""

    seconds: float


@dataclass
class Seen:
    """One request as it came, and what became of its connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    closed: threading.Event = field(default_factory=threading.Event)
    closed_at: float = 0.0


def capture(name: str) -> bytes:
    """Return a recorded answer."""
    return (CAPTURES / f"{name}.raw").read_bytes()


def json_reply(body: Any, status: str = "200 OK") -> bytes:
    """Return a JSON answer."""
    return reply(json.dumps(body).encode(), "application/json; charset=utf-8", status)


def reply(body: bytes, content_type: str, status: str = "200 OK", extra: str = "") -> bytes:
    """Return a whole answer with a length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM_END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Return one HTTP chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(**fields: Any) -> bytes:
    """Return one event as AnythingLLM writes it: one HTTP chunk."""
    return chunk(b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n")


def text_event(text: str, *, close: bool = False) -> bytes:
    """Return a textResponseChunk."""
    return event(
        uuid="0b4fd4ad", type="textResponseChunk", textResponse=text, sources=[], close=close, error=False
    )  # fmt: skip


def finalize(**more: Any) -> bytes:
    """Return the closing event."""
    return event(uuid="0b4fd4ad", type="finalizeResponseStream", close=True, error=False, **more)


def answer(*texts: str, sources: list[dict[str, Any]] | None = None) -> bytes:
    """Return a whole, ordinary streamed answer."""
    parts = [text_event(text) for text in texts]
    closing = [text_event("", close=True), finalize(chatId=1, sources=sources or [], metrics={})]
    return b"".join([STREAM_HEAD, *parts, *closing, STREAM_END])


# What \s is in JavaScript.
_BLANK = "[\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]"


@dataclass(frozen=True)
class Shown:
    """What AnythingLLM makes of a question: what its model reads, and whether it is an agent that reads it."""

    message: str
    documents: dict[str, str]
    is_agent: bool


@dataclass
class Behaviour:
    """AnythingLLM as it treats a question (server/utils/chats/apiChatHandler.js at v1.16), in front of a model.

    ``says`` is the model; ``takes_documents`` false: as before version 1.10, or without the document processor.
    """

    presets: Mapping[str, str] = field(default_factory=dict)
    takes_documents: bool = True
    sources: Sequence[dict[str, Any]] = ()
    says: Callable[[Shown], Sequence[str]] = lambda _shown: ["ready"]
    prompt_tokens: int | None = None
    shown: list[Shown] = field(default_factory=list)

    def __call__(self, seen: Seen) -> bytes:
        """Return the whole answer."""
        message = seen.body["message"]
        for command, prompt in self.presets.items():
            rewrite = re.compile(f"(^|{_BLANK})({command})(?![a-z0-9_-])")
            message = rewrite.sub(lambda found, prompt=prompt: f"{found[1]}{prompt}", message)  # type: ignore[misc]
        documents = dict(map(_parsed, seen.body.get("attachments", []))) if self.takes_documents else {}
        shown = Shown(message, documents, message.startswith("@agent"))
        self.shown.append(shown)
        listed = [
            {"title": name, "url": f"file:///app/collector/hotdir/{name}", "text": f"{text[:1000]}...continued on in "
             "source document...", "published": "11/21/2026", "isDirectUpload": True}
            for name, text in documents.items()
        ] + list(self.sources)  # fmt: skip
        if seen.body["mode"] == "query" and not listed:
            refusal = "There is no relevant information in this workspace to answer your query."
            one = event(id="1", type="textResponse", textResponse=refusal, sources=[], close=True, error=None)
            return STREAM_HEAD + one + STREAM_END
        metrics = {} if self.prompt_tokens is None else {"prompt_tokens": self.prompt_tokens, "completion_tokens": 5}
        parts = [*map(text_event, self.says(shown)), text_event("", close=True)]
        return b"".join([STREAM_HEAD, *parts, finalize(chatId=1, sources=listed, metrics=metrics), STREAM_END])


def _parsed(attachment: dict[str, str]) -> tuple[str, str]:
    """Read an attachment as the server and its document processor do."""
    assert attachment["mime"].lower() == "application/anythingllm-document"
    name = re.sub(r'[<>:"/\\|?*\u201c-\u201f\u2018-\u201b]', "", attachment["name"].strip())
    assert name.endswith(".txt"), "another ending is read as another kind of file"
    found = re.fullmatch(r"data:[^;]+;base64,(.+)", attachment["contentString"])
    content = base64.b64decode(found[1] if found else attachment["contentString"])
    assert content, "an empty document is not parsed"
    return name, content.decode("utf-8", "replace")


def one_byte_at_a_time(raw: bytes) -> Script:
    """Send a recording byte by byte."""
    for index in range(len(raw)):
        yield raw[index : index + 1]


def random_cuts(raw: bytes, seed: int) -> Script:
    """Send a recording in pieces of random length."""
    print(f"seed {seed}")
    choose = random.Random(seed)
    while raw:
        size = choose.choice((1, 2, 3, 7, 40, 300, 5000))
        yield raw[:size]
        raw = raw[size:]


class AnythingLLMServer:
    """Answers as ``respond`` says: given what was asked, it returns bytes or a script of bytes, pauses and "reset"."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.results: list[Any] = []  # what a search finds
        self.respond: Callable[[Seen], bytes | Script] = self.usual
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{'localhost' if context else '127.0.0.1'}:{self.port}"
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def usual(self, seen: Seen) -> bytes | Script:
        """Answer as a healthy server does."""
        if seen.path == "/api/ping":
            return capture("ping")
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            return capture("stream-chat-wrong-key")
        if seen.path == "/api/v1/auth":
            return capture("auth-ok")
        if seen.path == "/api/v1/workspaces":
            return capture("workspaces-list")
        if seen.path.endswith("/vector-search"):
            return self._search(seen)
        if seen.path.endswith("/stream-chat"):
            known = seen.path.split("/")[4] in ("test1", "test-2")
            return capture("stream-chat-with-sources" if known else "stream-chat-unknown-slug")
        return reply(b"<!DOCTYPE html><title>AnythingLLM</title>", "text/html; charset=utf-8")

    def _search(self, seen: Seen) -> bytes:
        if not seen.body.get("query"):
            return json_reply({"message": "Query parameter cannot be empty."}, "400 Bad Request")
        if (slug := seen.path.split("/")[4]) not in ("test1", "test-2"):
            return json_reply({"message": f"Workspace {slug} is not a valid workspace."}, "400 Bad Request")
        return json_reply({"results": self.results})

    @property
    def searches(self) -> list[Seen]:
        """The requests that looked something up."""
        return [seen for seen in self.seen if seen.path.endswith("/vector-search")]

    def behave(self, behaviour: Behaviour) -> Behaviour:
        """Treat every question as AnythingLLM does, and answer the rest as usual."""
        self.respond = lambda seen: behaviour(seen) if seen.path.endswith("/stream-chat") else self.usual(seen)
        return behaviour

    def always(self, response: bytes | Callable[[], Script]) -> None:
        """Answer every question to a workspace like this, and the rest as usual."""

        def respond(seen: Seen) -> bytes | Script:
            if not seen.path.endswith("/stream-chat"):
                return self.usual(seen)
            return response if isinstance(response, bytes) else response()

        self.respond = respond

    @property
    def questions(self) -> list[Seen]:
        """The requests that asked a workspace something."""
        return [seen for seen in self.seen if seen.path.endswith("/stream-chat")]

    def close(self) -> None:
        """Stop listening and drop every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # a closed socket goes on accepting while a thread waits in it
        self._listener.close()
        for connection in list(self._connections):
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def body_of(self, content_type: str, body: bytes) -> Any:
        """Return what the body of a request says."""
        return json.loads(body) if body else None

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(connection)
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._connections.add(connection)
            if seen := _read_request(connection, self.body_of):
                self.seen.append(seen)
                response = self.respond(seen)
                _play(connection, seen, iter([response]) if isinstance(response, bytes) else response)
        except OSError:
            pass
        finally:
            connection.close()


def _read_request(connection: socket.socket, body_of: Callable[[str, bytes], Any]) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        if not (more := connection.recv(65536)):
            return None  # whoever sent it has gone
        body += more
    return Seen(method, path, headers, body_of(headers.get("content-type", ""), body))


def _play(connection: socket.socket, seen: Seen, script: Script) -> None:
    for step in script:
        if isinstance(step, bytes):
            try:
                connection.sendall(step)
            except OSError:
                return _note_closed(seen)
        elif isinstance(step, Pause):
            if _has_gone(connection, step.seconds):
                return _note_closed(seen)
        elif step == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return None


def _has_gone(connection: socket.socket, seconds: float) -> bool:
    try:
        readable, _, _ = select.select([connection], [], [], seconds)
        return bool(readable) and connection.recv(1) == b""
    except (OSError, ValueError):  # ValueError: the test has ended, and closed it
        return True


def _note_closed(seen: Seen) -> None:
    seen.closed_at = monotonic()
    seen.closed.set()
