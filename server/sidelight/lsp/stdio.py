"""Standard input and output as a JSON-RPC transport that cannot be jammed, corrupted or orphaned.

Three threads stand round the event loop: one reads, one writes, one watches whether anybody is still there.
File descriptors 0 and 1 are moved away at the start, so that a stray ``print`` goes to stderr and a child process
cannot read the client's messages. Nothing here knows LSP beyond its framing.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable

from sidelight import logs
from sidelight.lsp import watchdog
from sidelight.lsp.framing import Incoming, MessageDecoder

log = logging.getLogger(__name__)

_READ_BYTES = 1 << 18
# What a client may leave unread before streams wait and merge; answers and requests are queued beyond it.
_ROOM_BYTES = 1 << 18
# What a client may leave unread at all: it has not read for a long time and will not.
_LIMIT_BYTES = 256 << 20


def take_over_standard_streams() -> tuple[int, int]:
    """Return descriptors for the protocol's input and output; 0 becomes empty and 1 becomes stderr."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    protocol_in, protocol_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return protocol_in, protocol_out


class Reader:
    """Reads messages on a thread of its own and hands them on in batches."""

    def __init__(
        self,
        descriptor: int,
        decoder: MessageDecoder,
        deliver: Callable[[list[Incoming]], None],
        ended: Callable[[str], None],
    ) -> None:
        self._descriptor = descriptor
        self._decoder = decoder
        self._deliver = deliver
        self._ended = ended

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="reader", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                chunk = os.read(self._descriptor, _READ_BYTES)
            except OSError as error:
                return self._ended(f"reading from the client failed: {error}")
            if not chunk:
                return self._ended("the client closed standard input")
            if incoming := self._decoder.feed(chunk):
                self._deliver(incoming)


class Connection:
    """The client at the other end. What comes before anybody listens is kept, in order."""

    def __init__(self, input_: int, output: int, limit_bytes: int) -> None:
        self._output = output
        self.writer = Writer(output, self._lost)
        self._changed = threading.Condition(threading.RLock())
        self._kept: list[Incoming] = []
        self._lost_because: str | None = None
        self._listener: tuple[Callable[[list[Incoming]], None], Callable[[str], None]] | None = None
        self.writer.start()
        self._decoder = MessageDecoder(limit_bytes)
        Reader(input_, self._decoder, self._received, self._lost).start()

    def set_limit(self, limit_bytes: int) -> None:
        """Take messages of this size from now on."""
        self._decoder.set_limit(limit_bytes)

    def watch(self, parent: object) -> None:
        """Count the client as gone when the process ``parent`` ends, or when nobody reads our output any more."""
        watchdog.watch(parent if isinstance(parent, int) and parent > 0 else None, self._output, self._lost)

    def first(self) -> Incoming | None:
        """Wait for the first message, and leave it where it is; None when the client has gone without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._kept or self._lost_because is not None)
            return self._kept[0] if self._kept else None

    def take_first(self) -> None:
        """Drop the first message: it has been answered."""
        with self._changed:
            del self._kept[0]

    def listen(self, received: Callable[[list[Incoming]], None], lost: Callable[[str], None]) -> None:
        """Hand on what has been kept, and from now on everything as it comes, on the reader's thread."""
        with self._changed:
            self._listener = received, lost
            if self._kept:
                received(self._kept)
                self._kept = []
            if self._lost_because is not None:
                lost(self._lost_because)

    def _received(self, incoming: list[Incoming]) -> None:
        with self._changed:
            if self._listener is not None:
                self._listener[0](incoming)
            else:
                self._kept += incoming
                self._changed.notify_all()

    def _lost(self, reason: str) -> None:
        with self._changed:
            if self._listener is not None:
                self._listener[1](reason)
            elif self._lost_because is None:
                self._lost_because = reason
                self._changed.notify_all()


class Writer:
    """Writes frames in order; ``write`` never blocks.

    What a client that keeps up has room for is written at once, everything else on a thread of its own: to wake one
    takes longer than to write a piece of an answer.
    """

    def __init__(self, descriptor: int, failed: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._failed = failed
        self._has_room_at_once = _room_at_once(descriptor)
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_broken = False
        self._changed = threading.Condition()

    def start(self) -> None:
        """Begin to write."""
        threading.Thread(target=self._run, name="writer", daemon=True).start()

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up; a stream that can wait should, while it does not."""
        return self._waiting_bytes < _ROOM_BYTES

    def write(self, data: bytes) -> None:
        """Queue a frame."""
        with self._changed:
            if self._is_broken:
                return
            if self._waiting_bytes > _LIMIT_BYTES:
                self._break("the client has stopped reading")
                return
            if not self._waiting_bytes and self._has_room_at_once(len(data)):
                self._write_at_once(data)
                return
            self._frames.append(data)
            self._waiting_bytes += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Do nothing: the process closes its descriptors when it ends. Part of pygls' writer interface."""

    def flush(self, timeout_s: float) -> None:
        """Wait until everything queued has been written, or until the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting_bytes or self._is_broken, timeout_s)

    def _write_at_once(self, data: bytes) -> None:
        try:
            _write_all(self._descriptor, data)
        except OSError as error:
            self._break(f"writing to the client failed: {error}")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames)
                data = b"".join(self._frames)
                self._frames.clear()
            try:
                _write_all(self._descriptor, data)
            except OSError as error:
                with self._changed:
                    self._break(f"writing to the client failed: {error}")
                return
            with self._changed:
                self._waiting_bytes -= len(data)
                self._changed.notify_all()

    def _break(self, reason: str) -> None:
        self._is_broken = True
        self._changed.notify_all()
        self._failed(reason)


def _room_at_once(descriptor: int) -> Callable[[int], bool]:
    """Return what tells whether so many bytes can be written without waiting; never on Windows, which cannot tell."""
    if sys.platform == "win32":
        return lambda _count: False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    # A pipe that is ready takes so much in one piece (POSIX, write); a socket takes more.
    return lambda count: count <= select.PIPE_BUF and poll.poll(0) == [(descriptor, select.POLLOUT)]


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def exit_now(code: int, writer: Writer | None = None) -> None:
    """End the process: let the client have what is queued, and do not wait for threads inside system calls."""
    if writer is not None:
        writer.flush(0.5)
    logs.flush(0.3)
    os._exit(code)
