"""What is written to a client: in order, whole, and without waiting for it, be its end a pipe or a socket."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from sidelight.lsp.stdio import Writer

Ends = tuple[int, int]


def pipe() -> Ends:
    read, write = os.pipe()
    return read, write


def sockets() -> Ends:
    read, write = socket.socketpair()
    return read.detach(), write.detach()


@pytest.fixture(
    params=[
        pipe,
        pytest.param(sockets, marks=pytest.mark.skipif(sys.platform == "win32", reason="no descriptors there")),
    ]
)
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    make: Callable[[], Ends] = request.param
    both = make()
    yield both
    for end in both:
        os.close(end)


def frames(chance: random.Random, count: int) -> list[bytes]:
    return [bytes([number % 256]) * chance.choice([1, 200, 4096, 4097, 30_000]) for number in range(count)]


def read_to(end: int, count: int, most: int = 1 << 16) -> bytes:
    data = b""
    while len(data) < count:
        data += os.read(end, most)
    return data


def test_all_arrives_in_order_whatever_the_reader_does(ends: Ends) -> None:
    chance = random.Random(seed := random.randrange(10**6))
    writer = Writer(ends[1], pytest.fail)
    writer.start()
    sent = frames(chance, 400)
    whole = b"".join(sent)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(read_to(ends[0], len(whole), chance.choice([100, 1 << 16]))))
    reader.start()
    for frame in sent:
        writer.write(frame)
    reader.join(20)
    assert got == [whole], f"seed {seed}"
    writer.flush(5)
    assert writer.has_room


def test_a_client_that_does_not_read_is_not_waited_for(ends: Ends) -> None:
    writer = Writer(ends[1], pytest.fail)
    writer.start()
    sent = frames(random.Random(1), 300)
    began = monotonic()
    for frame in sent:
        writer.write(frame)
    assert monotonic() - began < 5
    assert not writer.has_room
    whole = b"".join(sent)
    assert read_to(ends[0], len(whole)) == whole


def test_a_client_that_is_gone_is_told_once() -> None:
    read, write = pipe()
    told: list[str] = []
    writer = Writer(write, told.append)
    writer.start()
    os.close(read)
    for _ in range(3):
        writer.write(b"x" * 100)
    deadline = monotonic() + 10
    while not told and monotonic() < deadline:
        pass
    writer.write(b"x")
    os.close(write)
    assert len(told) == 1
    assert "writing to the client failed" in told[0]
