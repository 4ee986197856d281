from __future__ import annotations

import random

import pytest

from sidelight.lsp.framing import (
    BadFraming,
    Incoming,
    MessageDecoder,
    NotJson,
    Received,
    TooLarge,
    encode_message,
    frame,
)

LIMIT = 1000
NEXT = encode_message({"next": 1})


def decode(data: bytes, size: int | None = None) -> list[Incoming]:
    decoder = MessageDecoder(LIMIT)
    size = size or len(data)
    return [item for i in range(0, len(data), size) for item in decoder.feed(data[i : i + size])]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 7\r\n\r\n",
        b"content-length:7\r\n\r\n",
        b"CONTENT-LENGTH : 7\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 7\r\n\r\n",
        b"Content-Length: 7\r\nX-Other: 1\r\n\r\n",
    ],
)
def test_headers_are_read_in_any_case_and_order_at_any_cut(header: bytes) -> None:
    for size in (1, 2, 3, 100):
        assert decode(header + b'{"a":1}' + NEXT, size) == [Received({"a": 1}), Received({"next": 1})]


BAD = {
    "no colon": b"nonsense\r\n\r\n",
    "a word for a length": b"Content-Length: seven\r\n\r\n",
    "a negative length": b"Content-Length: -4\r\n\r\n",
    "no length": b"Content-Type: x\r\n\r\n",
    "binary": bytes(range(256)) * 4 + b"\r\n\r\n",
    "a header without end": b"x" * 20_000,
}


@pytest.mark.parametrize("name", BAD)
def test_after_bad_framing_the_next_message_is_found(name: str) -> None:
    for size in (1, 7, 100_000):
        incoming = decode(BAD[name] + NEXT + NEXT, size)
        assert incoming[-2:] == [Received({"next": 1})] * 2
        assert BadFraming() in incoming


def test_a_length_that_is_too_short_costs_one_message() -> None:
    assert decode(b'Content-Length: 4\r\n\r\n{"a":1}' + NEXT)[-1] == Received({"next": 1})


def test_a_length_that_is_too_long_costs_nothing() -> None:
    assert decode(b'Content-Length: 27\r\n\r\n{"a":1}' + NEXT) == [Received({"a": 1}), Received({"next": 1})]


@pytest.mark.parametrize("length", [1001, 10**14, 10**23])
def test_a_message_over_the_limit_is_refused_and_skipped(length: int) -> None:
    incoming = decode(b"Content-Length: %d\r\n\r\n" % length + b"x" * 5000 + NEXT, 64)
    assert isinstance(incoming[0], TooLarge)
    assert incoming[1:] == [Received({"next": 1})]


def test_a_message_over_the_limit_is_not_kept_in_memory() -> None:
    decoder = MessageDecoder(LIMIT)
    decoder.feed(b"Content-Length: 99999999\r\n\r\n")
    for _ in range(100):
        decoder.feed(b"y" * 10_000)
    assert len(decoder._buffer) < 20_000


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"nonsense", b"[" * 900, b""])
def test_a_body_that_is_not_json_is_told(body: bytes) -> None:
    assert decode(frame(body) + NEXT) == [NotJson(), Received({"next": 1})]


def test_lone_surrogates_can_be_sent() -> None:
    assert decode(encode_message({"a": "\ud83d"})) == [Received({"a": "\ud83d"})]


@pytest.mark.parametrize("seed", range(50))
def test_random_bytes_never_make_it_deaf(seed: int) -> None:
    print(f"seed {seed}")
    choose = random.Random(seed)
    pieces = [b"Content-Length: ", b"12", b"\r\n", b"\n\n", b"{}", b"\x00", b"abc:", NEXT]
    noise = b"".join(choose.choice(pieces) for _ in range(30))
    incoming = decode(noise + b"\r\n" + NEXT * 3, choose.choice((1, 5, 1000)))
    assert incoming[-1] == Received({"next": 1})
