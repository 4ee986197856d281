"""A stand-in for AnythingLLM in a process of its own. What it does with a question is said by the workspace's slug.

``paced-RATE-COUNT`` sends COUNT deltas, RATE a second; ``flood-COUNT`` as fast as they are taken; ``silent-COUNT`` says
nothing more after COUNT; ``mute`` does not even send headers. Every delta of a paced answer carries the time at which
it was written (``@`` and nanoseconds of CLOCK_MONOTONIC, which all processes share).
Lines on standard output: ``port N``, ``request SLUG``, and ``closed NANOSECONDS SLUG`` when a peer left before the end.
"""

from __future__ import annotations

import asyncio
import random
import re
from time import monotonic_ns

_HEAD = (
    b"HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nCache-Control: no-cache\r\nContent-Type: text/event-stream\r\n"
    b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_EVENT = '{"uuid":"6b32524e-c1ff-4d9c-a25b-3944c07ca4d0","sources":[],"type":"%s",%s"close":%s,"error":false%s}'
_REQUEST = re.compile(rb"(?is)POST /api/v1/workspace/([^/]+)/stream-chat .*?\r\ncontent-length: *([0-9]+)\r\n")
_WORDS = ("the", "answer", "says", "what", "this", "function", "returns", "and", "why", "a", "caller", "relies", "on")


def event(kind: str, fields: str = "", *, close: bool = False, more: str = "") -> bytes:
    """Return one event as AnythingLLM writes it: a chunk of its own."""
    data = f"data: {_EVENT % (kind, fields, 'true' if close else 'false', more)}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def delta(text: str) -> bytes:
    """Return the event of one delta; the text needs no escapes."""
    return event("textResponseChunk", f'"textResponse":"{text}",')


END = (
    event("textResponseChunk", '"textResponse":"",', close=True)
    + event("finalizeResponseStream", close=True, more=',"chatId":2,"metrics":{"completion_tokens":9}')
    + b"0\r\n\r\n"
)


class Exchange(asyncio.Protocol):
    """One connection, one question."""

    def __init__(self) -> None:
        self._received = b""
        self._slug = ""
        self._is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        found = _REQUEST.match(head + b"\r\n")
        if not self._slug and blank and found and len(body) >= int(found[2]):
            self._slug = found[1].decode()
            print("request", self._slug, flush=True)
            self._answer(*self._slug.split("-"))

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, _error: Exception | None) -> None:
        now = monotonic_ns()
        if self._slug and not self._is_over:
            self._is_over = True
            print("closed", now, self._slug, flush=True)

    def _answer(self, kind: str, *numbers: str) -> None:
        if kind == "mute":
            return
        self._transport.write(_HEAD)
        if kind == "flood":
            self._finish(b"".join(delta(f" {_WORDS[n % len(_WORDS)]}") for n in range(int(numbers[0]))))
        elif kind == "silent":
            self._transport.write(b"".join(self._stamped() for _ in range(int(numbers[0]))))
        else:
            every_s = 1 / int(numbers[0])
            # Streams that run side by side are not in step.
            begin = asyncio.get_running_loop().time() + random.random() * every_s
            self._pace(begin, every_s, int(numbers[1]))

    def _pace(self, due: float, every_s: float, left: int) -> None:
        if not left:
            self._finish(b"")
        elif not self._is_over:
            self._transport.write(self._stamped())
            asyncio.get_running_loop().call_at(due + every_s, self._pace, due + every_s, every_s, left - 1)

    @staticmethod
    def _stamped() -> bytes:
        return delta(f" @{monotonic_ns()}")

    def _finish(self, before: bytes) -> None:
        self._is_over = True
        self._transport.write(before + END)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Exchange, "127.0.0.1", 0, backlog=256)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
