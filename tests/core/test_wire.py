from __future__ import annotations

import json
import random

import pytest

from sidelight.core.wire import event_stream
from sidelight.core.wire.event_stream import EventStreamDecoder, LineTooLong, ServerEvent
from sidelight.core.wire.ndjson import NdjsonDecoder
from sidelight.core.wire.surrogates import SurrogateJoiner

STREAM = (
    "\ufeffdata: first\n\n"
    ": a comment\n\n"
    "event: note\r\nid: 7\r\ndata: two\r\ndata: lines\r\n\r\n"
    "data:no space\rretry: 250\r\r"
    "data\n\n"
    "ignored: field\n\n"
    "data: é😀\u2028\u0085 stays one line\n\n"
    "event: dropped, as it has no data\n\n"
    "data: after\n\n"
).encode()
EVENTS = [
    ServerEvent("first"),
    ServerEvent("two\nlines", "note", "7"),
    ServerEvent("no space", "message", "7"),
    ServerEvent("", "message", "7"),
    ServerEvent("é😀\u2028\u0085 stays one line", "message", "7"),
    ServerEvent("after", "message", "7"),
]


def decode(pieces: list[bytes]) -> list[ServerEvent]:
    decoder = EventStreamDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish()


def cuts(data: bytes, seed: int) -> list[bytes]:
    choose = random.Random(seed)
    borders = sorted(choose.sample(range(len(data) + 1), choose.randrange(min(20, len(data)))))
    return [data[start:end] for start, end in zip([0, *borders], [*borders, len(data)], strict=True)]


def test_a_stream_is_decoded_whole_and_byte_by_byte_alike() -> None:
    assert decode([STREAM]) == EVENTS
    assert decode([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


@pytest.mark.parametrize("seed", range(200))
def test_a_stream_is_decoded_at_any_cut(seed: int) -> None:
    assert decode(cuts(STREAM, seed)) == EVENTS


def test_retry_is_understood() -> None:
    decoder = EventStreamDecoder()
    decoder.feed(b"retry: 1500\n\nretry: soon\n\n")
    assert decoder.retry_ms == 1500


@pytest.mark.parametrize("tail", [b'data: {"a": 1}', b'data: {"a": 1}\n', b'data: {"a":\ndata: 1}\n'])
def test_a_last_event_without_blank_line_counts_when_it_is_whole_json(tail: bytes) -> None:
    events = decode([b"data: x\n\n" + tail])
    assert [json.loads(event.data) for event in events[1:]] == [{"a": 1}]


@pytest.mark.parametrize("tail", [b'data: {"a": ', b"data: word", b"event: x", b": comment"])
def test_a_torn_last_event_is_dropped(tail: bytes) -> None:
    assert decode([b"data: x\n\n" + tail]) == [ServerEvent("x")]


def test_a_line_over_the_limit_is_an_error_and_not_a_leak() -> None:
    decoder = EventStreamDecoder()
    piece = b"x" * (1 << 20)
    with pytest.raises(LineTooLong):
        for _ in range(event_stream.MAX_LINE_BYTES // len(piece) + 1):
            decoder.feed(piece)


def test_ndjson_ends_lines_at_line_feed_only() -> None:
    body = '{"a": "x\u2028\u0085y"}\r\n\n{"b": 2}\n{"c": 3}'.encode()
    for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
        decoder = NdjsonDecoder()
        lines = [line for piece in pieces for line in decoder.feed(piece)] + decoder.finish()
        assert [json.loads(line) for line in lines] == [{"a": "x\u2028\u0085y"}, {"b": 2}, {"c": 3}]


def test_an_emoji_torn_over_two_deltas_is_joined() -> None:
    joiner = SurrogateJoiner()
    assert [joiner.feed("a\ud83d"), joiner.feed("\ude00b"), joiner.finish()] == ["a", "😀b", ""]


def test_half_an_emoji_can_be_encoded() -> None:
    joiner = SurrogateJoiner()
    text = joiner.feed("a\ude00") + joiner.feed("\ud83d") + joiner.feed("b") + joiner.feed("\ud83d") + joiner.finish()
    assert text == "a\ufffd\ufffdb\ufffd"
    text.encode("utf-8")
