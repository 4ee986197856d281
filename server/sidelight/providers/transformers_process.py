"""The worker process of ``transformers``: started without a shell, spoken to in JSON lines, ended for sure.

Nothing here blocks but ``listen``, which a stop ends. Three threads serve a worker: orders go out, replies come in, and
what it says on stderr goes to our log, within bounds. They do not keep the worker alive: it ends when nobody holds it,
when this process ends, and, since its stdin closes then, when this process is killed. Next: ``transformers_worker.py``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

from sidelight.core.stopping import Stop

log = logging.getLogger(__name__)

Reply = dict[str, Any]

_LONGEST_LINE = 1 << 20
_LONGEST_SAID = 300
_MOST_SAID = 200
_REAP_S = 2.0
_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
# Whatever is in our environment for our own use is not the model's business; HF_TOKEN and the like are.
_OURS = ("ANYTHINGLLM_", "DASHSCOPE_", "OPENAI_", "SIDELIGHT_", "PYTHON")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker says of its model when it has loaded it."""

    context_tokens: int | None
    device: str
    dtype: str
    has_template: bool


class WorkerEnded(Exception):
    """The process is no more: its exit code (below zero: the signal), and the last that it said on stderr."""

    def __init__(self, code: int, last_words: str) -> None:
        super().__init__(code, last_words)
        self.code = code
        self.last_words = last_words


@dataclass(slots=True)
class _Shared:
    """What a worker and its threads share; the threads never hold the worker itself.

    ``None`` among the replies wakes the listener up; among the orders it is the end.
    """

    orders: queue.SimpleQueue[bytes | None] = field(default_factory=queue.SimpleQueue)
    replies: queue.SimpleQueue[Reply | None] = field(default_factory=queue.SimpleQueue)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=1))
    facts: Facts | None = None
    answered: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


class Worker:
    """A process with one model, in its own working directory. Starting raises ``OSError``."""

    def __init__(self, command: list[str], folder: str, model: str) -> None:
        self.model = model
        self.asked = 0  # the id of the last order that wants an answer
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            creationflags=_NO_WINDOW,
        )
        self._shared = _Shared()
        self.end = weakref.finalize(self, _kill, self._process)
        """Ends the process; without effect when it has ended."""
        words = _thread(_hear, self._process, self._shared)
        _thread(_write, self._process, self._shared)
        _thread(_read, self._process, self._shared, words)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def facts(self) -> Facts | None:
        """What it said of its model; None until it is loaded."""
        return self._shared.facts

    @property
    def is_alive(self) -> bool:
        """Whether it runs, as far as is known."""
        return self.end.alive and not self._shared.ended.is_set() and self._process.poll() is None

    @property
    def is_busy(self) -> bool:
        """Whether it loads, or has not yet given the last answer that it was asked for."""
        return self.facts is None or self._shared.answered < self.asked

    def order(self, do: str, **fields: Any) -> None:
        """Send an order; one that wants an answer gets the next id, ``asked``."""
        if do in ("generate", "count"):
            self.asked += 1
        self._shared.orders.put(json.dumps({"do": do, "id": self.asked, **fields}).encode("ascii") + b"\n")

    def listen(self, stop: Stop, timeout_s: float | None = None) -> Generator[list[Reply], None, None]:
        """Yield replies as they come, in bunches; ends when the time is over. Raises ``Stopped`` or ``WorkerEnded``."""
        shared = self._shared
        deadline = None if timeout_s is None else monotonic() + timeout_s
        forget = stop.on_stop(lambda: shared.replies.put(None))
        try:
            while True:
                if shared.ended.is_set() and shared.replies.empty():
                    raise WorkerEnded(self._process.returncode, "".join(shared.said))
                bunch: list[Reply] = []
                with contextlib.suppress(queue.Empty):
                    reply = shared.replies.get(timeout=None if deadline is None else max(0.0, deadline - monotonic()))
                    while True:
                        bunch += [reply] if reply else []
                        reply = shared.replies.get_nowait()
                stop.raise_if_set()
                if bunch:
                    yield bunch
                elif deadline is not None and monotonic() >= deadline:
                    return
        finally:
            forget()

    def wait(self) -> None:
        """Wait until it has ended, some seconds at most."""
        self._shared.ended.wait(_REAP_S)


class Turns:
    """Lets one at a time have the worker, in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def join(self) -> object:
        """Stand in line; returns the ticket for ``wait`` and ``leave``."""
        ticket = object()
        with self._changed:
            self._line.append(ticket)
        return ticket

    def try_join(self) -> object | None:
        """Return a ticket whose turn it is at once, or None."""
        with self._changed:
            if self._line:
                return None
            ticket = object()
            self._line.append(ticket)
        return ticket

    def is_turn(self, ticket: object) -> bool:
        """Whether it is this one's turn."""
        with self._changed:
            return self._line[0] is ticket

    def wait(self, ticket: object, stop: Stop) -> None:
        """Wait for one's turn; raises ``Stopped``."""
        forget = stop.on_stop(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._line[0] is ticket or stop.is_set)
        finally:
            forget()
        stop.raise_if_set()

    def leave(self, ticket: object) -> None:
        """Give one's turn to the next, or leave the line."""
        with self._changed:
            self._line.remove(ticket)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


# The threads


def _thread(run: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=run, args=arguments, name=f"transformers{run.__name__}", daemon=True)
    thread.start()
    return thread


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        process.kill()


def _write(process: subprocess.Popen[bytes], shared: _Shared) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # it has ended: the reader tells
        while line := shared.orders.get():
            process.stdin.write(line)
            process.stdin.flush()
    with contextlib.suppress(OSError):
        process.stdin.close()


def _read(process: subprocess.Popen[bytes], shared: _Shared, words: threading.Thread) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in _lines(process.stdout):
            reply = _parsed(line)
            if not reply:
                log.warning("skipped a line of the worker's that is no reply, %d characters", len(line))
                continue
            if reply["is"] == "loaded":
                shared.facts = _facts(reply)
            elif reply["is"] in ("finished", "tokens", "error") and isinstance(reply.get("id"), int):
                shared.answered = reply["id"]
            shared.replies.put(reply)
    process.wait()
    words.join(_REAP_S)
    shared.ended.set()
    shared.replies.put(None)
    shared.orders.put(None)


def _hear(process: subprocess.Popen[bytes], shared: _Shared) -> None:
    assert process.stderr is not None
    left = _MOST_SAID
    with process.stderr:
        for line in _lines(process.stderr):
            text = " ".join(line.decode("utf-8", "replace").split())[:_LONGEST_SAID]
            if text:
                shared.said.append(text)
                left -= 1
            if text and left >= 0:
                log.info("worker: %s", text)


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, the end of overlong ones left out."""
    is_rest = False
    while line := pipe.readline(_LONGEST_LINE):
        if not is_rest:
            yield line
        is_rest = not line.endswith(b"\n")


def _parsed(line: bytes) -> Reply | None:
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) and isinstance(reply.get("is"), str) else None


def _facts(reply: Reply) -> Facts:
    tokens = reply.get("context_tokens")
    return Facts(
        tokens if isinstance(tokens, int) and tokens > 0 else None,
        str(reply.get("device") or ""),
        str(reply.get("dtype") or ""),
        reply.get("has_template") is not False,
    )
