"""A stand-in for every vendor's server in one process of its own. What it does with a question is said by its slug.

The slug is AnythingLLM's workspace, and elsewhere the model. ``paced-RATE-COUNT`` sends COUNT deltas, RATE a second;
``flood-COUNT`` as fast as they are taken; ``silent-COUNT`` says nothing more after COUNT; ``mute`` does not even send
headers. Every delta of a paced answer carries the time at which it was written (``@`` and nanoseconds of
CLOCK_MONOTONIC, which all processes share).
Lines on standard output: ``port N``, ``request SLUG``, and ``closed NANOSECONDS SLUG`` when a peer left before the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import dataclass
from time import monotonic_ns

_HEAD = (
    "HTTP/1.1 200 OK\r\nCache-Control: no-cache\r\nContent-Type: %s\r\nConnection: keep-alive\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
)
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_WORDS = ("the", "answer", "says", "what", "this", "function", "returns", "and", "why", "a", "caller", "relies", "on")


@dataclass(frozen=True)
class Vendor:
    """How one vendor is asked, and what it sends: ``delta`` for one, whose text needs no escapes, and ``end``."""

    path: str
    """A regular expression; its group is the slug, which otherwise is the model that the body names."""
    content_type: str
    delta: str
    end: str


_OPENAI = (
    'data: {"id":"chatcmpl-b83WMlzkGDhVJVhZkyrN9wxQ","object":"chat.completion.chunk","created":1785600000,'
    '"model":"model","system_fingerprint":"b6000","choices":[%s]%s}\n\n'
)
_OLLAMA = (
    '{"model":"model","created_at":"2026-08-01T12:00:00.123456789Z",'
    '"message":{"role":"assistant","content":"%s"},"done":%s}\n'
)
_DASHSCOPE = (
    "id:%d\nevent:result\n:HTTP_STATUS/200\n"
    'data:{"output":{"choices":[{"message":{"content":"%s","role":"assistant"},"finish_reason":"%s"}]},'
    '"usage":{"total_tokens":2609,"output_tokens":9,"input_tokens":2600},'
    '"request_id":"6b32524e-c1ff-4d9c-a25b-3944c07ca4d0"}\n\n'
)
_ANYTHINGLLM = 'data: {"uuid":"6b32524e-c1ff-4d9c-a25b-3944c07ca4d0","sources":[],"type":"%s",%s"error":false%s}\n\n'
_VENDORS = (
    Vendor(
        "/api/v1/workspace/([^/]+)/stream-chat",
        "text/event-stream",
        _ANYTHINGLLM % ("textResponseChunk", '"textResponse":"%s","close":false,', ""),
        _ANYTHINGLLM % ("textResponseChunk", '"textResponse":"","close":true,', "")
        + _ANYTHINGLLM % ("finalizeResponseStream", '"close":true,', ',"chatId":2,"metrics":{"completion_tokens":9}'),
    ),
    Vendor(
        "/v1/chat/completions",
        "text/event-stream",
        _OPENAI % ('{"index":0,"delta":{"content":"%s"},"finish_reason":null}', ""),
        _OPENAI % ('{"index":0,"delta":{},"finish_reason":"stop"}', "")
        + _OPENAI % ("", ',"usage":{"prompt_tokens":2600,"completion_tokens":9,"total_tokens":2609}')
        + "data: [DONE]\n\n",
    ),
    Vendor(
        "/api/chat",
        "application/x-ndjson",
        _OLLAMA % ("%s", "false"),
        _OLLAMA % ("", 'true,"done_reason":"stop","prompt_eval_count":2600,"eval_count":9'),
    ),
    Vendor(
        "/api/v1/services/aigc/text-generation/generation",
        "text/event-stream",
        _DASHSCOPE % (1, "%s", "null"),
        _DASHSCOPE % (2, "", "stop"),
    ),
)
# What is asked besides: lists of models (OpenAI, Ollama, DashScope), and what one of them can read.
_BESIDES = b'{"data":[],"models":[],"output":{"models":[]},"model_info":{"llama.context_length":32768}}'


def chunk(text: str) -> bytes:
    """Return a text as a chunk of a body."""
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Exchange(asyncio.Protocol):
    """One connection, with one question and whatever is asked before it."""

    def __init__(self) -> None:
        self._received = b""
        self._slug = ""
        self._is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if self._slug or not blank or len(body) < (int(length[1]) if length else 0):
            return
        path = head.split()[1].decode()
        for self._vendor in _VENDORS:
            if found := re.fullmatch(self._vendor.path, path):
                self._slug = found[1] if found.lastindex else json.loads(body)["model"]
                print("request", self._slug, flush=True)
                self._answer(*self._slug.split("-"))
                return
        self._received = b""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BESIDES)
        self._transport.write(head + _BESIDES)

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
        self._transport.write((_HEAD % self._vendor.content_type).encode())
        if kind == "flood":
            self._finish(b"".join(self._delta(f" {_WORDS[n % len(_WORDS)]}") for n in range(int(numbers[0]))))
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

    def _delta(self, text: str) -> bytes:
        return chunk(self._vendor.delta % text)

    def _stamped(self) -> bytes:
        return self._delta(f" @{monotonic_ns()}")

    def _finish(self, before: bytes) -> None:
        self._is_over = True
        self._transport.write(before + chunk(self._vendor.end) + b"0\r\n\r\n")


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Exchange, "127.0.0.1", 0, backlog=256)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
